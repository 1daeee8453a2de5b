"""The web app: forecasts for buyers and programs, each one kept as an event."""
