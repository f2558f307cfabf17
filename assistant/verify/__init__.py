"""Claims of a finished answer against the text of the passages they cite."""

from assistant.verify.checker import Check, Checker, Judgement
from assistant.verify.claims import check_claims, checks_of
from assistant.verify.model_checker import ModelChecker

__all__ = ["Check", "Checker", "Judgement", "ModelChecker", "check_claims", "checks_of"]
