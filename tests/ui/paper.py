"""A paper to upload, and a question it answers."""

from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

QUESTION = "How long do zebrafish larvae sleep in still water?"

_PAPER = (
    ("Title", "Sleep of the Zebrafish in Still and Running Water"),
    ("BodyText", "We watched zebrafish larvae in forty tanks for six weeks. Half of the tanks had still"
     " water, the other half a gentle current."),
    ("Heading1", "1 Method"),
    ("BodyText", "Each tank was filmed at night with infrared light. A larva counts as asleep when it has"
     " not moved for a minute. Two people checked every hundredth film by hand."),
    ("Heading1", "2 Results"),
    ("BodyText", "Zebrafish larvae slept for eleven hours a night in still water. In running water they"
     " slept for four hours only, and woke up every twenty minutes on average. The difference stayed"
     " over all six weeks."),
    ("Heading1", "3 Discussion"),
    ("BodyText", "A current makes larvae swim against it, which keeps them awake. Whether grown fish do the"
     " same remains open."),
)  # fmt: skip


def write_paper(path: Path) -> Path:
    """Write it as a PDF."""
    styles = getSampleStyleSheet()
    SimpleDocTemplate(str(path), pagesize=A4, title=_PAPER[0][1], invariant=1).build(
        [Paragraph(text, styles[style]) for style, text in _PAPER]
    )
    return path
