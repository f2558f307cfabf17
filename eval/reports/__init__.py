"""A run as files for people and for CI."""
