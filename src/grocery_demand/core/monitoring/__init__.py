"""Monitoring: what is served and sold since a model was trained, against what it promised."""
