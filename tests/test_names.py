"""Names in a question single out papers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.names import NameMatcher
from assistant.query import Vocabulary, analyse
from assistant.records import Paper
from assistant.text import terms
from conftest import MemoryIndex

DAPO = Paper(
    id="dapo",
    title="DAPO: An Open-Source System",
    abstract="DAPO is RL that uses verl for training.",
)
MESH = Paper(id="mesh", title="DeepMesh: Meshes", abstract="Trained with RL; compared with DAPO.")
OTHERS = [
    Paper(
        id=str(number), title=f"On RL {number}", abstract="An agent is trained by RL with a model."
    )
    for number in range(6)
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return MemoryIndex([DAPO, MESH, *OTHERS])


def matcher(question: str, vocabulary: Vocabulary) -> NameMatcher:
    return NameMatcher(analyse(question, vocabulary), vocabulary)


def named(question: str, paper: Paper, vocabulary: Vocabulary) -> list[str]:
    found = matcher(question, vocabulary).names_of(paper.title, paper.abstract)
    return [word.surface for word in found]


def test_a_paper_is_named_by_what_its_title_calls_it(vocabulary: Vocabulary) -> None:
    assert named("What is dapo?", DAPO, vocabulary) == ["dapo"]


@pytest.mark.parametrize("written", ["DeepMesh", "deepmesh", "Deep-Mesh"])
def test_a_name_may_be_written_in_several_ways(written: str, vocabulary: Vocabulary) -> None:
    assert named(f"What is {written}?", MESH, vocabulary) == [written]


def test_a_rare_name_in_the_text_names_the_paper_too(vocabulary: Vocabulary) -> None:
    assert named("Who compares with DAPO?", MESH, vocabulary) == ["DAPO"]


def test_a_rare_plain_word_in_the_text_does_not(vocabulary: Vocabulary) -> None:
    assert named("Who uses verl?", DAPO, vocabulary) == []


def test_a_name_that_many_papers_hold_names_none(vocabulary: Vocabulary) -> None:
    assert named("What is RL?", MESH, vocabulary) == []


def test_a_compound_of_common_words_names_none(vocabulary: Vocabulary) -> None:
    assert named("Which RL-trained agents are there?", OTHERS[0], vocabulary) == []


def test_a_title_without_a_colon_is_no_name(vocabulary: Vocabulary) -> None:
    paper = Paper(id="x", title="Open Source verl Training", abstract="")
    assert named("What is verl training?", paper, vocabulary) == []


def test_being_the_name_weighs_twice_as_much_as_being_mentioned(vocabulary: Vocabulary) -> None:
    names = matcher("What is DAPO?", vocabulary)
    own = names.weigh(DAPO.title, DAPO.abstract)
    assert own == pytest.approx(2 * names.weigh(MESH.title, MESH.abstract))


def test_a_paper_without_the_name_weighs_nothing(vocabulary: Vocabulary) -> None:
    assert matcher("What is DAPO?", vocabulary).weigh("On trees", "Oaks and elms.") == 0


def test_words_that_only_ask_are_no_names(vocabulary: Vocabulary) -> None:
    paper = Paper(id="x", title="System: A Paper", abstract="A system.")
    index = MemoryIndex([paper, DAPO])
    assert named("Which system is it?", paper, index) == []


FULL_TEXT = Paper(
    id="long",
    title="SWEET-RL: Agents That Train",
    abstract=" ".join(
        f"SWEET-RL uses RL in {'step ' * 150}number {number}." for number in range(8)
    ),
)


@pytest.mark.parametrize("written", ["SWEET-RL", "sweet-rl", "SweetRL"])
def test_a_paper_that_says_its_own_name_all_over_is_still_called_so(written: str) -> None:
    index = MemoryIndex([FULL_TEXT, *OTHERS])
    assert named(f"What does {written} use?", FULL_TEXT, index) == [written]
    assert matcher(f"What does {written} use?", index).calls(FULL_TEXT.title)


def test_a_common_part_of_a_name_does_not_call_the_paper() -> None:
    index = MemoryIndex([FULL_TEXT, *OTHERS])
    assert named("What does RL use?", FULL_TEXT, index) == []
    assert not matcher("What does RL use?", index).calls(FULL_TEXT.title)


def test_a_name_that_came_apart_in_small_capitals_is_one() -> None:
    paper = Paper(id="x", title="OPEN SCHOLAR : Answers", abstract="OpenScholar answers.")
    index = MemoryIndex([paper, *OTHERS])
    assert named("What does OpenScholar do?", paper, index) == ["OpenScholar"]


FORMS = """RL RLs rl R-L Rl-trained SWEET-RL sweetrl Sweet_RL SWEET RL-agents VERIFY verified Verifies Capable
    capability dapo DAPO's DAPO. Qwen2.5 qwen2-5 φ-Decoding phi Déjà deja GPT-4o GPT4o on to
    internationalise""".split()  # noqa: SIM905 - a word list reads best as prose
MARKS = st.sampled_from([" ", "-", ".", ". ", "_", "'", "’", "’s ", "", "\n", "(", "+"])


@given(st.lists(st.tuples(st.sampled_from(FORMS), MARKS), max_size=8), st.sampled_from(FORMS))
def test_a_text_holds_a_name_if_its_terms_do(text: list[tuple[str, str]], name: str) -> None:
    vocabulary = MemoryIndex([Paper(id="all", title="All", abstract=" ".join(FORMS)), *OTHERS])
    query = analyse(f"what of {name}", vocabulary)
    body = "".join(word + mark for word, mark in text)
    held = set(terms(body))
    weights = [
        word.weight / 2
        for word in query.words
        if word.name
        and (word.terms[-1] in held or all(part in held for part in word.terms[:-1] or word.terms))
    ]
    assert NameMatcher(query, vocabulary).weigh("", body) == pytest.approx(sum(weights))
