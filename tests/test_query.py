"""A question against the words of a library: names, weights and typing errors."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.query import Query, Vocabulary, analyse, looks_like_name, mend
from assistant.records import Paper
from assistant.text import word_spans
from conftest import MemoryIndex

ABSTRACTS = {
    "DAPO: An Open-Source System": "Reinforcement learning for reasoning along the mask of a start.",
    "SkyLadder: Better Pretraining": "Scheduling the context window speeds pretraining of models.",
    "RWKV-7 Goose": "State evolution of recurrent models, a benchmark of masses.",
    "φ-Decoding: Foresight": "Foresight sampling balances exploration and exploitation of models.",
}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return MemoryIndex(
        Paper(id=str(number), title=title, abstract=abstract)
        for number, (title, abstract) in enumerate(ABSTRACTS.items())
    )


class TestMend:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("reinforcemnt", "reinforcement"),
            ("reinforecment", "reinforcement"),
            ("renforcment", "reinforcement"),
            ("benchmrak", "benchmark"),
            ("pretrainnig", "pretraining"),
            ("skyladdr", "skyladder"),
            ("fouresight", "foresight"),
            ("contxet", "context"),
        ],
    )
    def test_corrects_a_misspelt_word(self, typed: str, meant: str, vocabulary: Vocabulary) -> None:
        assert mend(f"What is {typed}?", vocabulary) == f"What is {meant}?"

    @pytest.mark.parametrize(
        "word", ["among", "mass", "star", "stars", "gas", "model", "modelling", "GPT-5", "1234567"]
    )
    def test_leaves_other_words_alone(self, word: str, vocabulary: Vocabulary) -> None:
        assert mend(f"About {word}?", vocabulary) == f"About {word}?"

    def test_leaves_a_misspelling_alone_whose_stem_is_right(self, vocabulary: Vocabulary) -> None:
        (word,) = analyse("reinforcment", vocabulary).words
        assert (word.surface, word.known) == ("reinforcment", True)

    def test_leaves_words_alone_that_nothing_resembles(self, vocabulary: Vocabulary) -> None:
        assert (
            mend("photosynthesis in chloroplasts", vocabulary) == "photosynthesis in chloroplasts"
        )

    def test_corrects_nothing_in_an_empty_library(self) -> None:
        assert mend("reinforcment", MemoryIndex()) == "reinforcment"

    @given(st.text(st.sampled_from("aeinorstRφ-'.,? \n"), max_size=60))
    def test_changes_words_only(self, vocabulary: Vocabulary, question: str) -> None:
        assert _between_words(mend(question, vocabulary)) == _between_words(question)

    @given(st.lists(st.sampled_from(" ".join(ABSTRACTS.values()).replace(".", "").split())))
    def test_leaves_the_words_of_the_library_alone(
        self, vocabulary: Vocabulary, held: list[str]
    ) -> None:
        assert mend(" ".join(held), vocabulary) == " ".join(held)


class TestNames:
    @pytest.mark.parametrize(
        "word", ["DAPO", "MetaLadder", "RWKV-7", "Florenz", "GPT-4o", "o1", "LLMs"]
    )
    def test_are_written_with_capitals_or_digits(self, word: str) -> None:
        assert looks_like_name(word, first=False)

    @pytest.mark.parametrize("word", ["Which", "Models"])
    def test_a_capital_at_the_beginning_makes_none(self, word: str) -> None:
        assert not looks_like_name(word, first=True)

    @pytest.mark.parametrize("word", ["DAPO", "MetaLadder", "RWKV-7"])
    def test_inner_capitals_make_one_at_the_beginning_too(self, word: str) -> None:
        assert looks_like_name(word, first=True)

    @pytest.mark.parametrize("word", ["2024", "3.5", "2nd", "10x", "3D", "60s", "model"])
    def test_counts_and_plain_words_are_none(self, word: str) -> None:
        assert not looks_like_name(word, first=False)


class TestAnalyse:
    def test_drops_stop_words_and_repetitions(self, vocabulary: Vocabulary) -> None:
        query = analyse("What are the models, and the MODELS of state?", vocabulary)
        assert [word.surface for word in query.words] == ["models", "state"]

    def test_places_each_word_in_the_mended_text(self, vocabulary: Vocabulary) -> None:
        query = analyse("the reinforcemnt of contxet windows", vocabulary)
        assert [query.text[slice(*word.span)] for word in query.words] == [
            "reinforcement", "context", "windows",
        ]  # fmt: skip

    def test_weighs_a_rarer_word_more(self, vocabulary: Vocabulary) -> None:
        models, foresight = analyse("models foresight", vocabulary).words
        assert 0 < models.weight < foresight.weight < 1

    def test_gives_an_unknown_word_the_whole_weight(self, vocabulary: Vocabulary) -> None:
        (word,) = analyse("zebrafish", vocabulary).words
        assert (word.known, word.weight) == (False, 1.0)

    def test_knows_a_compound_whose_parts_it_knows(self, vocabulary: Vocabulary) -> None:
        (word,) = analyse("context-window", vocabulary).words
        assert word.known

    def test_knows_a_name_written_apart_or_together(self, vocabulary: Vocabulary) -> None:
        (word,) = analyse("RWKV7", vocabulary).words
        assert word.known

    def test_marks_words_that_every_question_may_hold(self, vocabulary: Vocabulary) -> None:
        query = analyse("papers that propose foresight", vocabulary)
        assert [word.surface for word in query.words if word.asking] == ["papers", "propose"]

    def test_tells_names_that_no_paper_holds(self, vocabulary: Vocabulary) -> None:
        query = analyse("Does DAPO beat PPO or AlphaFold?", vocabulary)
        assert query.unknown_names == ("PPO", "AlphaFold")

    def test_searches_every_term_alike(self, vocabulary: Vocabulary) -> None:
        query = analyse("SWEET-RL models", vocabulary)
        assert query.weights == {"sweet": 1.0, "rl": 1.0, "sweetrl": 1.0, "model": 1.0}

    def test_a_word_neither_here_nor_in_english_weighs_most(self) -> None:
        assert [word.weight for word in analyse("DAPO", MemoryIndex()).words] == [1.0]

    def test_what_is_common_in_english_weighs_less_even_where_the_library_is_empty(self) -> None:
        query: Query = analyse("people judge DAPO", MemoryIndex())
        common, rarer, unknown = (word.weight for word in query.words)
        assert 0 < common < rarer < unknown == 1

    @given(st.text(max_size=60))
    @example("ﹰ")  # a letter's mark alone: a word by its category, and nothing once it is folded
    def test_takes_any_text(self, vocabulary: Vocabulary, question: str) -> None:
        query = analyse(question, vocabulary)
        assert all(word.terms and 0 < word.weight <= 1 for word in query.words)


def _between_words(text: str) -> list[str]:
    ends = [0, *(bound for span in word_spans(text) for bound in span), len(text)]
    return [text[begin:end] for begin, end in zip(ends[::2], ends[1::2], strict=True)]
