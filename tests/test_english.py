"""How common words are in English at large."""

import pytest

from assistant.english import chunk_share, is_foreign
from assistant.text import stem


def test_shares_follow_how_common_words_are() -> None:
    shares = [chunk_share(stem(word)) for word in ("the", "people", "judge", "furniture")]
    assert shares == sorted(shares, reverse=True)
    assert 0.9 < shares[0] <= 1
    assert 0 < shares[-1] < 0.01


@pytest.mark.parametrize("word", ["dapo", "qwen2.5-32b", ""])
def test_what_is_no_common_word_has_none(word: str) -> None:
    assert chunk_share(word) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Welches Verfahren stellt den Trainingscode bereit?",
        "DAPO erreicht 50 Punkte auf AIME 2024 mit Qwen2.5-32B.",
        "¿Qué trabajo mide el sesgo de los modelos?",
        "Quel article propose une nouvelle façon de décoder ?",
        "DAPO 在 AIME 2024 上达到 50 分",
        "Какие статьи используют обучение с подкреплением?",
    ],
)
def test_other_languages_are_told_from_english(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "What does DAPO reach on AIME 2024?",
        "PyGDA datasets licences",
        "κ-NN graph, φ-Decoding, adaptive foresight sampling",
        "Mitochondria regulate homeostasis.",
        "DAPO",
        "",
    ],
)
def test_names_and_terms_alone_are_no_other_language(text: str) -> None:
    assert not is_foreign(text)
