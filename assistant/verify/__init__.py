"""Claims of a finished answer against the text of the passages they cite."""

from assistant.verify.checker import Check, Checker, Judgement
from assistant.verify.claims import check_claims

__all__ = ["Check", "Checker", "Judgement", "check_claims"]
