"""What notebooks call besides the domain: figures, tables, readers of runs and events."""
