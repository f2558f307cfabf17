"""Token counts, and what stands in for them where the vocabulary is not to be had."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import tokens

_SPEC = importlib.util.find_spec("litellm")
VOCABULARY = Path(str(_SPEC.origin)).parent / "litellm_core_utils/tokenizers" if _SPEC else None

TEXTS = (
    "DAPO reaches 50 points on AIME 2024 with Qwen2.5-32B, outperforming DeepSeek-R1-Zero-Qwen-32B.",
    "def count(text: str) -> int:\n    return len(encoding.encode_ordinary(text))\n",
    "Größere Sprachmodelle lösen mathematische Aufgaben zuverlässiger.",
    "大規模言語モデルは数学の問題を解く。",
    "Крупные языковые модели решают задачи лучше.",
    r"$\mathcal{L}(\theta) = -\sum_{i} \log p_\theta(y_i \mid x_i)$",
    "https://arxiv.org/abs/2503.14476v2 🙂🙂 ½ ≤ α",
    "antidisestablishmentarianism pseudopseudohypoparathyroidism",
)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    tokens._encoding.cache_clear()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.skipif(VOCABULARY is None, reason="the vocabulary is not on this machine")
def test_the_estimate_is_from_above(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(VOCABULARY))
    assert tokens.count(text) <= tokens.estimate(text) <= 3 * tokens.count(text)


@pytest.mark.skipif(VOCABULARY is None, reason="the vocabulary is not on this machine")
def test_special_tokens_are_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(VOCABULARY))
    assert tokens.count("<|endoftext|>") > 1


def test_without_the_vocabulary_tokens_are_estimated_and_that_is_said_once(tmp_path: Path) -> None:
    code = (
        "import sys; sys.addaudithook(refuse)\n"
        "from assistant import tokens\n"
        "assert tokens.count('DAPO is open') == tokens.estimate('DAPO is open') == 3, tokens.count('x')\n"
        "tokens.count('again')"
    )
    refuse = (
        "def refuse(event, arguments):\n"
        "    if event == 'socket.getaddrinfo': raise OSError('no network')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", refuse + code],
        env={**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "tokens are estimated: tiktoken's o200k_base is not to be had here\n"


@given(st.text(max_size=200), st.text(max_size=200))
def test_an_estimate_of_two_texts_covers_each(first: str, second: str) -> None:
    whole = tokens.estimate(f"{first} {second}")
    assert whole >= max(tokens.estimate(first), tokens.estimate(second)) - 1


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("1234", 2), ("a b", 2), ("語", 2), ("αβγ", 2)],
)
def test_the_estimate_counts_letters_digits_and_marks(text: str, count: int) -> None:
    assert tokens.estimate(text) == count
