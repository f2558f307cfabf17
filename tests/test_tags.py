"""Tags outlive the process, follow a paper whose id changes, and are refused in words."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputError, StorageError
from assistant.records import Paper
from assistant.tags import MAX_TAG, MAX_TAGS, TagStore

DAPO = Paper(id="2503.14476", title="DAPO")
TREE = Paper(id="2503.08893", title="EvalTree")


@pytest.fixture
def store(tmp_path: Path) -> TagStore:
    return TagStore(tmp_path / "home" / "tags.json")


def test_reading_makes_no_file(store: TagStore, tmp_path: Path) -> None:
    assert store.read().of(DAPO) == ()
    assert not (tmp_path / "home").exists()


def test_tags_are_given_taken_away_and_there_for_another_process(
    store: TagStore, tmp_path: Path
) -> None:
    store.change([DAPO, TREE], add=["to read", "RL"])
    store.change([TREE], add=["trees"], remove=["rl"])
    tags = TagStore(tmp_path / "home" / "tags.json").read()
    assert tags.of(DAPO) == ("to read", "RL")
    assert tags.of(TREE) == ("to read", "trees")
    assert tags.known([DAPO, TREE]) == ["RL", "to read", "trees"]
    assert tags.known([]) == []


def test_a_tag_that_differs_in_case_is_the_same_one(store: TagStore) -> None:
    store.change([DAPO], add=["RL"])
    store.change([DAPO], add=["rl", " Rl "])
    assert store.read().of(DAPO) == ("RL",)


def test_tags_follow_a_paper_that_gets_another_id(store: TagStore) -> None:
    store.change([Paper(id="file-abc", title="DAPO")], add=["mine"])
    renamed = DAPO.model_copy(update={"aliases": ("file-abc",)})
    assert store.read().of(renamed) == ("mine",)
    store.change([renamed], add=["new"])
    assert store.read().of(renamed) == ("mine", "new")
    store.change([renamed], remove=["mine", "new"])
    assert dict(store.read().by_paper) == {}


@pytest.mark.parametrize("tag", ["", "  ", "\u202e", "…", "x" * (MAX_TAG + 1)])
def test_a_tag_that_cannot_be_one_is_refused(store: TagStore, tag: str) -> None:
    with pytest.raises(InputError, match="a tag"):
        store.change([DAPO], add=[tag])
    assert store.read().of(DAPO) == ()


def test_too_many_tags_are_refused(store: TagStore) -> None:
    with pytest.raises(InputError, match=f"{MAX_TAGS} tags at most"):
        store.change([DAPO], add=[f"tag {number}" for number in range(MAX_TAGS + 1)])


@pytest.mark.parametrize("content", ["{", "[]", '{"a": "b"}', '{"a": [""]}', "\xff"])
def test_a_damaged_file_is_named_and_left_alone(
    store: TagStore, tmp_path: Path, content: str
) -> None:
    store.change([DAPO], add=["mine"])
    path = tmp_path / "home" / "tags.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(StorageError, match=r"tags\.json: it is damaged"):
        store.change([DAPO], add=["other"])
    assert path.read_bytes() == content.encode("latin-1")


def test_two_who_tag_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: TagStore(path).change([DAPO], add=[f"tag {n}"]), range(16)))
    assert len(TagStore(path).read().of(DAPO)) == 16


@given(st.lists(st.text(max_size=50)))
def test_whatever_is_typed_is_kept_clean_or_refused(texts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = TagStore(Path(folder) / "tags.json")
        for text in texts:
            try:
                store.change([DAPO], add=[text])
            except InputError:
                continue
        kept = store.read().of(DAPO)
        assert all(tag == " ".join(tag.split()) and 0 < len(tag) <= MAX_TAG for tag in kept)
