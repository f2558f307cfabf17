"""The sample digest that ``assistant demo`` loads; summaries written for this project."""

from pathlib import Path

DIGEST = Path(__file__).parent / "digest.txt"

QUESTION = "What does DAPO reach on AIME 2024, and with which base model?"
