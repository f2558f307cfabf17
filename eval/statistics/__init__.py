"""Means with intervals, agreement of raters, and small models."""
