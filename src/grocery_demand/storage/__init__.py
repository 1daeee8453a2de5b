"""Files and folders of our own, for datasets and web app alike; it knows no framework."""
