"""arXiv ids in every form in which people write them."""

import re
from typing import NamedTuple
from urllib.parse import unquote

ARXIV_URL = "https://arxiv.org"

_MAX_TEXT = 2_000  # characters of a field that are searched; a link is shorter

_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|"
    "cond-mat|cs|dg-ga|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|mtrl-th|nlin|"
    "nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio|q-fin|quant-ph|solv-int|stat|supr-con"
)
_MONTH = "(?:0[1-9]|1[0-2])"
_ID = (
    rf"(?:(?P<new>[0-9]{{2}}{_MONTH}\.[0-9]{{4,5}})"
    rf"|(?P<archive>{_ARCHIVES})(?:\.[A-Z-]{{2,10}})?/(?P<old>(?:9[1-9]|0[0-7]){_MONTH}[0-9]{{3}}))"
    r"(?:v(?P<version>[1-9][0-9]{0,2}))?"
)
# Neither inside a longer run of letters and digits, nor in a decimal number such as 12.2503.14476.
_BOUNDED_ID = re.compile(
    rf"(?:(?<=arxiv)|(?<![A-Za-z0-9-])(?<![0-9][.,])){_ID}(?![A-Za-z0-9])(?!\.[0-9])", re.IGNORECASE
)
_WHOLE_ID = re.compile(
    r"[<\[(]?(?:arxiv\s+(?:e-?prints?|preprint)\s*[,:]?\s*)?(?:arxiv\s*[:./]?\s*|abs/)?"
    rf"{_ID}[>\])]?(?:\s*\[[\w.-]+\])?",
    re.IGNORECASE,
)
# What stands before an id in a link or a reference: a site that goes by arXiv ids, or arXiv's own
# paths, which its mirrors keep.
_CONTEXT = re.compile(
    r"(?:(?:ar[x5]iv|alphaxiv|lanl\.gov|(?:huggingface|hf)\.co/papers)\S*(?:\s+preprint)?\s{0,2}"
    r"|/(?:abs|pdf|html|format|src|e-print)/)$",
    re.IGNORECASE,
)
_CONTEXT_LENGTH = 120
_LINK = re.compile(r"(?:https?://|[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/)\S+", re.IGNORECASE)


class ArxivId(NamedTuple):
    """An arXiv id: ``base`` without version (``2503.14476``, ``math/0309136``), and the version."""

    base: str
    version: int | None = None

    @property
    def abs_url(self) -> str:
        """The paper's page. It names no version: the page lists them all."""
        return f"{ARXIV_URL}/abs/{self.base}"

    @property
    def pdf_url(self) -> str:
        """The PDF, of this version where one is known: page numbers hold for one version only."""
        return f"{ARXIV_URL}/pdf/{self.base}" + (f"v{self.version}" if self.version else "")


def parse_arxiv_id(text: str) -> ArxivId | None:
    """Read a text that is, as a whole, an arXiv id or a link to an arXiv paper."""
    bare = unquote(text[:_MAX_TEXT]).strip()
    if match := _WHOLE_ID.fullmatch(bare):
        return _checked(match)
    return find_arxiv_id(bare) if _LINK.fullmatch(bare.strip("<>")) else None


def find_arxiv_id(text: str) -> ArxivId | None:
    """Find the first arXiv id in a link, a DOI or a reference; a bare number must be the whole."""
    text = unquote(text[:_MAX_TEXT])
    if match := _WHOLE_ID.fullmatch(text.strip()):
        return _checked(match)
    for match in _BOUNDED_ID.finditer(text):
        before = text[max(0, match.start() - _CONTEXT_LENGTH) : match.start()]
        if _CONTEXT.search(before) and (found := _checked(match)):
            return found
    return None


def _checked(match: re.Match[str]) -> ArxivId | None:
    """Build the id, unless no paper can have it.

    arXiv numbers papers YYMM.NNNN from April 2007, YYMM.NNNNN from January 2015, and before that
    archive/YYMMNNN, where a subject class (``math.GT``) is not part of the id.
    https://info.arxiv.org/help/arxiv_identifier.html
    """
    version = int(match["version"]) if match["version"] else None
    if match["new"]:
        month, _, number = match["new"].partition(".")
        digits = 4 if month < "1501" else 5
        return ArxivId(match["new"], version) if month >= "0704" and len(number) == digits else None
    if "0703" < match["old"][:4] < "9107":
        return None
    return ArxivId(f"{match['archive'].lower()}/{match['old']}", version)
