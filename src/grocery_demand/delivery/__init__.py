"""From an accepted model to a running app: deployment, smoke test, release."""
