"""Whether a library is as it should be, and mending it."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from assistant import chunk
from assistant.answer import extractive
from assistant.config import redact
from assistant.errors import AssistantError
from assistant.library.language_models import LanguageModels
from assistant.library.papers import Papers
from assistant.library.parts import Parts

if TYPE_CHECKING:
    from assistant.models.check import Checked


class Holdings(NamedTuple):
    """What a library holds: papers, chunks, and a fingerprint that changes with what can be found."""

    papers: int
    chunks: int
    fingerprint: str


class Diagnosis(NamedTuple):
    """What a check found: facts that are as they should be, and problems, a line each.

    ``mendable`` says that repairing may help.
    """

    facts: tuple[str, ...]
    problems: tuple[str, ...]
    mendable: bool


class Health:
    """Examines a library and mends it."""

    def __init__(self, parts: Parts, models: LanguageModels, papers: Papers) -> None:
        self._parts = parts
        self._models = models
        self._papers = papers

    def holdings(self) -> Holdings:
        """Count what the library holds, and fingerprint it."""
        store = self._parts.store
        ids = sorted(store.chunk_ids())
        content = "\n".join([str(store.fingerprint()), *ids])
        return Holdings(
            papers=store.paper_count(),
            chunks=len(ids),
            fingerprint=hashlib.sha256(content.encode()).hexdigest()[:16],
        )

    def diagnose(self) -> Diagnosis:
        """Check that models, embedder, catalog, Chroma and lexical index are there and agree."""
        parts, settings = self._parts, self._parts.settings
        facts = [f"home {settings.home}"]
        problems: list[str] = []
        mendable = False
        if not self._models.wanted:
            facts.append("language model extractive: answers are quotes")
        for role, checked in self._check_models():
            if checked.problem is None:
                facts.append(f"{role} {checked.name} answered in {checked.seconds:.1f} s")
            else:
                problems.append(f"{role}: {checked.problem}")
        try:
            dimension = parts.embedder.embed(["test"]).shape[1]
            facts.append(f"embedder {parts.embedder.name}, {dimension} dimensions")
        except AssistantError as error:
            problems.append(str(error))
        try:
            found = parts.store.check()
            problems += [f"{problem.part}: {problem.detail}" for problem in found]
            outdated = self._outdated()
            problems += outdated
            mendable = bool(outdated) or any(problem.repairable for problem in found)
            if not found:
                database = redact(settings.database or "SQLite in the home")
                facts.append(
                    f"{parts.store.paper_count()} papers, {parts.store.chunk_count()} chunks: "
                    f"catalog ({database}), Chroma ({redact(settings.chroma)}) and lexical index agree"
                )
        except AssistantError as error:
            problems.append(str(error))
        return Diagnosis(tuple(facts), tuple(problems), mendable)

    def _outdated(self) -> list[str]:
        """Say what the index was made with, if that is not what is used now."""
        made, now = self._parts.store.fingerprint(), self._parts.fingerprint()
        return [] if made in {None, now} else [f"index: it was made with {made}, now it is {now}"]

    def repair(self) -> list[str]:
        """Mend what can be mended: rebuild indexes, embed anew; return what was done."""
        return self._parts.store.repair(
            self._parts.embedder.embed,
            embedding_text=chunk.embedding_text,
            fingerprint=self._parts.fingerprint(),
            chunk=self._papers.cut_anew,
        )

    def _check_models(self) -> Iterator[tuple[str, "Checked"]]:
        """Ask each language model that the settings name for a word; tell its role and how it did."""
        settings = self._parts.settings
        if not self._models.wanted:
            return
        roles = {settings.llm: "language model"}
        if settings.llm_small not in {None, extractive.NAME}:
            roles.setdefault(str(settings.llm_small), "small model")
        if settings.llm_fallback is not None:
            roles.setdefault(settings.llm_fallback, "fallback model")
        yield from zip(roles.values(), self._models.check(list(roles)), strict=True)
