"""Conversations outlive the process, lose nothing to each other, and are reached by their id alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.conversations import (
    Conversation,
    ConversationStore,
    Exchange,
    Feedback,
    new_id,
    now,
    shorten,
    to_bibtex,
    to_json,
    to_markdown,
)
from assistant.errors import NotFoundError, StorageError
from assistant.records import Answer, Citation, Paper, Timings, Turn, Usage


def exchange(question: str = "What is DAPO?", *, text: str = "A system [1].") -> Exchange:
    citation = Citation(
        number=1, paper_id="2503.14476", title="DAPO <b>", url=None, source="pdf", page_first=3, page_last=4,
        section="2 Method", quote="a *system*", boxes=(), chunk_id="c", score=1.0,
    )  # fmt: skip
    answer = Answer(
        question=question, standalone_question=question, answer=text, refused=False, refusal_reason=None,
        citations=(citation,), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Exchange(
        id=new_id(), question=question, asked=now(), text=text, citations=(citation,), answer=answer
    )


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations")


def test_an_empty_home_has_no_conversations_and_gets_no_folder(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "conversations")
    assert store.list().entries == ()
    assert not (tmp_path / "conversations").exists()


def test_what_was_kept_is_there_for_another_process(
    store: ConversationStore, tmp_path: Path
) -> None:
    asked = exchange()
    store.add("0" * 16, asked)
    again = ConversationStore(tmp_path / "conversations").get("0" * 16)
    assert again.exchanges == (asked,)


def test_an_exchange_is_replaced_in_its_place(store: ConversationStore) -> None:
    asked, other = exchange(), exchange()
    store.add("0" * 16, asked.model_copy(update={"answer": None, "text": ""}))
    store.add("0" * 16, other)
    store.replace("0" * 16, asked)
    assert store.get("0" * 16).exchanges == (asked, other)


def test_what_was_deleted_does_not_come_back_with_a_late_answer(
    store: ConversationStore, tmp_path: Path
) -> None:
    asked = exchange()
    store.add("0" * 16, asked)
    store.delete("0" * 16)
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.replace("0" * 16, asked)
    assert not list((tmp_path / "conversations").glob("*.json"))


def test_the_first_question_names_a_conversation_until_somebody_does(
    store: ConversationStore,
) -> None:
    store.add("0" * 16, exchange("What is DAPO?"))
    assert store.list().entries[0].title == "What is DAPO?"
    store.rename("0" * 16, "Reinforcement\nlearning")
    assert store.list().entries[0].title == "Reinforcement learning"
    store.rename("0" * 16, " ")
    assert store.list().entries[0].title == "What is DAPO?"


def test_the_newest_comes_first_and_search_looks_into_answers(store: ConversationStore) -> None:
    store.add("0" * 16, exchange("First?", text="It speaks of Décoding."))
    store.add("1" * 16, exchange("Second?"))
    assert [entry.id for entry in store.list().entries] == ["1" * 16, "0" * 16]
    assert [entry.id for entry in store.list("decoding FIRST").entries] == ["0" * 16]
    assert store.list("nowhere").entries == ()


def test_a_deleted_conversation_is_gone_and_deleting_twice_is_no_error(
    store: ConversationStore,
) -> None:
    store.add("0" * 16, exchange())
    store.delete("0" * 16)
    store.delete("0" * 16)
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.get("0" * 16)


def test_feedback_is_kept_with_its_answer(store: ConversationStore) -> None:
    asked = exchange()
    store.add("0" * 16, asked)
    store.comment("0" * 16, asked.id, Feedback(vote="down", comment="misses the point"))
    assert store.get("0" * 16).exchanges[0].feedback.comment == "misses the point"


def test_only_whole_answers_are_turns_of_the_conversation() -> None:
    stopped = exchange("Stopped?").model_copy(update={"answer": None})
    conversation = Conversation(
        id="0" * 16, created=now(), updated=now(), exchanges=(stopped, exchange("Whole?"))
    )
    assert conversation.turns() == [
        Turn(role="user", content="Whole?"),
        Turn(role="assistant", content="A system [1]."),
    ]


@pytest.mark.parametrize(
    "named", ["../../etc/passwd", "", "0" * 15, "g" * 16, "0" * 15 + "/", "٠" * 16]
)
def test_an_id_reaches_nothing_outside_the_folder(store: ConversationStore, named: str) -> None:
    with pytest.raises(NotFoundError):
        store.get(named)
    with pytest.raises(NotFoundError):
        store.delete(named)
    with pytest.raises(NotFoundError):
        store.add(named, exchange())


def test_a_damaged_file_is_named_and_left_alone(store: ConversationStore, tmp_path: Path) -> None:
    store.add("0" * 16, exchange())
    broken = tmp_path / "conversations" / f"{'1' * 16}.json"
    broken.write_text('{"id": 1')
    listing = store.list()
    assert [entry.id for entry in listing.entries] == ["0" * 16]
    assert str(broken) in listing.damaged[0]
    with pytest.raises(StorageError, match="Move the file away"):
        store.add("1" * 16, exchange())
    assert broken.read_text() == '{"id": 1'


def test_a_file_under_another_ones_name_is_not_taken_for_it(
    store: ConversationStore, tmp_path: Path
) -> None:
    store.add("0" * 16, exchange())
    folder = tmp_path / "conversations"
    (folder / f"{'1' * 16}.json").write_bytes((folder / f"{'0' * 16}.json").read_bytes())
    with pytest.raises(StorageError, match="another conversation"):
        store.get("1" * 16)


def test_sessions_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    stores = [ConversationStore(tmp_path / "conversations") for _ in range(4)]
    asked = [exchange(f"Question {number}?") for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: stores[each[0] % 4].add("0" * 16, each[1]), enumerate(asked)))
    kept = stores[0].get("0" * 16).exchanges
    assert {each.id for each in kept} == {each.id for each in asked}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "conversations").write_text("in the way")
    with pytest.raises(StorageError, match="check disk and permissions"):
        ConversationStore(tmp_path / "conversations").add("0" * 16, exchange())


def test_exports_hold_questions_answers_and_sources() -> None:
    conversation = Conversation(
        id="0" * 16, created=now(), updated=now(), exchanges=(exchange("What is *DAPO*?"),)
    )
    written = to_markdown(conversation)
    assert "## What is \\*DAPO\\*?" in written
    assert "**DAPO \\<b\\>** (2503.14476, pp. 3–4, 2 Method): “a \\*system\\*”" in written
    assert Conversation.model_validate(json.loads(to_json(conversation))) == conversation


@given(st.text(max_size=300), st.integers(2, 90))
def test_a_shortened_text_is_one_line_of_at_most_that_length(text: str, most: int) -> None:
    short = shorten(text, most=most)
    assert len(short) <= most
    assert "\n" not in short


def test_the_papers_cited_are_exported_once_each_and_as_the_library_knows_them(
    store: ConversationStore,
) -> None:
    first = exchange()
    gone = first.citations[0].model_copy(update={"paper_id": "old-1", "title": "Gone {paper}"})
    store.add("0" * 16, first)
    store.add("0" * 16, exchange())
    store.add("0" * 16, exchange().model_copy(update={"citations": (gone,)}))
    held = [Paper(id="2503.14476", title="DAPO", authors=("Qiying Yu",), year=2025)]
    written = to_bibtex(store.get("0" * 16), held)
    assert written.count("@misc{") == 2
    assert "author = {Qiying Yu}" in written
    assert written.index("DAPO") < written.index("Gone")
    assert "\\textbraceleft" in written


def test_a_conversation_without_citations_exports_nothing(store: ConversationStore) -> None:
    store.add("0" * 16, Exchange(id=new_id(), question="What?", asked=now()))
    assert to_bibtex(store.get("0" * 16), []) == ""
