"""The web app: pages render, components draw; what is worked out is worked out in ``assistant``."""
