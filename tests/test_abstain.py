"""Whether evidence answers a question, and the reason if not."""

import numpy as np
import pytest

from assistant.answer.abstain import (
    NAMED,
    UNNAMED,
    Model,
    Signals,
    answers,
    asks_quantity,
    log_odds,
    measure,
    reason,
)
from assistant.answer.evidence import Evidence, Sentence
from assistant.query import Query, analyse
from assistant.records import Chunk, Paper, Passage
from assistant.text import Span
from conftest import MemoryIndex

INDEX = MemoryIndex(
    [Paper(id="dapo", title="DAPO: RL", abstract="DAPO trains models with a clipped loss.")]
)
STRONG = Signals(
    attributes=0.9, similarity=0.8, missing=0.0, unknown_name=0.0, quantity=0.0, stated=2.0
)


def ask(question: str) -> Query:
    return analyse(question, INDEX)


def evidence(
    matches: list[float], *, title: str = "DAPO: RL", similarity: float = 0.5, stated: float = 0.0
) -> Evidence:
    text = "DAPO trains models."
    chunk = Chunk(id="c", paper_id="dapo", source="abstract", text=text, start=0, end=len(text))
    passage = Passage(rank=1, chunk=chunk, title=title, url=None, score=1.0)
    array = np.array(matches, dtype=np.float32)
    sentence = Sentence(passage, Span(0, len(text)), text, array, similarity, 0.5, array, stated)
    return Evidence(passage, (sentence,), array, 0.5, array, array)


class TestMeasure:
    def test_attributes_leave_out_what_names_the_paper(self) -> None:
        query = ask("Which loss has DAPO?")
        loss, dapo = query.words
        signals = measure(query, [evidence([0.4, 1.0])], [dapo])
        assert (loss.surface, signals.attributes) == ("loss", pytest.approx(0.4))

    def test_a_question_of_a_name_alone_has_all_attributes(self) -> None:
        query = ask("What is DAPO?")
        assert measure(query, [evidence([1.0])], query.words).attributes == 1

    def test_the_best_match_of_all_evidence_counts(self) -> None:
        signals = measure(ask("clipped loss"), [evidence([1.0, 0.0]), evidence([0.0, 1.0])], [])
        assert signals.attributes == pytest.approx(1)

    def test_the_similarity_is_that_of_the_best_sentence(self) -> None:
        found = [evidence([1.0], similarity=0.2), evidence([1.0], similarity=0.7)]
        assert measure(ask("loss"), found, []).similarity == 0.7

    def test_the_sentence_that_most_likely_states_it_counts(self) -> None:
        found = [evidence([1.0], stated=-3.0), evidence([1.0], stated=1.5)]
        assert measure(ask("loss"), found, []).stated == 1.5

    def test_words_matched_by_half_are_not_missing(self) -> None:
        assert measure(ask("clipped loss"), [evidence([0.5, 0.9])], []).missing == 0

    def test_words_matched_by_less_are_missing(self) -> None:
        query = ask("clipped loss")
        clipped, loss = (word.weight for word in query.words)
        signals = measure(query, [evidence([0.0, 1.0])], [])
        assert signals.missing == pytest.approx(clipped / (clipped + loss) / 2)

    def test_an_unknown_name_counts_if_nothing_resembles_it(self) -> None:
        query = ask("loss of AlphaFold")
        assert measure(query, [evidence([1.0, 0.1])], []).unknown_name == 1
        assert measure(query, [evidence([1.0, 0.9])], []).unknown_name == 0

    def test_a_coined_name_tells_more_than_a_capital(self) -> None:
        coined, capital = (
            measure(ask(question), [evidence([1.0, 0.1])], []).unknown_name
            for question in ("loss of AlphaFold", "loss of Zebra")
        )
        assert coined > capital > 0

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            ("How many GPUs?", True),
            ("What percentage is gained?", True),
            ("the NUMBER OF tasks", True),
            ("Which method is used?", False),
            ("How does it work?", False),
        ],
    )
    def test_a_question_for_a_number_is_known(self, question: str, expected: bool) -> None:
        assert asks_quantity(ask(question)) is expected


class TestDecision:
    @pytest.mark.parametrize("named", [True, False])
    def test_strong_evidence_is_an_answer(self, named: bool) -> None:
        assert answers(STRONG, named=named)

    @pytest.mark.parametrize("named", [True, False])
    @pytest.mark.parametrize(
        "worse",
        [
            STRONG._replace(
                attributes=0.5, similarity=0.3, missing=0.1, unknown_name=1.0, stated=-2.0
            ),
            STRONG._replace(missing=0.5, attributes=0.1, similarity=0.1, stated=-2.0),
        ],
        ids=["an unknown name", "nothing matched"],
    )
    def test_weak_evidence_is_none(self, worse: Signals, named: bool) -> None:
        assert not answers(worse, named=named)

    @pytest.mark.parametrize("model", [NAMED, UNNAMED], ids=["named", "unnamed"])
    @pytest.mark.parametrize("signal", ["attributes", "similarity"])
    def test_more_of_what_speaks_for_an_answer_helps(self, signal: str, model: Model) -> None:
        less = STRONG._replace(**{signal: 0.1})
        assert log_odds(less, model) < log_odds(STRONG, model)

    def test_more_is_asked_of_a_full_text_where_no_paper_is_named(self) -> None:
        weak = STRONG._replace(similarity=0.2, attributes=0.5)
        assert answers(weak, named=False)
        assert not answers(weak, named=False, full_text=True)
        assert answers(weak, named=True) == answers(weak, named=True, full_text=True)
        assert answers(STRONG, named=False, full_text=True)

    def test_a_paper_that_is_named_must_state_what_is_asked(self) -> None:
        assert not answers(STRONG._replace(attributes=0.6, similarity=0.6, stated=-4), named=True)

    @pytest.mark.parametrize(
        ("signal", "model"),
        [
            ("missing", UNNAMED),
            ("unknown_name", NAMED),
            ("unknown_name", UNNAMED),
            ("quantity", NAMED),
            ("quantity", UNNAMED),
        ],
    )
    def test_more_of_what_speaks_against_it_hurts(self, signal: str, model: Model) -> None:
        more = STRONG._replace(**{signal: 1.0})
        assert log_odds(more, model) < log_odds(STRONG, model)


class TestReason:
    def test_names_what_no_paper_mentions(self) -> None:
        given = reason(ask("loss of AlphaFold"), [evidence([0.9, 0.1])], named=False)
        assert given == "No paper in the library mentions “AlphaFold”."

    def test_names_what_the_paper_does_not_say(self) -> None:
        given = reason(ask("DAPO salaries"), [evidence([1.0, 0.1])], named=True)
        assert (
            given == "The text of “DAPO: RL” in the library does not say anything about “salaries”."
        )

    def test_names_what_no_paper_deals_with_worst_first(self) -> None:
        given = reason(ask("oaks elms"), [evidence([0.3, 0.1])], named=False)
        assert given == "No paper in the library deals with “elms” and “oaks”."

    def test_lists_three_things_at_most(self) -> None:
        given = reason(ask("oaks elms ashes pines"), [], named=False)
        assert given == "No paper in the library deals with “oaks”, “elms” and “ashes”."

    def test_without_anything_missing_is_general(self) -> None:
        given = reason(ask("loss"), [evidence([0.9])], named=False)
        assert given == "No passage in the library answers this."
