"""The ``assistant`` command: argument handling and printing only."""
