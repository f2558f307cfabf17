"""Whether the harness itself can be believed."""
