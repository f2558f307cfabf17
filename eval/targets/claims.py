"""Measures the claim checker: ``python -m eval.targets.claims``; ``--fit`` prints its model fitted anew.

Labelled claims come from the data that a checkout may have beside it; altered and reworded ones are made
here from the digest's summaries, each checked against the summary it is from. Numbers on labelled claims are
of models that were not fitted to the claims they judge, nor to others of the same claim or text.
"""

import argparse
import json
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from assistant.models.minilm import MiniLM
from assistant.query import is_coined
from assistant.records import Paper, SourcedPaper
from assistant.sources.digest import read_digest
from assistant.text import Span, sentences, word_spans
from assistant.verify import checker
from assistant.verify.checker import Check, Checker
from assistant.verify.quantities import quantities
from assistant.verify.signals import Agreement, Coverage, Model, probability
from eval import surroundings
from eval.statistics.logistic import area_under_curve, threshold_keeping
from eval.terminal import say

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CLAIMS = surroundings.SHARED / "data" / "claims"
_FOLDS = 5
_REPEATS = 5
_PENALTY = 0.03
"""Weight of the squared weights: few signals, so it mostly shares what two of them say between both."""
_SHARE_PARTIAL = 0.9
_ALTERED = 500
_COVERAGE = len(Coverage._fields)
_SIGNS = np.array([*Coverage(1, 1, 1, -1, -1), *Agreement(1, -1, -1, -1)], dtype=float)
"""Which way each signal speaks: no weight may turn it round, whatever a small set suggests."""


class ClaimSet(NamedTuple):
    """Labelled claims: their signals, the most that the rules leave of their confidence, labels and groups.

    Claims of one group share the claim or the evidence and are never on both sides of a fit.
    """

    name: str
    signals: Array
    ceilings: Array
    labels: Flags
    groups: tuple[str, ...]


class Fitted(NamedTuple):
    """A model and the lowest confidence at which a claim counts as supported."""

    model: Model
    threshold: float


def main() -> None:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the model anew and print it")
    arguments = parser.parse_args()
    claim_checker = Checker(MiniLM(surroundings.cache("models")))
    sets = [_read_set(path, claim_checker) for path in sorted(_CLAIMS.glob("*.jsonl"))]
    if not sets:
        say("No labelled claims lie beside the project; measuring the altered ones alone.")
    else:
        _report_labelled(sets)
    if arguments.fit and sets:
        fitted = fit(sets)
        true = np.concatenate([_confidences(each, fitted.model)[each.labels] for each in sets])
        say(f"MODEL = {_rounded(fitted.model)}")
        say(f"SUPPORTED = {fitted.threshold:.2f}")
        say(f"PARTIAL = {threshold_keeping(_SHARE_PARTIAL, true):.2f}")
        return
    _report_altered(claim_checker)
    _report_speed(claim_checker)


def _read_set(path: Path, claim_checker: Checker) -> ClaimSet:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    measured = claim_checker.measure([Check(row["claim"], (row["evidence"],)) for row in rows])
    kept = [(row, each) for row, each in zip(rows, measured, strict=True) if each is not None]
    claims = {row["claim"] for row, _ in kept}
    texts = {row["evidence"] for row, _ in kept}
    shared = "claim" if len(claims) < len(texts) else "evidence"
    return ClaimSet(
        name=path.stem,
        signals=np.array([(*each.coverage, *each.agreement) for _, each in kept]),
        ceilings=np.array([checker.CEILINGS[each.conflict] for _, each in kept]),
        labels=np.array([row["label"] == 1 for row, _ in kept]),
        groups=tuple(row[shared] for row, _ in kept),
    )


def _report_labelled(sets: Sequence[ClaimSet]) -> None:
    own = Fitted(checker.MODEL, checker.SUPPORTED)
    together = cross_validate(sets)
    for each in sets:
        alone = cross_validate([each])[0]
        rest = [other for other in sets if other is not each]
        accuracy = balanced_accuracy(_confidences(each, own.model) >= own.threshold, each.labels)
        say(
            f"{each.name}: {len(each.labels)} claims, balanced accuracy "
            f"{together[sets.index(each)]} cross-validated over all sets, {alone} over this one; "
            f"{accuracy:.3f} with the model as built in, which has seen them"
        )
        if rest:
            other = fit(rest)
            scores = _confidences(each, other.model)
            unseen = balanced_accuracy(scores >= other.threshold, each.labels)
            say(
                f"  fitted to the other sets alone: {unseen:.3f} "
                f"(area under the curve {area_under_curve(scores, each.labels):.3f})"
            )


class Score(NamedTuple):
    """Cross-validated balanced accuracy and area under the curve, and how they vary by division."""

    accuracy: float
    deviation: float
    area: float

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} ± {self.deviation:.3f} (area {self.area:.3f})"


def cross_validate(sets: Sequence[ClaimSet]) -> list[Score]:
    """Judge every claim by a model and threshold fitted without its group."""
    found: list[list[tuple[float, float]]] = [[] for _ in sets]
    for repeat in range(_REPEATS):
        folds = [_divide(each.groups, seed=repeat) for each in sets]
        scores = [np.zeros(len(each.labels)) for each in sets]
        verdicts = [np.zeros(len(each.labels), dtype=bool) for each in sets]
        for number in range(_FOLDS):
            fitted = fit(
                [_rows(each, fold != number) for each, fold in zip(sets, folds, strict=True)]
            )
            for index, (each, fold) in enumerate(zip(sets, folds, strict=True)):
                inside = fold == number
                scores[index][inside] = _confidences(_rows(each, inside), fitted.model)
                verdicts[index][inside] = scores[index][inside] >= fitted.threshold
        for index, each in enumerate(sets):
            accuracy = balanced_accuracy(verdicts[index], each.labels)
            found[index].append((accuracy, area_under_curve(scores[index], each.labels)))
    return [
        Score(
            float(np.mean([accuracy for accuracy, _ in each])),
            float(np.std([accuracy for accuracy, _ in each])),
            float(np.mean([area for _, area in each])),
        )
        for each in found
    ]


def _divide(groups: Sequence[str], *, seed: int) -> npt.NDArray[np.intp]:
    distinct = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(distinct))
    fold = {group: int(place) % _FOLDS for group, place in zip(distinct, order, strict=True)}
    return np.array([fold[group] for group in groups])


def _rows(each: ClaimSet, chosen: Flags) -> ClaimSet:
    groups = tuple(group for group, kept in zip(each.groups, chosen, strict=True) if kept)
    return ClaimSet(
        each.name, each.signals[chosen], each.ceilings[chosen], each.labels[chosen], groups
    )


def fit(sets: Sequence[ClaimSet]) -> Fitted:
    """Fit the product of two logistic models; every set counts alike, and so do both labels in it."""
    signals = np.concatenate([each.signals for each in sets])
    labels = np.concatenate([each.labels for each in sets])
    weights = np.concatenate([_balance(each.labels) for each in sets]) / len(sets)
    mean, deviation = signals.mean(axis=0), signals.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = (signals - mean) / deviation
    bounds = [(0, None) if sign > 0 else (None, 0) for sign in _SIGNS] + [(None, None)] * 2
    start = np.zeros(len(_SIGNS) + 2)
    found = minimize(
        _loss, start, args=(scaled, labels, weights), jac=True, method="L-BFGS-B", bounds=bounds
    ).x
    slopes = found[:-2] / deviation
    shifts = slopes * mean
    model = Model(
        Coverage(*map(float, slopes[:_COVERAGE])),
        float(found[-2] - shifts[:_COVERAGE].sum()),
        Agreement(*map(float, slopes[_COVERAGE:])),
        float(found[-1] - shifts[_COVERAGE:].sum()),
    )
    return Fitted(model, _best_threshold(sets, model))


def _loss(parameters: Array, scaled: Array, labels: Flags, weights: Array) -> tuple[float, Array]:
    """Return weighted log-loss and penalty of the product of both models, and the gradient."""
    slopes = parameters[:-2]
    covered = _logistic(scaled[:, :_COVERAGE] @ slopes[:_COVERAGE] + parameters[-2])
    agreed = _logistic(scaled[:, _COVERAGE:] @ slopes[_COVERAGE:] + parameters[-1])
    product = np.clip(covered * agreed, 1e-9, 1 - 1e-9)
    loss = -weights @ np.where(labels, np.log(product), np.log1p(-product))
    change = -weights * np.where(labels, 1.0, -product / (1 - product))
    covering, agreeing = change * (1 - covered), change * (1 - agreed)
    gradient = np.concatenate(
        [
            scaled[:, :_COVERAGE].T @ covering + 2 * _PENALTY * slopes[:_COVERAGE],
            scaled[:, _COVERAGE:].T @ agreeing + 2 * _PENALTY * slopes[_COVERAGE:],
            [covering.sum(), agreeing.sum()],
        ]
    )
    return float(loss + _PENALTY * slopes @ slopes), gradient


def _logistic(odds: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-odds))
    return result


def _balance(labels: Flags) -> Array:
    weights: Array = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    return weights


def _best_threshold(sets: Sequence[ClaimSet], model: Model) -> float:
    scores = [_confidences(each, model) for each in sets]
    candidates = np.quantile(np.concatenate(scores), np.linspace(0.05, 0.95, 181))
    accuracies = [
        sum(
            balanced_accuracy(score >= candidate, each.labels)
            for score, each in zip(scores, sets, strict=True)
        )
        for candidate in candidates
    ]
    return float(candidates[int(np.argmax(accuracies))])


def _confidences(each: ClaimSet, model: Model) -> Array:
    """Return the confidence the checker would have in each claim with this model."""
    found = [
        probability(Coverage(*row[:_COVERAGE]), Agreement(*row[_COVERAGE:]), model)
        for row in each.signals.tolist()
    ]
    return np.minimum(found, each.ceilings)


def balanced_accuracy(verdicts: Flags, labels: Flags) -> float:
    """Return the mean of the shares of either label that are judged rightly."""
    return float((verdicts[labels].mean() + (~verdicts[~labels]).mean()) / 2)


def _rounded(model: Model) -> str:
    coverage = Coverage(*(round(weight, 2) for weight in model.coverage))
    agreement = Agreement(*(round(weight, 2) for weight in model.agreement))
    return str(
        Model(coverage, round(model.coverage_bias, 2), agreement, round(model.agreement_bias, 2))
    )


class Altered(NamedTuple):
    """A true sentence, what was made of it, and the text it is from."""

    kind: str
    sentence: str
    claim: str
    evidence: str


_Rewrite = Callable[[str, "_Source"], str | None]


class _Source(NamedTuple):
    """What a rewrite may draw on: the sentence's own text, names of other texts, and chance."""

    text: str
    names: tuple[str, ...]
    random: random.Random


def _another_number(sentence: str, source: _Source) -> str | None:
    found = [each for each in quantities(sentence) if _digits(sentence, each.span)]
    if not found:
        return None
    span = source.random.choice(found).span
    digits = _DIGITS.search(sentence, span.start, span.end)
    assert digits is not None
    other = _other_digits(digits.group(), source)
    return sentence[: digits.start()] + other + sentence[digits.end() :] if other else None


_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def _digits(sentence: str, span: tuple[int, int]) -> bool:
    return _DIGITS.search(sentence, *span) is not None


def _other_digits(digits: str, source: _Source) -> str | None:
    """Change one digit, or swap two: a number the text does not hold."""
    for _ in range(20):
        letters = list(digits)
        place = source.random.choice([i for i, char in enumerate(letters) if char.isdigit()])
        letters[place] = source.random.choice("123456789")
        if source.random.random() < 0.5:
            first, last = letters.index(min(letters)), len(letters) - 1
            letters[first], letters[last] = letters[last], letters[first]
        other = "".join(letters)
        if other != digits and _DIGITS.fullmatch(other) and other not in source.text:
            return other
    return None


def _another_name(sentence: str, source: _Source) -> str | None:
    found = [span for span in word_spans(sentence) if is_coined(sentence[slice(*span)])]
    others = [name for name in source.names if name.lower() not in source.text.lower()]
    if not found or not others:
        return None
    span = source.random.choice(found)
    return sentence[: span.start] + source.random.choice(others) + sentence[span.end :]


_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|has|have|does|do)\b(?! not)(?= [a-z])"
)
_VERB = re.compile(
    r"\b(achieve|improve|outperform|enable|demonstrate|reduce|provide|require|increase|support|introduce|enhance)s\b"
)
_NOT = re.compile(r"\b(is|are|can|could|does|do|has|have) not\b|\bcannot\b|\bwithout\b")


def _negated(sentence: str, source: _Source) -> str | None:
    """Put a "not" into the sentence, or take one out."""
    rewrites: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
        (_NOT, _affirm),
        (_AUXILIARY, lambda match: f"{match[1]} not"),
        (_VERB, lambda match: f"does not {match[1]}"),
    ]
    source.random.shuffle(rewrites)
    for pattern, rewrite in rewrites:
        found = list(pattern.finditer(sentence))
        if found:
            match = source.random.choice(found)
            return sentence[: match.start()] + rewrite(match) + sentence[match.end() :]
    return None


def _affirm(match: re.Match[str]) -> str:
    return {"cannot": "can", "without": "with"}.get(match[0]) or match[1]


def _own_number(sentence: str, source: _Source) -> str | None:
    """Put another number of the same text in the place of one."""
    found = _numbers(sentence)
    others = [
        number
        for span in _numbers(source.text)
        if (number := source.text[slice(*span)]) not in sentence
    ]
    if not found or not others:
        return None
    start, end = source.random.choice(found)
    return sentence[:start] + source.random.choice(others) + sentence[end:]


def _own_name(sentence: str, source: _Source) -> str | None:
    """Put another name of the same text in the place of one."""
    found = _coined(sentence)
    others = [
        name
        for span in _coined(source.text)
        if (name := source.text[slice(*span)]).lower() not in sentence.lower()
    ]
    if not found or not others:
        return None
    span = source.random.choice(found)
    return sentence[: span.start] + source.random.choice(others) + sentence[span.end :]


def _exchanged_numbers(sentence: str, source: _Source) -> str | None:
    return _exchanged(sentence, [Span(*span) for span in _numbers(sentence)], source)


def _exchanged_names(sentence: str, source: _Source) -> str | None:
    return _exchanged(sentence, _coined(sentence), source)


_IN_ONE_LIST = re.compile(r"[\s,/()&-]*(?:and|or)?[\s,/()&-]*")


def _exchanged(sentence: str, spans: Sequence[Span], source: _Source) -> str | None:
    """Exchange two stretches that are not the same and not side by side in one list."""
    pairs = [
        (first, second)
        for index, first in enumerate(spans)
        for second in spans[index + 1 :]
        if sentence[slice(*first)].lower() != sentence[slice(*second)].lower()
        and not _IN_ONE_LIST.fullmatch(sentence[first.end : second.start])
    ]
    if not pairs:
        return None
    first, second = source.random.choice(pairs)
    between = sentence[first.end : second.start]
    return (
        sentence[: first.start]
        + sentence[slice(*second)]
        + between
        + sentence[slice(*first)]
        + sentence[second.end :]
    )


def _numbers(sentence: str) -> list[tuple[int, int]]:
    """Find the digits of the quantities in a sentence."""
    found = (_DIGITS.search(sentence, *each.span) for each in quantities(sentence))
    return [match.span() for match in found if match is not None]


def _coined(text: str) -> list[Span]:
    return [span for span in word_spans(text) if is_coined(text[slice(*span)])]


_ANTONYMS = {
    "open-source": "closed-source", "outperforms": "underperforms", "improves": "worsens",
    "improving": "degrading", "efficient": "inefficient", "reduces": "increases",
    "reducing": "increasing", "high": "low", "better": "worse", "larger": "smaller",
    "robust": "fragile", "supervised": "unsupervised", "static": "dynamic", "accurate": "inaccurate",
    "strong": "weak", "first": "last", "public": "private", "significantly": "barely",
    "consistently": "rarely", "simple": "complex", "fewer": "more", "explicit": "implicit",
    "relevant": "irrelevant", "long": "short", "ability": "inability", "success": "failure",
    "discloses": "hides", "reliable": "unreliable", "global": "local", "enables": "prevents",
    "enhances": "impairs", "novel": "old", "diverse": "uniform", "critical": "trivial",
}  # fmt: skip


def _antonym(sentence: str, source: _Source) -> str | None:
    found = [match for match in re.finditer(r"[A-Za-z-]+", sentence) if match[0] in _ANTONYMS]
    if not found:
        return None
    match = source.random.choice(found)
    return sentence[: match.start()] + _ANTONYMS[match[0]] + sentence[match.end() :]


_ALTERATIONS: Mapping[str, _Rewrite] = {
    "number": _another_number,
    "name": _another_name,
    "negation": _negated,
}
_ALTERATIONS_WITHIN: Mapping[str, _Rewrite] = {
    "names exchanged": _exchanged_names,
    "numbers exchanged": _exchanged_numbers,
    "a name of the same text": _own_name,
    "a number of the same text": _own_number,
    "antonym": _antonym,
}
"""What puts nothing in that the text does not have, or only a word."""

_SYNONYMS = {
    "show": "demonstrate", "demonstrate": "show", "demonstrates": "shows", "shows": "demonstrates",
    "propose": "present", "present": "propose", "introduce": "propose", "novel": "new", "new": "novel",
    "achieves": "reaches", "achieve": "reach", "utilize": "use", "utilizing": "using", "leverages": "uses",
    "leveraging": "using", "approach": "method", "method": "approach", "methods": "approaches",
    "approaches": "methods", "significantly": "substantially", "significant": "substantial",
    "enhances": "improves", "enhancing": "improving", "improves": "enhances", "crucial": "essential",
    "enables": "allows", "framework": "system", "existing": "current", "current": "existing",
    "performance": "results", "tasks": "problems", "requires": "needs", "numerous": "many",
    "however": "yet", "additionally": "moreover", "furthermore": "moreover", "effectively": "successfully",
    "challenging": "difficult", "provides": "offers", "provide": "offer", "develop": "build",
}  # fmt: skip


def _synonyms(sentence: str, _: _Source) -> str | None:
    return _reworded(sentence)


def _reworded(sentence: str) -> str:
    def other(match: re.Match[str]) -> str:
        word = match[0]
        found = _SYNONYMS.get(word.lower(), word)
        return found.capitalize() if word[0].isupper() and found.islower() else found

    return re.sub(r"[A-Za-z]+", other, sentence)


def _without_aside(sentence: str, _: _Source) -> str | None:
    return re.sub(r"\s*\([^()]*\)", "", sentence)


def _reordered(sentence: str, _: _Source) -> str | None:
    """Move what stands before the first comma to the end."""
    match = re.match(
        r"((?:In|By|To|For|With|On|While|Through|Unlike|When|Despite)\b[^,]{8,}), (.+)\.$", sentence
    )
    if match is None:
        return None
    lead, rest = match[1], match[2]
    return f"{rest[0].upper()}{rest[1:]} {lead[0].lower()}{lead[1:]}."


def _last_clause_dropped(sentence: str, _: _Source) -> str | None:
    head, comma, _tail = sentence.rpartition(", ")
    return f"{head}." if comma and len(head.split()) > 7 else None


def _third_person(sentence: str, _: _Source) -> str | None:
    if not re.search(r"\b(?:We|we|Our|our)\b", sentence):
        return None
    swapped = re.sub(r"\bWe\b", "The authors", re.sub(r"\bwe\b", "the authors", sentence))
    return re.sub(r"\bOur\b", "Their", re.sub(r"\bour\b", "their", swapped))


_REWORDINGS: Mapping[str, _Rewrite] = {
    "synonyms": _synonyms,
    "aside dropped": _without_aside,
    "reordered": _reordered,
    "last clause dropped": _last_clause_dropped,
    "third person": _third_person,
}


def altered(
    papers: Sequence[Paper], rewrites: Mapping[str, _Rewrite], *, seed: int = 0
) -> Iterator[Altered]:
    """Rewrite each sentence of each abstract in each way that applies to it."""
    chance = random.Random(seed)  # noqa: S311 - for repeatable claims
    names = {
        paper.id: tuple(
            dict.fromkeys(
                word
                for span in word_spans(paper.abstract)
                if is_coined(word := paper.abstract[slice(*span)])
            )
        )
        for paper in papers
    }
    for paper in papers:
        others = tuple(name for id_, found in names.items() if id_ != paper.id for name in found)
        source = _Source(paper.abstract, others, chance)
        for span in sentences(paper.abstract):
            sentence = paper.abstract[slice(*span)]
            for kind, rewrite in rewrites.items():
                claim = rewrite(sentence, source)
                if claim and claim != sentence:
                    yield Altered(kind, sentence, claim, paper.abstract)


def _report_altered(claim_checker: Checker) -> None:
    digest = surroundings.digest()
    with digest.path.open("rb") as file:
        found = list(read_digest(iter(lambda: file.read(65_536), b""), digest.path))
    papers = [each.paper for each in found if isinstance(each, SourcedPaper)]
    cases = list(altered(papers, _ALTERATIONS))
    chosen = _sample(cases, _ALTERED)
    say(f"{digest.label}: {len(chosen)} of {len(cases)} altered sentences")
    _say_flagged("altered", chosen, claim_checker)
    originals = [each._replace(claim=each.sentence) for each in chosen]
    _say_flagged("unaltered", originals, claim_checker)
    within = _sample(list(altered(papers, _ALTERATIONS_WITHIN)), _ALTERED)
    _say_flagged("altered within the text", within, claim_checker)
    reworded = _sample(list(altered(papers, _REWORDINGS)), _ALTERED)
    _say_flagged("reworded", reworded, claim_checker)
    both = [each._replace(claim=_reworded(each.claim)) for each in chosen]
    _say_flagged("altered and reworded", both, claim_checker)


def _sample(cases: Sequence[Altered], count: int) -> list[Altered]:
    """Draw cases, as many of each kind as there are, up to equal shares."""
    chance = random.Random(0)  # noqa: S311 - for repeatable claims
    kinds = {
        kind: [each for each in cases if each.kind == kind] for kind in {c.kind for c in cases}
    }
    chosen: list[Altered] = []
    for left, kind in zip(
        range(len(kinds), 0, -1), sorted(kinds, key=lambda k: len(kinds[k])), strict=True
    ):
        share = min(len(kinds[kind]), math.ceil((count - len(chosen)) / left))
        chosen += chance.sample(kinds[kind], share)
    return chosen


def _say_flagged(label: str, cases: Sequence[Altered], claim_checker: Checker) -> None:
    judged = claim_checker.check([Check(each.claim, (each.evidence,)) for each in cases])
    flagged: dict[str, list[bool]] = {}
    for case, judgement in zip(cases, judged, strict=True):
        flag = judgement.verdict in {"unsupported", "contradicted"}
        flagged.setdefault(case.kind, []).append(flag)
    everything = [flag for flags in flagged.values() for flag in flags]
    supported = sum(each.verdict == "supported" for each in judged) / max(len(judged), 1)
    by_kind = ", ".join(
        f"{kind} {np.mean(flags):.1%} of {len(flags)}" for kind, flags in flagged.items()
    )
    say(f"  {label}: {np.mean(everything):.1%} flagged, {supported:.1%} supported ({by_kind})")


def _report_speed(claim_checker: Checker) -> None:
    digest = surroundings.digest()
    with digest.path.open("rb") as file:
        found = list(read_digest(iter(lambda: file.read(65_536), b""), digest.path))
    texts = [each.paper.abstract for each in found if isinstance(each, SourcedPaper)]
    parts = [text[slice(*span)] for text in texts for span in sentences(text)]
    claims = [f"{part[:-1]} indeed" for part in parts[::7][:20]]
    shared = [Check(claim, tuple(parts[:5])) for claim in claims]
    apart = [
        Check(claim, tuple(parts[5 * index : 5 * index + 5])) for index, claim in enumerate(claims)
    ]
    for label, checks in (("the same 5 sentences", shared), ("5 sentences of their own", apart)):
        claim_checker.check(checks)
        started = time.perf_counter()
        for _ in range(5):
            claim_checker.check(checks)
        each = (time.perf_counter() - started) / 5
        say(f"20 claims over {label}: {1000 * each:.0f} ms")


if __name__ == "__main__":
    main()
