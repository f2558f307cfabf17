"""``python -m eval.targets.calibrate``: refits the answerability models on the tuning questions.

The constants to paste into ``assistant/answer/abstain.py`` come from ``digest-tuning.yaml``,
``near-misses.yaml`` and ``fulltext-tuning.yaml``. No weight is fitted to the others, which are looked at
afterwards; ``digest.yaml`` had a say only in how readily to refuse. ``UNNAMED`` stands as fitted before, to
five signals of ``digest-tuning.yaml``: what is printed for it shows that the sixth adds nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assistant.answer import abstain
from assistant.answer.abstain import _FOLLOW_UP
from assistant.answer.evidence import weigh
from assistant.answer.extract import assess
from assistant.library import Library
from assistant.models import TokenEmbedder
from assistant.models.answer_head import AnswerHead
from assistant.models.minilm import MiniLM
from assistant.models.remembering import Remembering
from assistant.query import analyse
from assistant.records import Passage, PassagesFound, QuestionRewritten
from assistant.store import Store
from eval import surroundings
from eval.cases.dataset import Case, load
from eval.statistics.logistic import Fitted, area_under_curve, fit, out_of_fold, threshold_keeping
from eval.targets.full_text import questions
from eval.terminal import note, say

_KEPT = {True: 0.963, False: 0.98}
"""Share of the answerable that the threshold keeps, by whether the question names a paper."""


_SIGNS = abstain.Signals(
    attributes=1, similarity=1, missing=-1, unknown_name=-1, quantity=-1, stated=1
)
"""What each signal may speak for: an answer, or none."""


class _Found(NamedTuple):
    """What the library found for a case's question, made to stand alone."""

    case: Case
    question: str
    follow_up: bool
    passages: tuple[Passage, ...]


class _Sample(NamedTuple):
    """A case as the models see it, and what else decides: a bonus, or a refusal whatever they say."""

    signals: abstain.Signals
    named: bool
    full_text: bool
    bonus: float
    refused: bool
    answerable: bool


def main() -> None:
    """Fit both models on the tuning questions, print their constants, then test them."""
    digest, pdfs = surroundings.digest(), surroundings.pdfs()
    if not digest.original or pdfs is None:
        say(
            "The models are fitted on the original digest and PDFs, which are not beside the project."
        )
        return
    tuning: list[_Sample] = []
    test: dict[str, list[_Sample]] = {}
    with surroundings.temporary_home() as home:
        for sources, label in (([digest.path], ""), (pdfs.of_digest, " with full texts")):
            _ingest(home, sources)
            tuning += _ask(home, lambda _: _cases("digest-tuning", "near-misses"))
            test[f"digest.yaml{label}"] = _ask(home, lambda _: _cases("digest"))
    with surroundings.temporary_home() as home:
        _ingest(home, pdfs.all)
        tuning += _ask(home, lambda it: questions(it, pdfs.all, name="fulltext-tuning").cases)
        test["fulltext.yaml"] = _ask(home, lambda it: questions(it, pdfs.all).cases)
    fitted = {named: _calibrate(_of(tuning, named=named), named=named) for named in (True, False)}
    _say_full_text(tuning)
    for name, samples in test.items():
        say(f"\nThe test, {name}, which no weight was fitted to:")
        _report(samples, {True: abstain.NAMED, False: abstain.UNNAMED}, label="present constants")
        _report(samples, fitted, label="constants above")


def _ingest(home: Path, sources: Sequence[Path]) -> None:
    with closing(surroundings.library_at(home)) as library:
        library.ingest([str(each) for each in sources], pdfs=False)


def _cases(*names: str) -> list[Case]:
    return [case for name in names for case in load(surroundings.DATASETS / f"{name}.yaml").cases]


def _ask(home: Path, cases: Callable[[Library], Sequence[Case]]) -> list[_Sample]:
    with closing(surroundings.library_at(home)) as library:
        found = _retrieve(cases(library), library)
    note("weighing the evidence")
    with closing(Store.open(home=home)) as store:
        return _samples(found, store, Remembering(MiniLM(home / "models")), AnswerHead())


def _retrieve(cases: Sequence[Case], library: Library) -> list[_Found]:
    note(f"asking {len(cases)} questions")
    return [_retrieve_one(case, library) for case in cases]


def _retrieve_one(case: Case, library: Library) -> _Found:
    asked = question = " ".join(case.question.split())
    for event in library.ask(case.question, history=case.history):
        if isinstance(event, QuestionRewritten):
            question = event.standalone_question
        if isinstance(event, PassagesFound):
            return _Found(case, question, question != asked, event.passages)
    return _Found(case, question, question != asked, ())


def _samples(
    found: Sequence[_Found], store: Store, reader: TokenEmbedder, head: AnswerHead
) -> list[_Sample]:
    samples = []
    for each in found:
        query = analyse(each.question, store)
        assessment = assess(query, weigh(query, each.passages, reader), store, head)
        if assessment is not None:
            samples.append(
                _Sample(
                    signals=assessment.signals,
                    named=assessment.named,
                    full_text=assessment.in_full_text,
                    bonus=_FOLLOW_UP * each.follow_up,
                    refused=abstain.names_unknown_system(query, assessment.evidence),
                    answerable=each.case.answerable,
                )
            )
    return samples


def _of(samples: Sequence[_Sample], *, named: bool) -> list[_Sample]:
    return [sample for sample in samples if sample.named == named]


def _calibrate(samples: Sequence[_Sample], *, named: bool) -> abstain.Model:
    """Fit one model; print how it does on questions left out of the fit, and its constants."""
    features = np.array([sample.signals for sample in samples], dtype=np.float64)
    labels = np.array([sample.answerable for sample in samples])
    scores = out_of_fold(features, labels, signs=_SIGNS)
    odds = scores + np.array([sample.bonus for sample in samples])
    odds[[sample.refused for sample in samples]] = -np.inf
    kept = _KEPT[named]
    threshold = threshold_keeping(kept, odds[labels])
    refused = float((odds[~labels] < threshold).mean())
    name = "NAMED" if named else "UNNAMED"
    say(
        f"\n{name}: {labels.sum()} answerable, {(~labels).sum()} unanswerable; cross-validated AUC "
        f"{area_under_curve(scores, labels):.3f}; keeping {kept:.1%} of the answerable refuses "
        f"{refused:.1%} of the unanswerable"
    )
    model = _model(fit(features, labels, signs=_SIGNS), threshold)
    weights = ", ".join(f"{weight:.2f}" for weight in model.weights)
    say(f"{name} = Model(({weights}), {model.bias:.2f}, {model.threshold:.2f})")
    return model


def _model(fitted: Fitted, threshold: float) -> abstain.Model:
    """Round as the constants are written down."""
    weights = tuple(round(float(weight), 2) for weight in fitted.weights)
    return abstain.Model(weights, round(fitted.bias, 2), round(threshold, 2))


def _report(samples: Sequence[_Sample], models: dict[bool, abstain.Model], *, label: str) -> None:
    answered: dict[bool, list[bool]] = {True: [], False: []}
    for sample in samples:
        answered[sample.answerable].append(_answers(sample, models[sample.named]))
    say(
        f"{label}: answers {np.mean(answered[True]):.1%} of the answerable, "
        f"refuses {1 - np.mean(answered[False]):.1%} of the unanswerable"
    )


def _answers(sample: _Sample, model: abstain.Model) -> bool:
    """Decide as the assistant does, with this model in place of its own."""
    odds = abstain.log_odds(sample.signals, model) + sample.bonus
    needed = abstain.needed(model, named=sample.named, full_text=sample.full_text)
    return not sample.refused and odds >= needed


def _say_full_text(tuning: Sequence[_Sample]) -> None:
    """Print how much more the present model has to say in full texts to keep as many."""
    model = abstain.UNNAMED
    odds = [
        abstain.log_odds(sample.signals, model) + sample.bonus - model.threshold
        for sample in tuning
        if sample.full_text and sample.answerable and not sample.named
    ]
    say(
        f"\n_FULL_TEXT = {threshold_keeping(_KEPT[False], np.array(odds)):.2f}  ({len(odds)} answerable)"
    )


if __name__ == "__main__":
    main()
