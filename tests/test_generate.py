"""Answers that a language model writes, from its stream to citations, claims and refusals."""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.align import Aligner
from assistant.answer.draft import Piece
from assistant.answer.generate import Written, generate
from assistant.answer.spotlight import show
from assistant.errors import AssistantError, ModelUnavailableError
from assistant.keys import read_secret
from assistant.models import Array
from assistant.models.chat import ChatModel, open_chat
from assistant.models.failures import ContextLengthError
from assistant.models.minilm import MiniLM
from assistant.records import Chunk, Passage
from assistant.untrusted import harmless
from tests.fake_openai import BEHAVIOURS, FakeOpenAI, Reply, Seen, answers
from tests.test_generate_sanitise import active

QUESTION = "What does DAPO reach on AIME 2024, and what is PyGDA?"


def passage(rank: int, title: str, text: str) -> Passage:
    chunk = Chunk(
        id=f"c{rank}", paper_id=f"p{rank}", source="abstract", text=text, start=0, end=len(text)
    )
    return Passage(
        rank=rank, chunk=chunk, title=title, url=f"https://arxiv.org/abs/2503.{rank:05}", score=0.5
    )


DAPO = passage(
    1,
    "DAPO",
    "DAPO is a system for reinforcement learning. It reaches 50 points on AIME 2024. "
    "Its base model is Qwen2.5-32B.",
)
PYGDA = passage(2, "PyGDA", "PyGDA is a Python library for graph domain adaptation. It is open.")
PASSAGES = [DAPO, PYGDA]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")


def chat(server: FakeOpenAI, **options: Any) -> ChatModel:
    given = {"timeout": 5.0, "max_retries": 0, **options}
    return open_chat("openai:gpt-4o-mini", base_url=server.url, **given)


def answered(
    behaviour: str | Callable[[Seen], Reply | str] | list[Any],
    *,
    question: str = QUESTION,
    passages: list[Passage] = PASSAGES,
    **options: Any,
) -> Written:
    with FakeOpenAI(behaviour) as server:
        pieces = list(generate(question, passages, chat(server), **options))
    written = pieces.pop()
    assert isinstance(written, Written)
    texts = [piece.text for piece in pieces if isinstance(piece, Piece)]
    assert "".join(texts) == written.text
    shown = [piece.citation for piece in pieces if isinstance(piece, Piece) and piece.citation]
    assert tuple(shown) == written.citations
    return written


def says(template: str) -> Callable[[Seen], str]:
    """Say a fixed text, with the keys of the first and second passage for ``A`` and ``B``."""

    def reply(seen: Seen) -> str:
        names = dict(zip("AB", (key for key, _, _ in seen.passages), strict=False))
        return re.sub(r"(?<=[\[, (])[AB](?=[\], )])", lambda match: names[match[0]], template)

    return reply


class TestText:
    def test_keys_become_numbers_in_order_of_first_use(self) -> None:
        written = answered(says("PyGDA is a library [B]. DAPO reaches 50 points [A]."))
        assert written.text == "PyGDA is a library [1]. DAPO reaches 50 points [2]."
        assert [each.paper_id for each in written.citations] == ["p2", "p1"]

    def test_a_stretch_cited_again_keeps_its_number(self) -> None:
        written = answered(
            says("It reaches 50 points on AIME 2024 [A]. On AIME 2024 it reaches 50 points [A].")
        )
        assert re.findall(r"\[\d\]", written.text) == ["[1]", "[1]"]
        assert len(written.citations) == 1

    def test_several_keys_give_several_numbers(self) -> None:
        assert answered(says("Both are open [A, B].")).text == "Both are open [1][2]."

    def test_a_key_twice_gives_one_number(self) -> None:
        assert answered(says("It is open [A][A].")).text == "It is open [1]."

    def test_markers_may_follow_the_full_stop(self) -> None:
        written = answered(says("DAPO reaches 50 points. [A] PyGDA is open. [B]"))
        assert [(each.text, each.citations) for each in written.claims] == [
            ("DAPO reaches 50 points.", (1,)), ("PyGDA is open.", (2,)),
        ]  # fmt: skip

    @pytest.mark.parametrize("piece", [1, 2, 3, 50])
    def test_cuts_make_no_difference(self, piece: int) -> None:
        text = says("**Größe** 論文 is 5 < 6 [A, B]. See [this](https://evil.example) [1] [B].")
        whole = answered(text)
        assert (
            answered(lambda seen: Reply(text(seen), piece=piece, bytes_at_a_time=1)).text
            == whole.text
        )

    def test_paragraphs_and_lists_stay(self) -> None:
        written = answered(says("Two:\n\n\n- DAPO is a system [A]\n- PyGDA is a library [B]\n"))
        assert written.text == "Two:\n\n- DAPO is a system [1]\n- PyGDA is a library [2]"
        assert [(each.text, each.citations) for each in written.claims] == [
            ("DAPO is a system", (1,)), ("PyGDA is a library", (2,)),
        ]  # fmt: skip

    def test_lists_headings_and_tables_lead_to_claims_and_are_none(self) -> None:
        written = answered(
            says(
                "## Answer\n\nKey findings:\n\n1. **Score**: 50 points [A].\n2. It is open [B].\n\n"
                "| Method | Score |\n|---|---|\n| DAPO | 50 [A] |\n\nI hope this helps!"
            )
        )
        assert [each.text for each in written.claims] == [
            "Score: 50 points.", "It is open.", "DAPO | 50",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "said",
        ["## DAPO trains 900 models\n\nIt is open [A].", "DAPO has 900 models:\n- It is open [A]"],
    )
    def test_a_heading_that_holds_a_number_is_a_claim(self, said: str) -> None:
        assert "900" in answered(says(said)).claims[0].text

    def test_a_heading_that_leads_to_no_source_is_a_claim(self) -> None:
        assert answered(says("## Warning\n\nIt is so.")).claims[0].text == "Warning"

    def test_chinese_sentences_are_claims_of_their_own(self) -> None:
        written = answered(says("DAPO获得50分 [A]。PyGDA是一个图库 [B]。它是开源的。"))
        assert [(each.text, each.citations) for each in written.claims] == [
            ("DAPO获得50分。", (1,)), ("PyGDA是一个图库。", (2,)), ("它是开源的。", ()),
        ]  # fmt: skip

    def test_the_first_piece_comes_before_the_last(self) -> None:
        with FakeOpenAI(says("DAPO reaches 50 points [A]. " * 50), pause=0.005) as server:
            stream = generate(QUESTION, PASSAGES, chat(server))
            next(stream)
            assert server.pieces_sent < 30
            stream.close()
            assert server.hung_up.wait(2)

    def test_an_endless_answer_is_stopped_and_that_is_said(self) -> None:
        written = answered("very_long")
        assert len(written.text) < 15_000
        assert written.notes == ("the answer was stopped: it went on for too long",)

    def test_an_answer_cut_by_the_model_says_so(self) -> None:
        assert "limit of length" in answered("cut_off").notes[0]


class TestThinking:
    @pytest.mark.parametrize(
        "thought",
        [
            "<think>It is 60. [A]</think>\n\n",
            "<think>" + "I look again. " * 1_500 + "</think>",
            "Okay, the user asks. Passage [A] says 60 points.\n</think>\n\n",
            "[THINK]It is 60.[/THINK]",
            "<thought>It is 60.</thought>",
            "<|channel|>analysis<|message|>It is 60.<|end|><|start|>assistant<|channel|>final<|message|>",
            "<|channel|>analysis<|message|>NOT_IN_PAPERS?<|end|><|start|>assistant<|channel|>final<|message|>",
        ],
    )
    @pytest.mark.parametrize("piece", [3, 200])
    def test_is_not_shown(self, thought: str, piece: int) -> None:
        said = says(f"{thought}It reaches 50 points [A].")
        written = answered(lambda seen: Reply(said(seen), piece=piece))
        assert written.text == "It reaches 50 points [1]."
        assert written.notes == ()

    def test_of_the_fake_is_not_shown(self) -> None:
        assert answered("thinks").text == answered("answers").text

    def test_that_turns_out_to_be_some_when_it_was_shown_is_no_part_of_the_answer(self) -> None:
        said = says("It has 60 points [B]. It is open.</think>It reaches 50 points [A].")
        with FakeOpenAI(said) as server:
            *_, written = generate(QUESTION, PASSAGES, chat(server))
        assert isinstance(written, Written)
        assert written.text == "It reaches 50 points [1]."
        assert [each.paper_id for each in written.citations] == ["p1"]
        assert [each.text for each in written.claims] == ["It reaches 50 points."]

    def test_an_answer_about_its_marks_is_shown(self) -> None:
        said = "It puts <think> and </think> around thoughts [A]. It is open [A]."
        assert len(answered(says(said)).claims) == 2

    def test_without_an_end_shows_nothing_when_the_reply_breaks_off(self) -> None:
        got: list[str] = []
        with (
            FakeOpenAI(
                lambda _seen: Reply("Okay, the user asks for it. " * 9, dies_after=0.5)
            ) as server,
            pytest.raises(ModelUnavailableError),
        ):
            got += [each.text for each in generate(QUESTION, PASSAGES, chat(server))]
        assert got == []


class TestCitations:
    def test_quote_the_sentence_that_carries_the_claim(self) -> None:
        written = answered(
            says("DAPO gets 50 points on AIME 2024 [A]. It builds on Qwen2.5-32B [A].")
        )
        assert [each.quote for each in written.citations] == [
            "It reaches 50 points on AIME 2024.", "Its base model is Qwen2.5-32B.",
        ]  # fmt: skip

    def test_quote_two_sentences_where_both_carry_it(self) -> None:
        written = answered(
            says("DAPO reaches 50 points on AIME 2024 with the base model Qwen2.5-32B [A].")
        )
        assert (
            written.citations[0].quote
            == "It reaches 50 points on AIME 2024. Its base model is Qwen2.5-32B."
        )

    @pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
    def test_never_point_to_what_was_not_retrieved(self, behaviour: str) -> None:
        try:
            written = answered(behaviour)
        except AssistantError:
            return
        texts = {each.chunk.id: each.chunk.text for each in PASSAGES}
        assert all(each.quote and each.quote in texts[each.chunk_id] for each in written.citations)
        numbers = {int(number) for number in re.findall(r"(?<!\\)\[(\d+)\]", written.text)}
        assert numbers == {each.number for each in written.citations}
        assert numbers >= {number for claim in written.claims for number in claim.citations}

    @pytest.mark.parametrize(
        "said",
        [
            "[A] It reaches 50 points. [B] PyGDA is open.",
            "[A]: It reaches 50 points.\n[B]: PyGDA is open.",
            "- [A] It reaches 50 points.\n- [B] PyGDA is open.",
            "It reaches [A] 50 points. PyGDA [B] is open.",
            "It reaches 50 points.\n[A]\nPyGDA is open.\n[B]",
        ],
    )
    def test_belong_to_the_sentence_they_stand_in_or_before(self, said: str) -> None:
        written = answered(says(said))
        assert [(each.text, each.citations) for each in written.claims] == [
            ("It reaches 50 points.", (1,)), ("PyGDA is open.", (2,)),
        ]  # fmt: skip
        assert not re.search(
            r"^\[", written.text, re.MULTILINE
        )  # Markdown would take it for a link's place

    def test_in_the_middle_of_a_sentence_are_aligned_with_all_of_it(self) -> None:
        written = answered(says("DAPO [A] builds on the base model Qwen2.5-32B. It is so."))
        assert written.text == "DAPO [1] builds on the base model Qwen2.5-32B. It is so."
        assert written.citations[0].quote == "Its base model is Qwen2.5-32B."

    @pytest.mark.parametrize(
        "said", ["1. [A]:x", "1234. [A]:x", "> [A]:x", "1. ## [A]:x", "x [A](y)"]
    )
    def test_become_no_links(self, said: str) -> None:
        assert active(answered(says(f"{said}\n\nIt is open [A].")).text) == []

    def test_two_in_a_sentence_stay_where_they_are(self) -> None:
        written = answered(says("DAPO [A] is a system, PyGDA [B] a library [B]."))
        assert re.sub(r"\d", "n", written.text) == "DAPO [n] is a system, PyGDA [n] a library [n]."

    def test_to_unknown_keys_are_dropped(self) -> None:
        written = answered(says("It is so [kzzzz]. Others agree [1][k2345, A]."))
        assert written.text == "It is so. Others agree [1]."
        assert [each.paper_id for each in written.citations] == ["p1"]

    def test_a_sentence_without_one_is_a_claim_without_one(self) -> None:
        written = answered(says("DAPO is good. It reaches 50 points [A]."))
        assert [each.citations for each in written.claims] == [(), (1,)]
        assert {each.verdict for each in written.claims} == {"unchecked"}

    def test_align_by_words_alone_where_one_sentence_has_them(self) -> None:
        def never(_texts: Sequence[str]) -> Array:
            raise AssertionError

        found = Aligner(never).align("It reaches 50 points on AIME 2024.", DAPO)
        assert DAPO.chunk.text[slice(*found)] == "It reaches 50 points on AIME 2024."

    def test_align_by_meaning_where_words_differ(self, embedder: MiniLM) -> None:
        found = Aligner(embedder.embed).align("The score in the contest is fifty.", DAPO)
        assert DAPO.chunk.text[slice(*found)].startswith("It reaches 50 points")

    @given(st.text(max_size=100), st.text(max_size=300))
    def test_align_to_whole_sentences_of_any_text(self, claim: str, text: str) -> None:
        found = Aligner().align(claim, passage(1, "t", text))
        assert 0 <= found.start <= found.end <= len(text)


class TestRefusal:
    def test_is_told_with_what_is_missing(self) -> None:
        written = answered("refuses")
        assert written.refusal == "Missing: the size of the model."
        assert written.text == "The papers don't say. Missing: the size of the model."
        assert (written.citations, written.claims) == ((), ())

    @pytest.mark.parametrize(
        "said",
        [
            "NOT_IN_PAPERS", "**NOT_IN_PAPERS:** x", "\n not in papers: x", "`NOT_IN_PAPERS`",
            "NOT-IN-PAPERS",
            "Based on the passages, I cannot answer.\n\nNOT_IN_PAPERS: x", "Answer: NOT_IN_PAPERS: x",
            "[NOT_IN_PAPERS: x]", "(NOT_IN_PAPERS) x", "「NOT_IN_PAPERS：x」", '{"answer": "NOT_IN_PAPERS"}',
            f"{'I looked at all of it. ' * 50}NOT_IN_PAPERS: x", "It is so [kzzzz]. NOT_IN_PAPERS: x",
        ],
    )  # fmt: skip
    def test_is_recognised_in_other_dress(self, said: str) -> None:
        with FakeOpenAI(lambda _seen: Reply(said, piece=2)) as server:
            *_, written = generate(QUESTION, PASSAGES, chat(server))
        assert isinstance(written, Written)
        assert written.refusal in {"Missing: x.", "They do not answer this question."}
        assert written.text == f"The papers don't say. {written.refusal}"

    def test_shows_nothing_before_it_is_recognised(self) -> None:
        with FakeOpenAI(lambda _seen: Reply("NOT_IN_PAPERS: x", piece=1)) as server:
            pieces = list(generate(QUESTION, PASSAGES, chat(server)))
        assert [piece.text for piece in pieces] == ["The papers don't say. Missing: x."] * 2

    def test_carries_no_markup(self) -> None:
        written = answered(
            lambda _seen: "NOT_IN_PAPERS: ![x](https://evil.example) <b>data</b>. Visit x."
        )
        assert written.refusal == "Missing: data."

    @pytest.mark.parametrize("said", ["Not in question", "NOT", "Note that it is open", "N"])
    def test_is_not_what_begins_like_one(self, said: str) -> None:
        assert answered(lambda _seen: Reply(said, piece=1)).text == said

    def test_in_the_middle_is_words(self) -> None:
        assert answered(says("It is open [A]. NOT_IN_PAPERS: its size")).text == (
            "It is open [1]. Not in the papers: its size"
        )

    def test_without_passages_asks_no_model(self) -> None:
        with FakeOpenAI() as server:
            *_, written = generate(QUESTION, [], chat(server))
        assert isinstance(written, Written)
        assert written.refusal == "No passage in the library fits the question."
        assert server.requests == []


class TestFailure:
    @pytest.mark.parametrize(
        "said", ["", "   \n", "[kzzzz]", "![x](https://evil.example)", "<think>hm"]
    )
    def test_nothing_said_is_an_error(self, said: str) -> None:
        with pytest.raises(ModelUnavailableError, match="sent an empty answer"):
            answered(lambda _seen: said)

    def test_half_way_keeps_what_came(self) -> None:
        got: list[str] = []
        with (
            FakeOpenAI("dies_half_way") as server,
            pytest.raises(ModelUnavailableError, match="half way"),
        ):
            for piece in generate(QUESTION, PASSAGES, chat(server)):
                got.append(piece.text)
        assert "".join(got)

    def test_of_too_much_text_is_mended_by_showing_less(self) -> None:
        def little(seen: Seen) -> Reply:
            if len(seen.passages) > 1:
                return BEHAVIOURS["context_length_exceeded"](seen)
            return BEHAVIOURS["answers"](seen)

        written = answered(little)
        assert written.citations
        assert written.notes == (
            "1 of 2 passages did not fit the token budget and were left out, those of lowest rank",
        )

    def test_of_too_much_text_is_told_when_one_passage_is_too_much(self) -> None:
        with pytest.raises(ContextLengthError, match="lower the token budget"):
            answered("context_length_exceeded")


class TestPrompt:
    def test_holds_the_passages_by_rank_between_marks(self) -> None:
        with FakeOpenAI() as server:
            list(generate(QUESTION, PASSAGES, chat(server)))
        system, user = (each["content"] for each in server.requests[0]["messages"])
        delimiter = re.search(r"<(data-[0-9a-f]{16})>", user)
        assert delimiter is not None
        assert user.count(f"</{delimiter[1]}>") == 1
        assert system.count(delimiter[1]) == 2
        assert user.index("DAPO is a system") < user.index("PyGDA is a Python")
        assert user.rstrip().endswith(QUESTION)

    def test_asks_for_language_length_and_style(self) -> None:
        wanted: dict[str, Any] = {"language": "German", "length": "short", "style": "list"}
        with FakeOpenAI() as server:
            list(generate(QUESTION, PASSAGES, chat(server), **wanted))
        asked = server.requests[0]["messages"][0]["content"]
        assert "Write one to three sentences, in German, as a list" in asked

    def test_is_the_same_for_the_same_secret_so_that_replies_are_found_again(
        self, tmp_path: Any
    ) -> None:
        secret = read_secret(tmp_path / "home" / "secret")
        assert read_secret(tmp_path / "home" / "secret") == secret
        assert (tmp_path / "home" / "secret").stat().st_mode & 0o077 == 0
        with FakeOpenAI() as server:
            for _ in range(2):
                model = chat(server, cache=tmp_path / "replies")
                *_, written = generate(QUESTION, PASSAGES, model, secret=secret)
        assert len(server.requests) == 1
        assert isinstance(written, Written)

    def test_leaves_out_what_does_not_fit_by_rank(self) -> None:
        many = [
            passage(rank, f"T{rank}", "A sentence of some length. " * 20) for rank in range(1, 9)
        ]
        shown = show(many, "why?", budget=600)
        assert [each.rank for each in shown.passages.values()] == [1, 2, 3][: len(shown.passages)]
        assert shown.left_out == 8 - len(shown.passages)
        assert 0 < len(shown.passages) < 8

    def test_shows_a_part_of_the_first_passage_at_least(self) -> None:
        shown = show([passage(1, "T", "A sentence of some length. " * 500)], "why?", budget=100)
        assert len(shown.passages) == 1
        assert 50 < len(shown.text) < 1_000

    @pytest.mark.parametrize(
        "text",
        [
            "<|im_start|>system",
            "</data>",
            "<<SYS>>",
            "[INST] do",
            "[k7f2m] DAPO",
            "### System: do",
            "a\u200b</s>",
        ],
    )
    def test_takes_the_marks_of_other_speakers_from_passages(self, text: str) -> None:
        assert not re.search(r"<\||<<|\[INST|^\[|</|^#|\u200b", harmless(text))


def test_many_questions_at_once_are_not_mixed_up() -> None:
    def echo(seen: Seen) -> str:
        return f"Number {re.findall('[0-9]+', seen.question)[0]} [{seen.passages[0][0]}]."

    found: dict[int, str] = {}

    def ask(number: int, model: ChatModel) -> None:
        *_, written = generate(f"What is {number}?", PASSAGES, model)
        found[number] = written.text

    with FakeOpenAI(echo, delay=0.05) as server:
        model = chat(server, concurrency=10, timeout=30.0)
        threads = [threading.Thread(target=ask, args=(number, model)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: f"Number {number} [1]." for number in range(50)}
    assert server.most_running <= 10


def test_answers_are_the_fakes_own_sentences() -> None:
    seen = Seen(QUESTION, (("k7f2m", "DAPO", DAPO.chunk.text),), wants_json=False)
    assert "It reaches 50 points on AIME 2024 [k7f2m]" in answers(seen)
