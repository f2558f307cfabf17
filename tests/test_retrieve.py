"""Both engines' candidates, fused; names first; few passages a paper."""

import threading
import time
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pytest

from assistant.models.minilm import MiniLM
from assistant.query import Query, analyse
from assistant.records import Paper, Passage
from assistant.retrieve import (
    DENSE_DEPTH,
    LEXICAL_WEIGHT,
    LONG,
    NAME_BONUS,
    retrieve,
    score_chunks,
    score_within,
)
from conftest import MemoryIndex

Array = npt.NDArray[np.float32]

UP = np.array([1, 0], dtype=np.float32)
NOTHING_IN_COMMON = "zebra"


def index_of(*papers: tuple[str, str, float]) -> MemoryIndex:
    """Index papers given by title, abstract and cosine to the question."""
    rows = np.array([[cosine, np.sqrt(1 - cosine**2)] for _, _, cosine in papers], np.float32)
    return MemoryIndex(
        [
            Paper(id=str(number), title=title, abstract=abstract, url=f"https://x.org/{number}")
            for number, (title, abstract, _) in enumerate(papers)
        ],
        embed=lambda _texts: rows,
    )


def found(index: MemoryIndex, question: str, **options: object) -> list[Passage]:
    options = {"limit": 5, "per_paper": 1, **options}
    return retrieve(analyse(question, index), lambda: UP, index, **options)  # type: ignore[arg-type]  # per test


def scores(query: Query, index: MemoryIndex, *, count: int = DENSE_DEPTH) -> dict[str, float]:
    """Fuse both engines' scores, by chunk."""
    candidates = score_chunks(query, lambda: UP, index, count=count).scored
    return {each.chunk_id: each.score for each in candidates}


def ids(passages: list[Passage]) -> list[str]:
    return [passage.chunk.paper_id for passage in passages]


TREES = index_of(
    ("On oaks", "Oaks grow.", 0.1), ("On elms", "Elms grow.", 0.6), ("On ashes", "Ashes fall.", 0.5)
)


class TestFusion:
    def test_without_shared_words_the_cosine_ranks(self) -> None:
        passages = found(TREES, NOTHING_IN_COMMON)
        assert ids(passages) == ["1", "2", "0"]
        assert [passage.score for passage in passages] == pytest.approx([0.6, 0.5, 0.1])

    def test_a_shared_word_raises_a_chunk(self) -> None:
        assert ids(found(TREES, "which oaks"))[0] == "0"

    def test_words_add_their_share_of_what_bm25_can_reach(self) -> None:
        query = analyse("ashes zebra", TREES)
        fused = scores(query, TREES)
        plain = {each.chunk_id: each.score for each in TREES.dense(UP, depth=3, papers=None)}
        gains = sorted(fused[chunk_id] - plain[chunk_id] for chunk_id in plain)
        assert gains[:2] == pytest.approx([0, 0])
        assert 0 < gains[2] < LEXICAL_WEIGHT

    def test_a_chunk_that_only_words_find_gets_its_cosine_too(self) -> None:
        elms = [("On elms", "Elms grow.", 0.2)] * DENSE_DEPTH
        index = index_of(*elms, ("On oaks", "Oaks grow.", 0.1))
        query = analyse("oaks", index)
        (oaks,) = (each.id for each in index.chunks_of(str(DENSE_DEPTH)))
        assert oaks not in {
            each.chunk_id for each in index.dense(UP, depth=DENSE_DEPTH, papers=None)
        }
        some, whole = scores(query, index), scores(query, index, count=DENSE_DEPTH + 1)
        assert some[oaks] == pytest.approx(whole[oaks])

    def test_the_best_are_kept(self) -> None:
        index = index_of(*[("On elms", "Elms grow.", number / 200) for number in range(150)])
        query = analyse("elms", index)
        whole = scores(query, index, count=150)
        best = sorted(whole, key=lambda chunk_id: -whole[chunk_id])
        assert list(scores(query, index, count=60)) == best[:60]

    def test_a_question_of_stop_words_is_ranked_by_cosine(self) -> None:
        assert ids(found(TREES, "what is it?")) == ["1", "2", "0"]

    def test_equal_scores_are_ranked_by_chunk_id(self) -> None:
        twins = index_of(*[(f"Title {letter}", "Same.", 0.5) for letter in "abcd"])
        ranked = [passage.chunk.id for passage in found(twins, NOTHING_IN_COMMON)]
        assert ranked == sorted(ranked)


class TestNames:
    LIBRARY = index_of(
        ("DAPO: A System", "It is RL.", 0.3),
        ("On RL", "Compared with DAPO.", 0.3),
        *[(f"On RL {number}", "An agent.", 0.3) for number in range(20)],
    )

    def test_the_paper_that_is_named_comes_first(self) -> None:
        assert ids(found(self.LIBRARY, "What is DAPO?"))[:2] == ["0", "1"]

    def test_being_named_adds_the_bonus(self) -> None:
        query = analyse("What is DAPO?", self.LIBRARY)
        plain = scores(query, self.LIBRARY)
        first = found(self.LIBRARY, "What is DAPO?")[0]
        (word,) = query.words
        assert first.score - plain[first.chunk.id] == pytest.approx(
            NAME_BONUS * word.weight, abs=1e-5
        )


class TestLimits:
    LONG = " ".join(f"{name} tree{' grows' * 150}." for name in ("One", "Two", "Three"))

    @pytest.fixture
    def index(self) -> MemoryIndex:
        papers = [
            Paper(id="long", title="Long", abstract=self.LONG),
            Paper(id="short", title="Short", abstract="Fox."),
        ]
        return MemoryIndex(papers, embed=lambda texts: np.tile(UP, (len(texts), 1)))

    @pytest.mark.parametrize(("per_paper", "expected"), [(1, 1), (2, 2), (9, 3)])
    def test_a_paper_has_few_passages(
        self, per_paper: int, expected: int, index: MemoryIndex
    ) -> None:
        passages = found(index, "trees", per_paper=per_paper, limit=9)
        assert ids(passages).count("long") == expected

    @pytest.mark.parametrize("limit", [1, 2, 4, 9])
    def test_there_are_no_more_passages_than_asked_for(
        self, limit: int, index: MemoryIndex
    ) -> None:
        assert len(found(index, "trees", per_paper=9, limit=limit)) == min(limit, 4)

    def test_ranks_count_from_one(self, index: MemoryIndex) -> None:
        assert [each.rank for each in found(index, "trees", per_paper=9)] == [1, 2, 3, 4]

    def test_only_the_papers_chosen_are_searched(self, index: MemoryIndex) -> None:
        assert ids(found(index, "trees", papers=["short"])) == ["short"]

    def test_no_papers_chosen_give_nothing(self, index: MemoryIndex) -> None:
        assert found(index, "trees", papers=[]) == []


def test_a_passage_carries_title_and_link() -> None:
    first = found(TREES, "elms")[0]
    assert (first.title, first.url) == ("On elms", "https://x.org/1")


def test_a_link_may_be_that_of_the_pdf() -> None:
    index = MemoryIndex(
        [Paper(id="x", title="T", abstract="A.", pdf_url="https://x.org/x.pdf")],
        embed=lambda _texts: UP[None],
    )
    assert found(index, "T")[0].url == "https://x.org/x.pdf"


class TestSample:
    @pytest.mark.parametrize(
        ("question", "paper"),
        [
            ("What is φ-Decoding?", "φ-Decoding"),
            ("what is phi-decoding?", "φ-Decoding"),
            ("sweetrl", "SWEET-RL"),
            ("rwkv 7", "RWKV-7"),
            ("Which library helps with graph domain adaptation?", "PyGDA"),
            ("pretraining with short context windows first", "SkyLadder"),
            ("reward sound and music driven dance videos", "MusicInfuser"),
        ],
    )
    def test_the_paper_asked_for_is_found_first(
        self, question: str, paper: str, sample_index: MemoryIndex, embedder: MiniLM
    ) -> None:
        query = analyse(question, sample_index)
        (vector,) = embedder.embed([query.text])
        (first,) = retrieve(query, lambda: vector, sample_index, limit=1, per_paper=1)
        assert first.title.startswith(paper)

    def test_the_same_question_finds_the_same(
        self, sample_index: MemoryIndex, embedder: MiniLM
    ) -> None:
        def once() -> list[tuple[str, float]]:
            query = analyse("reasoning benchmarks", sample_index)
            (vector,) = embedder.embed([query.text])
            passages = retrieve(query, lambda: vector, sample_index, limit=20, per_paper=2)
            return [(passage.chunk.id, passage.score) for passage in passages]

        assert once() == once()


class TestLongPapers:
    """Chunks that all point where the paper does; one, the last, also to what is asked."""

    ASKED = np.array([0.95, 0.3, 0.0], dtype=np.float32)

    @staticmethod
    def index(chunks: int, of: type[MemoryIndex] = MemoryIndex) -> MemoryIndex:
        sentence = "walrus " * 150
        paper = Paper(
            id="walrus", title="On walrus", abstract=f"{sentence.strip().capitalize()}. " * chunks
        )
        rows = np.array(
            [[0.98, 0.01 * (number % 3), 0.01 * number] for number in range(chunks - 1)]
            + [[0.6, 0.8, 0.0]],
            dtype=np.float32,
        )
        return of([paper], embed=lambda _texts: rows)

    def passages(self, index: MemoryIndex) -> list[Passage]:
        query = analyse(NOTHING_IN_COMMON, index)
        return retrieve(query, lambda: self.ASKED, index, limit=3, per_paper=3)

    def test_what_the_whole_paper_is_about_does_not_hide_the_place_asked_for(self) -> None:
        index = self.index(LONG + 1)
        last = max(index.chunks_of("walrus"), key=lambda chunk: chunk.start)
        dense = index.dense(self.ASKED, depth=100, papers=None)

        assert dense[-1].chunk_id == last.id
        assert last.id in [passage.chunk.id for passage in self.passages(index)]

    def test_the_best_score_still_comes_first(self) -> None:
        scores = [passage.score for passage in self.passages(self.index(LONG + 1))]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)

    def test_a_paper_removed_meanwhile_is_not_searched_again(self) -> None:
        class Removed(MemoryIndex):
            def vectors(self, ids: Collection[str]) -> tuple[list[str], Array]:
                del ids
                return [], np.empty((0, 0), np.float32)

        index = self.index(LONG + 1, of=Removed)
        query = analyse(NOTHING_IN_COMMON, index)

        assert score_within(query, self.ASKED, index, "walrus") == []

    def test_a_short_paper_is_not_searched_again(self) -> None:
        index = self.index(LONG)
        query = analyse(NOTHING_IN_COMMON, index)
        nearest = [hit.chunk_id for hit in index.dense(self.ASKED, depth=3, papers=None)]

        assert score_within(query, self.ASKED, index, "walrus") == []
        assert [passage.chunk.id for passage in self.passages(index)] == nearest


def numbered(words: str, count: int) -> str:
    """Write long sentences that differ by their number alone, each a chunk."""
    return " ".join(f"Part {number} says:{words}." for number in range(count))


class TestCrowdedLibrary:
    """A long paper that has all of the best candidates, and papers called beside it."""

    QUESTION = "Which base models do Fast-Oak-Search and ELM train?"

    @pytest.fixture
    def index(self) -> MemoryIndex:
        trained, fallen = " we train base models" * 40, " leaves" * 150
        papers = [
            Paper(id="long", title="Fast-Oak-Search: Models", abstract=numbered(trained, 60)),
            Paper(id="elm", title="ELM: Leaves", abstract=numbered(fallen, 9)),
            Paper(id="fir", title="FIR: Needles", abstract="Needles fall."),
            *(
                Paper(id=f"other{number}", title=f"Rest {number}", abstract="Things.")
                for number in range(30)
            ),
        ]
        near = {"Fast": 0.9, "ELM": -0.9, "FIR": -0.9, "Rest": 0.0}
        return MemoryIndex(
            papers,
            embed=lambda texts: np.array(
                [[near[text[:4].strip(":")], 0.4] for text in texts], np.float32
            ),
        )

    def test_what_is_called_is_found_where_another_has_all_candidates(
        self, index: MemoryIndex
    ) -> None:
        candidates = scores(analyse(self.QUESTION, index), index, count=50)
        of_elm = {chunk.id for chunk in index.chunks_of("elm")}
        assert len(of_elm) >= 6
        assert of_elm.isdisjoint(candidates)

        papers = ids(found(index, self.QUESTION, limit=12, per_paper=12))

        assert papers.count("long") == papers.count("elm") == 6

    def test_what_is_called_alone_has_all_the_room(self, index: MemoryIndex) -> None:
        passages = found(
            index, "Which base models does Fast-Oak-Search train?", limit=12, per_paper=12
        )
        assert ids(passages) == ["long"] * 12

    def test_what_a_called_paper_cannot_fill_goes_to_others(self, index: MemoryIndex) -> None:
        question = "Which base models do Fast-Oak-Search and FIR train?"
        papers = ids(found(index, question, limit=12, per_paper=12))
        assert papers.count("fir") == 1
        assert papers.count("long") == 11

    def test_a_called_paper_has_room_beside_one_that_fits_better(self, index: MemoryIndex) -> None:
        papers = ids(found(index, "Which base models does ELM train?", limit=12, per_paper=12))
        assert papers.count("elm") == papers.count("long") == 6

    def test_papers_that_were_not_chosen_stay_out(self, index: MemoryIndex) -> None:
        chosen = ["long", "other1"]
        passages = found(index, self.QUESTION, limit=12, per_paper=12, papers=chosen)
        assert set(ids(passages)) <= set(chosen)


class TestBothAtOnce:
    """Words are looked up while the question is embedded."""

    def index(self, make_index, look_up):
        class Watched(make_index):
            def lexical(self, weights, **options):
                look_up()
                return super().lexical(weights, **options)

        oak = Paper(id="oak", title="Oak", abstract="An oak is a tree.")
        return Watched([oak], embed=lambda _texts: UP[np.newaxis])

    def ask(self, index, embed):
        return retrieve(analyse("What is a tree?", index), embed, index, limit=1, per_paper=1)

    def test_neither_waits_for_the_other(self, make_index):
        meeting = threading.Barrier(2, timeout=30)

        def embed():
            meeting.wait()
            return UP

        (found,) = self.ask(self.index(make_index, meeting.wait), embed)
        assert found.chunk.paper_id == "oak"

    def test_an_error_of_the_words_is_the_callers(self, make_index):
        def fail():
            raise LookupError("no words")

        with pytest.raises(LookupError, match="no words"):
            self.ask(self.index(make_index, fail), lambda: UP)

    def test_an_error_of_the_embedder_waits_for_the_words(self, make_index):
        begun, left = threading.Event(), threading.Event()

        def look_up():
            begun.set()
            time.sleep(0.3)
            left.set()

        def embed():
            assert begun.wait(30)
            raise LookupError("no vector")

        with pytest.raises(LookupError, match="no vector"):
            self.ask(self.index(make_index, look_up), embed)
        assert left.is_set()
