"""Ask questions about scientific papers; every sentence of the answer is cited to its source."""

__version__ = "0.1.0"
