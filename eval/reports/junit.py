"""A run as JUnit XML, for CI: a suite per kind of case, where what failed is an error; and the gate."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from assistant.text import clean
from eval.analysis.differences import Diff
from eval.runs.results import Result
from eval.runs.summary import Report
from eval.scores.measures import label


def render(
    report: Report,
    results: Sequence[Result],
    *,
    diff: Diff | None = None,
    gate: Sequence[str] | None = None,
) -> bytes:
    """Write the XML.

    A case that was answered passes, well or badly: how well is for the gate to say, whose measures are
    tests of their own.

    Args:
        report: the run's summary.
        results: its cases.
        diff: the run beside its baseline, if it was compared with one.
        gate: why the gate failed, a line each, none if it passed; None if there was no gate.
    """
    root = ET.Element("testsuites", name=_text(report.dataset))
    for kind in report.kinds:
        _suite(root, kind, [each for each in results if each.case.kind == kind])
    if gate is not None:
        _gate(root, diff, gate)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(root: ET.Element, kind: str, results: Sequence[Result]) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_text(kind),
        tests=str(len(results)),
        failures="0",
        errors=str(sum(each.error is not None for each in results)),
        time=f"{sum(each.seconds for each in results):.3f}",
    )
    for each in results:
        case = ET.SubElement(
            suite,
            "testcase",
            name=_text(each.case.id),
            classname=_text(kind),
            time=f"{each.seconds:.3f}",
        )
        if each.error is not None:
            ET.SubElement(case, "error", message=_text(each.error))
        else:
            scores = (
                f"{name} {value:g}" for name, value in each.scores.items() if value is not None
            )
            ET.SubElement(case, "system-out").text = "\n".join(scores)


def _gate(root: ET.Element, diff: Diff | None, gate: Sequence[str]) -> None:
    """Write a test for each measure that was compared, and one for the gate as a whole."""
    rows = diff.rows if diff is not None else ()
    suite = ET.SubElement(
        root,
        "testsuite",
        name="gate",
        tests=str(len(rows) + 1),
        failures=str(sum(row.verdict == "worse" for row in rows) + bool(gate)),
        errors="0",
    )
    for row in rows:
        case = ET.SubElement(suite, "testcase", name=_text(label(row.measure)), classname="gate")
        if row.verdict == "worse":
            ET.SubElement(case, "failure", message=f"{row.first:.4f} fell to {row.second:.4f}")
    whole = ET.SubElement(suite, "testcase", name="the gate passes", classname="gate")
    if gate:
        ET.SubElement(whole, "failure", message=_text("; ".join(gate)))


def _text(text: str) -> str:
    """Return text that XML can hold, on one line."""
    return " ".join(clean(text).replace("\ufffe", "").replace("\uffff", "").split())
