"""Words of which one in the place of the other makes a true sentence false.

Wider than the axes of ``polarity``, which speak of words wherever they stand: what is listed here counts only
where one word stands exactly where the evidence has the other.
"""

import re
from functools import lru_cache

from assistant.text import stem
from assistant.verify.polarity import allies, opposites

_PAIRS = (
    # What stands left of a bar is not what stands right of it.
    """disclose reveal expose show share publish release report | hide conceal withhold obscure suppress
    omit keep""",
    """open opened opening public transparent free | closed close closing proprietary private secret opaque
    paid""",
    "improve enhance boost strengthen refine advance | worsen degrade hurt harm impair weaken undermine",
    """increase raise grow rise gain expand amplify extend accelerate | decrease reduce lower shrink
    fall drop decline
    lose curtail dampen shorten decelerate""",
    "rising rises rose risen growing grew grown | falling falls fell fallen shrinking shrank declining",
    "outperform exceed surpass beat lead | underperform trail lag lose",
    "achieve reach attain succeed meet solve resolve | miss fail lose",
    """enable allow permit facilitate help support empower | prevent block hinder forbid inhibit impede
    preclude""",
    "support favor endorse | oppose undermine contradict",
    """address tackle solve overcome mitigate alleviate reduce resolve prevent eliminate avoid | cause
    create worsen
    exacerbate aggravate ignore neglect introduce""",
    "consider examine investigate study explore analyze address | ignore neglect overlook disregard skip",
    "use utilize employ adopt leverage apply require need | avoid eschew abandon reject forgo discard",
    "include incorporate add insert append contain cover | exclude omit remove delete lack drop",
    """integrate combine merge unify unite join connect link | separate split divide isolate disconnect
    decouple""",
    "preserve maintain retain keep protect conserve | lose destroy discard forget alter change",
    "generate create produce build construct assemble form | destroy consume demolish dismantle break",
    "encode compress pack | decode decompress unpack",
    "accept | reject",
    "agree consent confirm | disagree dissent deny",
    "attract | repel",
    "ascend ascending climb upward up upper top | descend descending downward down lower bottom",
    "attach | detach remove",
    "enter entry | exit leave",
    "push | pull",
    "send transmit | receive",
    "give provide offer supply | take deny withhold",
    "remember memorize recall retain | forget",
    "start begin launch initiate | stop end finish halt terminate",
    "converge | diverge",
    "simplify ease | complicate",
    "scale | saturate",
    "stabilize | destabilize",
    "narrow narrower tighten shrink close bridge | broad broader wide wider widen expand loosen",
    "high higher highest tall | low lower lowest short",
    "more most many much greater | fewer less least few little",
    "better best superior | worse worst inferior",
    """strong robust powerful solid resilient sturdy stable reliable | weak fragile brittle feeble poor
    unstable vulnerable
    unreliable flaky""",
    """large big huge vast massive great substantial considerable major extensive | small tiny minor modest
    negligible slight marginal limited minimal""",
    """significant substantial marked dramatic notable considerable | insignificant negligible marginal
    slight minimal""",
    """significantly substantially markedly dramatically considerably greatly notably strongly | slightly
    marginally barely hardly minimally negligibly weakly insignificantly""",
    """consistently always often frequently usually commonly typically generally | rarely seldom never
    occasionally sporadically""",
    "rapidly quickly fast swiftly promptly | slowly gradually sluggishly",
    "fast faster quick rapid swift | slow slower sluggish gradual",
    "efficient economical | wasteful costly slow expensive",
    "efficiently | wastefully",
    """effective successful useful helpful valuable beneficial | futile useless worthless harmful
    detrimental""",
    "successfully | unsuccessfully vainly",
    """simple easy trivial straightforward plain | complex hard difficult complicated intricate challenging
    sophisticated""",
    "deep deeper | shallow shallower superficial",
    "long longer lengthy | short shorter brief",
    "heavy heavyweight | light lightweight",
    "thick | thin",
    "hot warm | cold cool",
    "wet | dry",
    "hard rigid stiff | soft flexible pliable",
    "loose | tight strict",
    "coarse rough | fine smooth",
    "sharp clear | blurry blurred vague fuzzy noisy",
    "clear obvious evident explicit | unclear vague obscure implicit ambiguous",
    "clean | dirty noisy corrupted",
    "rich abundant ample plentiful dense | poor scarce sparse scant",
    "abundance | scarcity shortage lack",
    """common frequent widespread prevalent ubiquitous popular | rare uncommon infrequent unusual
    unpopular""",
    "general generic universal broad | specific particular special narrow",
    "generally | specifically",
    "global overall worldwide | local regional partial",
    "full complete entire whole total | partial incomplete empty",
    "fully completely entirely wholly | partially partly",
    "all every each both | none some neither few",
    """new novel recent modern latest contemporary innovative unprecedented | old ancient outdated
    traditional classical conventional obsolete existing earlier""",
    "early earlier | late later",
    "current present | past former future previous",
    "previous prior preceding | next subsequent following later future",
    "before | after",
    "first initial initially | last final finally second",
    "beginning start | end",
    "temporary transient short-term | permanent lasting long-term",
    "static fixed constant frozen stationary | dynamic variable adaptive changing trainable moving",
    "constant stable invariant steady | variable unstable varying fluctuating",
    "active | passive idle dormant",
    "automatic automated automatically | manual manually",
    """real genuine actual authentic natural true original | fake artificial synthetic simulated virtual
    false counterfeit""",
    "human | machine",
    "safe secure harmless benign | unsafe dangerous harmful risky malicious insecure toxic hazardous",
    "benign | adversarial malignant malicious",
    "safety security | danger risk",
    "trustworthy reliable faithful | untrustworthy unreliable deceptive",
    "positive positively optimistic | negative negatively pessimistic",
    """good great excellent outstanding impressive remarkable strong promising | bad poor terrible mediocre
    disappointing weak unpromising""",
    """correct right accurate true exact precise valid | wrong incorrect inaccurate false approximate
    imprecise flawed erroneous""",
    "correctly accurately precisely exactly | wrongly incorrectly inaccurately roughly",
    "exact | approximate",
    """same identical similar alike equal homogeneous uniform | different distinct dissimilar diverse
    unequal heterogeneous varied""",
    "similarity | difference",
    "similarly | conversely differently",
    "diverse varied heterogeneous | uniform homogeneous identical monotonous",
    "diversity | uniformity",
    "balanced | skewed imbalanced biased",
    "fair impartial unbiased | unfair partial biased",
    "single one individual sole | multiple many several numerous",
    "single-turn | multi-turn",
    "numerous many several various | few rare",
    "together jointly simultaneously | separately individually sequentially apart",
    "parallel simultaneous concurrent | sequential serial",
    "centralized | decentralized distributed federated",
    "discrete | continuous",
    "deterministic | stochastic random probabilistic",
    "random | systematic deterministic ordered",
    "structured | unstructured",
    "labeled annotated | unlabeled unannotated raw",
    "supervised | unsupervised",
    "paired | unpaired",
    "linear | nonlinear quadratic exponential",
    "quadratic | linear",
    "symmetric | asymmetric",
    "directed | undirected",
    "dense | sparse",
    "convex | concave",
    "absolute | relative",
    "qualitative qualitatively | quantitative quantitatively",
    "quality | quantity",
    """theoretical theoretically theory | empirical empirically practical practically practice
    experimental""",
    "abstract | concrete",
    "subjective | objective",
    "direct directly | indirect indirectly",
    "explicit explicitly | implicit implicitly",
    "internal inner inside intrinsic interior | external outer outside extrinsic exterior",
    "inward | outward",
    "forward forwards | backward backwards",
    "front | back rear",
    "left | right",
    "top | bottom",
    "above over | below under",
    "within inside | outside beyond",
    "near close nearby adjacent | far distant remote",
    "horizontal horizontally | vertical vertically",
    "online | offline",
    "on-policy | off-policy",
    "upstream | downstream",
    "bottom-up | top-down",
    "in-domain in-distribution | out-of-domain out-of-distribution cross-domain",
    "seen known familiar | unseen unknown unfamiliar novel",
    "short-term | long-term",
    "low-rank | full-rank",
    "training train trained pre-training | inference testing test evaluation deployment",
    "input inputs source query | output outputs target",
    "encoder encoding | decoder decoding",
    "question | answer",
    "teacher | student",
    "expert professional experienced | novice amateur beginner layman inexperienced",
    "numerator | denominator",
    "minimum minimal minimize minimizing | maximum maximal maximize maximizing",
    "ceiling | floor",
    """advantage strength benefit merit pro | disadvantage weakness drawback limitation harm shortcoming
    con""",
    "success | failure",
    "gain improvement increase growth rise | loss degradation decrease decline drop reduction",
    "cause | effect",
    "supply | demand",
    "profit | loss",
    "reward | penalty punishment cost",
    "friend ally | enemy rival opponent",
    "cooperative collaborative cooperation collaboration | competitive adversarial competition conflict",
    "presence | absence",
    "majority most | minority few",
    "possible feasible able can capable | impossible infeasible unable incapable",
    """necessary essential required crucial vital critical key fundamental important indispensable |
    unnecessary optional dispensable trivial irrelevant unimportant negligible""",
    "mandatory compulsory | optional voluntary",
    "relevant related | irrelevant unrelated",
    "dependent | independent",
    "sufficient adequate enough ample | insufficient inadequate lacking scarce",
    "interpretable transparent explainable | opaque black-box",
    "white-box | black-box",
    "cheap inexpensive affordable | expensive costly pricey",
    "scalable | unscalable limited",
    """comprehensive thorough extensive exhaustive in-depth detailed rigorous | limited cursory superficial
    brief partial sketchy""",
    """underexplored unexplored overlooked understudied neglected | explored studied well-studied well-
    explored overexplored""",
    "superiority | inferiority",
    "better | worse",
    "male men man boy boys he his | female women woman girl girls she her",
    "young younger adolescent | old older elderly",
    "adult adults | child children",
    "alive living | dead",
    "day daytime | night nighttime",
    "healthy | sick diseased ill",
    "acute | chronic",
    "sensitive susceptible vulnerable prone | insensitive resistant immune robust",
    "agonist | antagonist",
    "upregulate | downregulate",
    "promote stimulate activate induce | inhibit suppress repress block",
    "innate | acquired",
    "recessive | dominant",
    "host | parasite",
    "predator | prey",
    "acid acidic | alkaline basic",
    "north northern | south southern",
    "east eastern | west western",
    "win won winning | lose lost losing",
    "pass | fail",
    "always | never",
    "with | without",
    "like | unlike",
    "despite | because",
)  # fmt: skip
_KINDS = (
    # Of one kind, yet none is the other.
    """supervised | unsupervised | self-supervised | semi-supervised | reinforcement | contrastive |
    imitation""",
    "text textual | image visual | video | audio | speech spoken | graph | tabular",
    "transformer | convolutional | recurrent | diffusion | autoregressive",
    "classification | regression | clustering | segmentation | detection | generation | retrieval",
    "accuracy | confidence | precision | recall | latency | throughput | memory",
    "training | inference | evaluation | deployment",
    "pre-training | fine-tuning | post-training",
    "physics | chemistry | biology | medicine | mathematics math | law | finance | history",
    """medical clinical | legal | financial | educational | mathematical | chemical | agricultural |
    military""",
    """english | chinese | german | french | spanish | japanese | korean | arabic | hindi | russian |
    italian""",
    """january | february | march | april | may | june | july | august | september | october | november |
    december""",
    "monday | tuesday | wednesday | thursday | friday | saturday | sunday",
    "second | minute | hour | day | week | month | year | decade",
    "hundred | thousand | million | billion | trillion",
    "daily | weekly | monthly | yearly annually | hourly",
    "red | green | blue | yellow | black | white | orange | purple | brown",
    "first | second | third | fourth | fifth | last",
    "mother | father | brother | sister | son | daughter | wife | husband | uncle | aunt",
    "heart | liver | kidney | lung | brain | stomach | skin | bone",
    "dna | rna | protein | lipid",
    "mouse mice | rat | human | monkey | zebrafish | yeast",
    "mean average | median | maximum | minimum",
    "cpu | gpu | tpu",
    "word | sentence | paragraph | document | token",
    "spatial | temporal",
    "indoor | outdoor",
    "monocular | stereo",
    "monolingual | bilingual | multilingual",
    "unimodal | bimodal | multimodal",
    "linear | quadratic | cubic | logarithmic | exponential | constant",
)  # fmt: skip
_ALIKE = (
    # Words that scientific prose uses for each other.
    """achieve reach attain obtain get score report yield record gain show have deliver""",
    "outperform beat exceed surpass better",
    "improvement gain increase boost rise advance enhancement",
    "improve enhance boost increase raise strengthen advance refine",
    "reduce decrease lower cut minimize mitigate alleviate",
    "propose present introduce develop describe offer suggest design put build create",
    "show demonstrate prove reveal find indicate suggest illustrate confirm establish observe",
    "use utilize employ leverage apply adopt exploit harness",
    """method approach technique framework system strategy algorithm procedure scheme way model pipeline
    solution""",
    "study investigate examine explore analyze research consider assess evaluate",
    "evaluate test assess measure benchmark validate examine",
    "evaluation test assessment experiment experiments study",
    "include contain comprise consist incorporate feature cover have encompass",
    "enable allow let permit make help facilitate support",
    "need require demand take necessitate",
    "provide offer give supply deliver present",
    "significant substantial considerable large marked notable major great",
    "significantly substantially considerably greatly markedly notably much strongly clearly",
    "novel new",
    "existing current previous prior present available state-of-the-art",
    "crucial essential important critical key vital central fundamental",
    "hard difficult challenging tough demanding",
    "challenge difficulty problem issue obstacle limitation",
    "many numerous several various multiple",
    "task problem",
    "result finding performance outcome",
    "large-scale large big huge massive vast extensive",
    "small little tiny",
    "quick fast rapid",
    "effectively successfully well",
    "effective successful useful",
    "efficient fast economical",
    "hide conceal withhold obscure",
    "disclose reveal publish release share make",
    "release publish provide share make",
    "train teach fine-tune optimize",
    "generate produce create synthesize make",
    "construct build create develop design make",
    "author authors researcher researchers team paper work study we",
    "paper work study article",
    "participant subject patient people",
    "dataset data corpus collection set",
    "common frequent widespread prevalent typical",
    "recent latest modern",
    "simple easy straightforward plain",
    "robust stable reliable strong resilient",
    "accurate precise correct exact",
    "comprehensive thorough extensive broad",
    "different distinct diverse various varied",
    "start begin",
    "focus concentrate center",
    "solve address tackle resolve handle overcome",
    "ability capability capacity power skill",
    "aim goal objective purpose seek",
    "combine integrate merge unify fuse join",
    "remain stay keep be",
    "lead cause result bring",
    "highlight emphasize underline stress show",
    "understand grasp comprehend",
    "understanding comprehension",
    "keep maintain preserve retain",
    "choose select pick",
    "additional further extra more",
    "main primary principal key major",
    "entire whole full complete",
    "rely depend",
    "learn acquire",
    "select choose pick",
    "split divide separate",
    "compare contrast",
    "estimate predict approximate",
    "answer response reply output",
    "question query",
    "error mistake fault",
    "cost expense",
    "speed rate pace",
    "perform do conduct carry run execute",
    "happen occur arise",
    "ensure guarantee",
    "drug medicine medication treatment therapy",
    "illness disease disorder",
    "child kid",
    "buy purchase",
    "area field domain region",
    "insight lesson finding",
    "potential promise",
    "mechanism process procedure",
    "strategy plan policy approach",
    "powerful strong capable potent",
    "state-of-the-art leading cutting-edge advanced",
    "base built rest ground found",
    "limitation shortcoming drawback weakness",
    "progress advance advancement headway development",
    "exhibit display show demonstrate",
    "researcher scholar scientist",
    "capture grasp seize model",
    "trend tendency pattern",
    "component part element module",
    "efficacy effectiveness",
    "implicate suggest imply indicate",
    "therefore thus hence consequently",
)
_NEGATING = ("un", "in", "im", "il", "ir", "non", "dis", "mis", "anti", "a", "de", "counter")
_SWAPPED = (
    ("in", "de"), ("in", "ex"), ("im", "ex"), ("inter", "intra"), ("macro", "micro"), ("hyper", "hypo"),
    ("pre", "post"), ("over", "under"), ("up", "down"), ("en", "de"), ("homo", "hetero"), ("mono", "multi"),
    ("uni", "multi"), ("maxi", "mini"), ("for", "back"), ("out", "under"), ("sym", "asym"), ("out", "in"),
    ("multi", "single"), ("high", "low"), ("well", "ill"), ("well", "poorly"), ("pro", "anti"), ("con",
    "dis"),
    ("con", "di"), ("a", "de"), ("ap", "de"), ("em", "dis"),
)  # fmt: skip
_SUFFIXES = ("ful", "less")
_SHORTEST_REST = 4
_PART = re.compile(r"[^\W_]+")


def _table(lines: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for line in lines:
        left, right = ([stem(word) for word in side.split()] for side in line.split("|"))
        found.update((a, b) for a in left for b in right if a != b)
    return frozenset(found | {(b, a) for a, b in found})


def _kinds() -> dict[str, dict[int, int]]:
    """Return for each stem the lines it stands in, and its place there."""
    found: dict[str, dict[int, int]] = {}
    for number, line in enumerate(_KINDS):
        for place, same in enumerate(line.split("|")):
            for word in same.split():
                found.setdefault(stem(word), {})[number] = place
    return found


_OPPOSED = _table(_PAIRS)
_GROUPS: dict[str, frozenset[int]] = {}
for _number, _line in enumerate(_ALIKE):
    for _word in _line.split():
        _GROUPS[stem(_word)] = _GROUPS.get(stem(_word), frozenset()) | {_number}
_KIND_OF = _kinds()


@lru_cache(maxsize=20_000)
def exclude(first: str, second: str) -> bool:
    """Tell whether one folded word in the place of the other says something else or the opposite.

    Of compounds with the same parts but one, as "high-quality" and "low-quality", that one decides.
    """
    if stem(first) == stem(second):
        return False
    if _exclude(first, second):
        return True
    parts, others = _PART.findall(first), _PART.findall(second)
    if len(parts) != len(others) or len(parts) < 2:
        return False
    pairs = [pair for pair in zip(parts, others, strict=True) if stem(pair[0]) != stem(pair[1])]
    return len(pairs) == 1 and _exclude(*pairs[0])


def _exclude(first: str, second: str) -> bool:
    stems = stem(first), stem(second)
    return (
        stems in _OPPOSED
        or stems[1] in opposites(stems[0])
        or _differ_in_kind(*stems)
        or _negates(*stems)
        or _negates(*reversed(stems))
        or _differ_in_affix(first, second)
    )


def _differ_in_kind(first: str, second: str) -> bool:
    own, other = _KIND_OF.get(first, {}), _KIND_OF.get(second, {})
    return any(place != other[line] for line, place in own.items() if line in other)


def _negates(negative: str, positive: str) -> bool:
    """Tell whether a stem is another with a prefix that negates it: "inefficient", "nonlinear"."""
    prefix = negative.removesuffix(positive)
    return len(positive) >= _SHORTEST_REST and prefix in _NEGATING


def _differ_in_affix(first: str, second: str) -> bool:
    for pair in _SWAPPED:
        for one, other in (pair, pair[::-1]):
            if first.startswith(one) and second.startswith(other):
                rest, other_rest = first[len(one) :].strip("-"), second[len(other) :].strip("-")
                if len(rest) >= _SHORTEST_REST and stem(rest) == stem(other_rest):
                    return True
    roots = {
        word.removesuffix(end)
        for word in (first, second)
        for end in _SUFFIXES
        if word.endswith(end)
    }
    return len(roots) == 1 and first.endswith(_SUFFIXES) and second.endswith(_SUFFIXES)


def are_alike(first: str, second: str) -> bool:
    """Tell whether two stems are commonly used for each other."""
    return bool(_GROUPS.get(first, frozenset()) & _GROUPS.get(second, frozenset())) or (
        second in allies(first)
    )
