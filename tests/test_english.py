"""How common words are in English at large."""

import pytest

from assistant.english import chunk_share
from assistant.text import stem


def test_shares_follow_how_common_words_are() -> None:
    shares = [chunk_share(stem(word)) for word in ("the", "people", "judge", "furniture")]
    assert shares == sorted(shares, reverse=True)
    assert 0.9 < shares[0] <= 1
    assert 0 < shares[-1] < 0.01


@pytest.mark.parametrize("word", ["dapo", "qwen2.5-32b", ""])
def test_what_is_no_common_word_has_none(word: str) -> None:
    assert chunk_share(word) == 0
