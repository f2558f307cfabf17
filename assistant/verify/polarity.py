"""Polarity: which words a negation reaches, and words that mean the opposite of each other."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from assistant.text import stem

NEGATORS = frozenset(
    """not no never without neither nor none nobody nothing nowhere cannot hardly barely scarcely
    unable lack lacks lacked lacking absence absent fail fails failed failing failure refuse
    refuses refused stop stops stopped prevent prevents prevented avoid avoids avoided""".split()  # noqa: SIM905 - a word list reads best as prose
)
_CONTRACTED = re.compile(r"n['’]t$")
_CONTRACTIONS = frozenset(
    """dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt cant couldnt wont wouldnt shouldnt
    aint""".split()  # noqa: SIM905 - a word list reads best as prose
)

_OPPOSITES = (
    # Each line is an axis of meaning; what stands left of the bar is the opposite of what stands right.
    """increase increased increases rise rises raise elevate elevated enhance enhances higher high more
    greater gain grow grows growth expand promote induce activate activates activation stimulate
    upregulate upregulated upregulation accelerate boost facilitate amplify strengthen
    facilitates extend augment most excess overexpression outperform exceed surpass | decrease
    reduce reduces reduction lower low less fewer decline drop shrink suppress inhibit
    inhibition inhibitor downregulate downregulated downregulation attenuate impair impaired
    diminish slow block weaken hinder hamper restrict least limit minimize deplete depletion
    knockdown underperform fall loss deficiency deficient prevent prevents deficit loses""",
    """improve improves improvement better best superior benefit beneficial outperform surpass exceed
    effective efficient strong stronger successful succeed success robust | degrade worsen worse
    worst inferior harm harmful underperform ineffective inefficient weak weaker unsuccessful
    fail failure deteriorate impair struggle""",
    "include contain comprise possess retain keep | exclude omit lack remove discard eliminate drop",
    "with having | without lacking",
    "presence present | absence absent",
    "before prior precede early earlier pre | after following follow late later post subsequent",
    """support confirm corroborate validate verify prove | contradict refute disprove reject challenge
    dispute""",
    """accept approve agree allow permit enable | reject refuse decline disagree deny forbid prohibit
    disable prevent""",
    "majority most many often frequently always usually | minority few rarely seldom never",
    "all every | none no",
    "large larger big bigger largest | small smaller little tiny smallest",
    "fast faster rapid quick quickly rapidly | slow slower slowly",
    "long longer lengthy | short shorter brief",
    "easy easier simple simpler | hard harder difficult complex complicated",
    "positive positively | negative negatively",
    "same similar identical alike | different distinct dissimilar unlike",
    "known clear certain sure | unknown unclear uncertain unsure",
    "dependent depends depend | independent independently",
    "possible able can | impossible unable cannot",
    "complete consistent sufficient adequate | incomplete inconsistent insufficient inadequate",
    "active regular relevant visible valid | inactive irregular irrelevant invisible invalid",
    "true correct right accurate | false incorrect wrong inaccurate",
    "cheap cheaper inexpensive | expensive costly",
    "new novel recent modern | old traditional outdated",
    "start begin open | stop end finish close",
    "maximum maximize maximise | minimum minimize minimise",
    "upper above over | lower below under beneath",
    "global globally | local locally",
    "online | offline",
    "supervised | unsupervised",
    "linear | nonlinear",
    "static | dynamic",
    "dense | sparse",
    "public open | private closed proprietary",
    "manual manually | automatic automatically",
    "train training | inference test testing",
    "input | output",
    "male man men father brother son husband boy | female woman women mother sister daughter wife girl",
    "like love enjoy prefer | dislike hate detest",
    "buy purchase | sell",
    "lend borrow | return",
    "win won | lose lost",
    "happy glad pleased | sad unhappy upset angry",
    "hot warm | cold cool",
    "sunny | rainy cloudy",
    "today | tomorrow yesterday",
    "morning | evening night afternoon",
    "arrive come enter | leave depart go",
    "remember recall | forget",
    "ask | answer reply",
    "young younger | old older",
    "good great nice | bad poor terrible awful",
    "safe | dangerous unsafe risky",
    "necessary essential required | unnecessary optional dispensable",
    "first | last",
    "acute | chronic",
    "resistant resistance insensitive | sensitive susceptible sensitivity susceptibility",
)
# Words that say that something is more, better or there; and less, worse or absent.
_UP = frozenset(
    stem(word)
    for word in """increase increased increases rise risen rises raise elevate elevated enhance
    enhances higher high more greater gain grow growth expand promote induce activate activation stimulate
    upregulate upregulated upregulation accelerate boost facilitate amplify strengthen extend
    augment excess overexpression outperform exceed surpass improve improves improvement better
    best superior benefit beneficial effective efficient strong stronger successful success
    positive positively majority most often frequently large larger fast faster long longer
    sensitive essential necessary required crucial significant cause causes lead leads dependent
    depends presence present important predict predicts predictive associated association
    correlated linked role""".split()  # noqa: SIM905 - a word list reads best as prose
)
_DOWN = frozenset(
    stem(word)
    for word in """decrease decreased reduce reduced reduces reduction lower low less fewer decline drop
    suppress suppressed inhibit inhibits inhibition inhibitor downregulate downregulated downregulation
    attenuate attenuated impair impaired diminish slow block weaken hinder limit minimize
    deplete depletion knockdown knockout deletion loss deficiency deficient prevent prevents
    protect protective deficit degrade worsen worse poor poorer inferior harmful underperform
    ineffective inefficient weak weaker unsuccessful fail failure negative negatively inverse
    inversely minority rarely small smaller short shorter resistant independent independently
    dispensable unnecessary absence absent lacking lack unrelated insensitive ameliorate reverse
    repress represses abolish abrogate disrupt""".split()  # noqa: SIM905 - a word list reads best as prose
)
_COMPARISONS = frozenset(
    stem(word)
    for word in """outperform surpass exceed beat underperform better worse higher lower faster slower larger
    smaller more less greater superior inferior stronger weaker""".split()  # noqa: SIM905 - a word list reads best as prose
)
_PREFIXES = ("un", "non", "dis")
_SHORTEST_PREFIXED = 4
_PREFIX = re.compile(rf"^(?:{'|'.join(_PREFIXES)})(?=[a-z]{{{_SHORTEST_PREFIXED}}})")


class Pole(NamedTuple):
    """Where a word stands on an axis of meaning: its number, and +1 or -1."""

    axis: int
    sign: int


def _poles() -> dict[str, tuple[Pole, ...]]:
    found: dict[str, list[Pole]] = {}
    for axis, line in enumerate(_OPPOSITES):
        for side, sign in zip(line.split("|"), (1, -1), strict=True):
            for word in dict.fromkeys(stem(each) for each in side.split()):
                found.setdefault(word, []).append(Pole(axis, sign))
    return {word: tuple(poles) for word, poles in found.items()}


_POLES = _poles()
_SIDES: dict[Pole, tuple[str, ...]] = {
    pole: tuple(word for word, poles in _POLES.items() if pole in poles)
    for pole in {pole for poles in _POLES.values() for pole in poles}
}


@lru_cache(maxsize=20_000)
def opposites(word: str) -> frozenset[str]:
    """Return the stems that mean the opposite of a stem, as "less" that of "more"."""
    found = {other for axis, sign in _POLES.get(word, ()) for other in _SIDES[Pole(axis, -sign)]}
    return frozenset({*found, *_negated_forms(word)} - {word})


@lru_cache(maxsize=20_000)
def allies(word: str) -> frozenset[str]:
    """Return the stems that stand on the same side as a stem, itself not among them."""
    return frozenset(other for pole in _POLES.get(word, ()) for other in _SIDES[pole]) - {word}


def _negated_forms(word: str) -> Iterable[str]:
    match = _PREFIX.match(word)
    if match:
        yield word[match.end() :]
    if len(word) >= _SHORTEST_PREFIXED:
        yield from (prefix + word for prefix in _PREFIXES)


def is_negator(word: str) -> bool:
    """Tell whether a folded word negates what follows it."""
    return word in NEGATORS or word in _CONTRACTIONS or _CONTRACTED.search(word) is not None


def direction(word: str) -> int:
    """Return +1 for a stem that says more, better or there, -1 for less, worse or absent, else 0."""
    return (word in _UP) - (word in _DOWN)


def is_comparison(word: str) -> bool:
    """Tell whether a stem sets one thing above another, as in "A outperforms B"."""
    return word in _COMPARISONS
