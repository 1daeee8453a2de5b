"""A simulated grocery retailer: the world its sales come from, and how real they look."""
