"""A language model that grades a run's answers, and how far to believe it."""
