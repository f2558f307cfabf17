"""The façade: one class that command line, pages, eval and servers call, over what it is made of."""

from assistant.library.health import Diagnosis, Holdings
from assistant.library.library import Library
from assistant.library.search import MAX_QUESTION, RankedPaper
from assistant.models.stop import Stop

__all__ = ["MAX_QUESTION", "Diagnosis", "Holdings", "Library", "RankedPaper", "Stop"]
