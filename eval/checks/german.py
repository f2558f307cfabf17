"""English put into what passes for German, word by word."""

import re

_TO_GERMAN = {
    "the": "die", "of": "von", "and": "und", "to": "zu", "in": "in", "a": "ein", "an": "ein", "is": "ist",
    "are": "sind", "that": "dass", "for": "für", "with": "mit", "as": "als", "on": "auf", "by": "durch",
    "from": "aus", "this": "dies", "these": "diese", "which": "welche", "it": "es", "its": "sein",
    "their": "ihre", "they": "sie", "than": "als", "not": "nicht", "or": "oder", "at": "bei", "be": "sein",
    "has": "hat", "have": "haben", "can": "kann", "while": "während", "where": "wo", "when": "wenn",
    "but": "aber", "both": "beide", "more": "mehr", "most": "meist", "one": "ein", "two": "zwei",
    "three": "drei", "four": "vier", "five": "fünf", "new": "neue", "also": "auch", "only": "nur",
    "first": "erste", "each": "jede", "such": "solche", "over": "über", "between": "zwischen",
    "into": "in", "without": "ohne", "paper": "Arbeit", "papers": "Arbeiten", "method": "Verfahren",
    "model": "Modell", "models": "Modelle", "language": "Sprache", "data": "Daten", "training": "Übung",
    "results": "Ergebnisse", "show": "zeigen", "shows": "zeigt", "use": "nutzen", "uses": "nutzt",
    "using": "mittels", "based": "beruhend", "large": "große", "learning": "Lernen", "across": "quer",
    "tasks": "Aufgaben", "task": "Aufgabe", "performance": "Leistung", "system": "System",
    "framework": "Rahmen", "approach": "Ansatz", "question": "Frage", "questions": "Fragen",
    "image": "Bild", "images": "Bilder", "video": "Video", "human": "menschlich", "better": "besser",
    "reasoning": "Denken", "generation": "Erzeugung", "work": "Arbeit", "called": "genannt",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")


def to_german(text: str) -> str:
    """Put the commonest words into German; names and terms of the trade stay, as they do in German papers."""
    return _WORD.sub(lambda word: _TO_GERMAN.get(word[0].lower(), word[0]), text)
