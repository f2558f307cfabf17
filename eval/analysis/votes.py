"""What people prefer who see two answers to a question side by side and are not told whose they are.

A vote is on two answers, not on two runs: it counts for whichever runs gave them, under whatever name, and
for none once an answer has changed.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import AwareDatetime

from assistant.errors import StorageError
from assistant.records import Record
from assistant.store.lock import hold_writer_lock
from eval.analysis.arena import Battle, Pair, battle
from eval.judge.judging import Better, asked, shown
from eval.runs.results import Result, read, write

FILE = "votes.jsonl"
USERS = "users"
"""The folder in the home with a folder for each user who logs in."""

_LOCK_SECONDS = 10.0

Key = tuple[str, str]
"""The fingerprints of two answers to a question, in their order."""


class Vote(Record):
    """A line of the file: which of two answers is better, by their fingerprints; None where one skipped."""

    first: str
    second: str
    better: Better | None
    cast: AwareDatetime

    @property
    def key(self) -> Key:
        """What it is on."""
        return self.first, self.second


Votes = Mapping[Key, Vote]
"""One person's."""


class Ballot(NamedTuple):
    """Two answers to a question; which of them stands first tells nothing of its run."""

    key: Key
    first: Result
    second: Result


class VoteStore:
    """One person's votes in one file, which is made with the first; for many threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[Key, Vote]:
        """Read all votes; of two on the same answers the later counts.

        Raises:
            InputError: if the file is damaged.
        """
        votes = read(self._path, Vote) if self._path.exists() else []
        return {vote.key: vote for vote in votes}

    def cast(self, key: Key, better: Better | None) -> None:
        """Keep a vote, in place of an earlier one on the same answers.

        Raises:
            InputError: if the file is damaged.
            LibraryBusyError: if another process holds it for long.
            StorageError: if it cannot be written.
        """
        vote = Vote(first=key[0], second=key[1], better=better, cast=datetime.now(UTC))
        self._change(forget=[key], add=[vote])

    def forget(self, keys: Collection[Key]) -> None:
        """Take votes back. Raises as :meth:`cast` does."""
        self._change(forget=keys)

    def _change(self, *, forget: Collection[Key], add: Sequence[Vote] = ()) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock")
            with hold_writer_lock(lock, timeout=_LOCK_SECONDS, what="the votes"):
                gone = set(forget)
                kept = [vote for key, vote in self.read().items() if key not in gone]
                write(self._path, [*kept, *add])
        except OSError as error:
            reason = error.strerror or error
            raise StorageError(
                f"cannot write {self._path} ({reason}): check disk and permissions"
            ) from error


def everybody(home: Path) -> list[Votes]:
    """Read the votes in a home: those without a login, and each user's.

    Raises:
        InputError: if a file of them is damaged.
    """
    paths = [home / FILE, *sorted((home / USERS).glob(f"*/{FILE}"))]
    return [found for path in paths if (found := VoteStore(path).read())]


def ballots(matched: Sequence[Pair]) -> list[Ballot]:
    """Return what there is to vote on, once each: the pairs whose answers differ.

    Sides and order follow from hashes of the answers: they are the same each time, and as good as drawn.
    """
    found: dict[Key, Ballot] = {}
    for pair in matched:
        key = _key(pair)
        if key is not None:
            turned = key[0] != _fingerprint(pair.one)
            first, second = (pair.other, pair.one) if turned else (pair.one, pair.other)
            found[key] = Ballot(key, first, second)
    return [found[key] for key in sorted(found)]


def battles(matched: Sequence[Pair], cast: Sequence[Votes]) -> list[Battle | None]:
    """Turn votes into battles, one a person; ``None`` for a pair that nobody has decided.

    Pairs with the same answer on both sides are left out, as nobody is asked about them.
    """
    found: list[Battle | None] = []
    for pair in matched:
        key = _key(pair)
        if key is None:
            continue
        decided = [
            vote.better for votes in cast if (vote := votes.get(key)) and vote.better is not None
        ]
        turned = key[0] != _fingerprint(pair.one)
        found += [battle(pair, _TURNED[better] if turned else better) for better in decided]
        if not decided:
            found.append(None)
    return found


_TURNED: dict[Better, Better] = {"first": "second", "second": "first", "tie": "tie"}


def _key(pair: Pair) -> Key | None:
    """Return the key of a pair, None if both answers are the same."""
    first, second = sorted((_fingerprint(pair.one), _fingerprint(pair.other)))
    return None if first == second else (first, second)


def _fingerprint(result: Result) -> str:
    """Return sixteen hex digits of a question and what a person is shown of the answer to it."""
    answer = result.answer
    assert answer is not None, "only answered cases meet"
    cited = [[each.paper_id, each.page_first, each.quote] for each in answer.citations]
    content = json.dumps([asked(result.case), shown(answer), cited], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
