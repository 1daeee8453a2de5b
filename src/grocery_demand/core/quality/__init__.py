"""Checks of the raw tables: every row is kept, or set aside with its place and its reason."""
