"""One module per revision; ``HEAD`` of the schema names the newest."""
