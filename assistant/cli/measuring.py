"""Commands that look deeper into eval runs: eval judge, judge-check, profile, arena."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import JsonFlag, LlmOption, open_library, read_settings
from assistant.cli.output import complain, print_json, progress, wrap
from assistant.errors import InputError
from assistant.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.config import Settings
    from eval.analysis.arena import Arena, Pair
    from eval.analysis.profile import Node, Profile
    from eval.judge.labels import Checked
    from eval.statistics.means import Interval

SOME_FAILED = 4

RunFolder = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Folder of an eval run.", show_default=False),
]
JudgeOption = Annotated[
    str | None,
    typer.Option("--llm", metavar="SPEC", help="The judge: provider:model.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app of the eval commands."""
    app.command("judge", epilog="Example: assistant eval judge runs/a --llm openai:gpt-4o")(judge)
    app.command(
        "judge-check", epilog="Example: assistant eval judge-check labels.jsonl --llm openai:gpt-4o"
    )(judge_check)
    app.command("profile", epilog="Example: assistant eval profile runs/a")(profile)
    app.command("arena", epilog="Example: assistant eval arena runs/a runs/b runs/c")(arena)


def judge(run: RunFolder, *, llm: JudgeOption = None, as_json: JsonFlag = False) -> None:
    """Let a language model grade a run's answers; adds judged.jsonl to the run, scores to its reports.

    What was judged before is not judged again, so a judgement that broke off goes on where it was.
    """
    from eval.judge.judged import judge_run, read_run, summary
    from eval.reports.publish import republish
    from eval.runs.runner import REPORT

    results = read_run(run)
    library = open_library(read_settings(llm=llm))
    with progress() as update:
        judged = judge_run(results, library, run, progress=partial(update, "Judging"))
    if (run / REPORT).exists():  # else the run has yet to be finished, which writes its reports
        republish(run)
    for each in judged:
        for problem in each.problems:
            complain(f"unscored: {each.id}: {problem}")
    found = summary(results, judged)
    if as_json:
        print_json({name: graded.model_dump(mode="json") for name, graded in found.items()})
    else:
        for name, graded in found.items():
            mean = _shown(graded.interval) if graded.interval else "-"
            print(f"{name}: {mean}  {graded.scored} scored, {graded.unscored} not")
    if any(each.problems for each in judged):
        raise typer.Exit(SOME_FAILED)


def _shown(interval: "Interval | Node | Profile") -> str:
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def judge_check(
    labels: Annotated[
        Path,
        typer.Argument(
            help="JSONL of items that people have labelled: answers, claims or pairs.",
            show_default=False,
        ),
    ],
    *,
    llm: JudgeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Measure how far a judge model agrees with people: accuracy and Cohen's kappa."""
    from assistant.cli.rows import read_rows
    from eval.judge.labels import Row, check

    rows = read_rows(labels, Row)
    if not rows:
        raise InputError(f"{labels} holds no labels: expected a JSONL row per item")
    library = open_library(read_settings(llm=llm))
    with progress() as update:
        found = check(
            [row.root for row in rows],
            library,
            workers=library.settings.llm_concurrency,
            progress=partial(update, "Judging"),
        )
    if as_json:
        print_json({kind: each.model_dump(mode="json") for kind, each in found.items()})
    else:
        for kind, each in found.items():
            print(f"{kind}: {_agreed(each)}, {each.unscored} unscored")
    if any(each.unscored for each in found.values()):
        raise typer.Exit(SOME_FAILED)


def _agreed(checked: "Checked") -> str:
    found = checked.agreement
    if found is None:
        return "none judged"
    kappa = "undefined" if found.kappa is None else f"{found.kappa:.3f}"
    return f"n {found.count}, accuracy {found.accuracy:.3f}, Cohen's kappa {kappa}"


def profile(
    run: RunFolder,
    *,
    measure: Annotated[
        str, typer.Option(help="A score of the run; 'correct' is key facts and refusals.")
    ] = "correct",
    llm: LlmOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what kinds of question, topics and papers a run is weak on, with the worst cases."""
    from eval.analysis.profile import profile as make_profile
    from eval.judge.judged import read_run

    _note_unfinished([run])
    found = make_profile(read_run(run), open_library(read_settings(llm=llm)), measure=measure)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print_profile(found)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _note_unfinished(runs: "Sequence[Path]") -> None:
    """Tell of runs that broke off: what they hold may be a part that is easier, or harder, than the whole."""
    from eval.runs.results import RESULTS
    from eval.runs.runner import REPORT

    for run in runs:
        if (run / RESULTS).exists() and not (run / REPORT).exists():
            complain(f"note: the run in {run} is not finished; what it holds so far is looked at")


def _print_profile(found: "Profile") -> None:
    print(f"{one_line(found.measure)}: {_shown(found)} over {_cases(found.cases)}")
    weak = found.weak()
    if not weak:
        print("\nNothing is weaker than the whole beyond chance.")
    for group, node in weak:
        print(f"\nWeak: {group} “{one_line(node.name)}”")
        print(
            f"  {_shown(node)} over {_cases(node.cases)}, "
            f"p {node.corrected:.4f} corrected for all that was looked at"
        )
        for each in node.worst:
            shown = f"{each.score:.2f}  {one_line(each.id)}: {one_line(each.question)}"
            print(wrap(shown, indent="    "))
    for each_group in found.groups:
        if each_group.nodes:
            print(f"\nBy {each_group.name}")
            _print_nodes(each_group.nodes, depth=1)


def _print_nodes(nodes: "Sequence[Node]", *, depth: int) -> None:
    for node in sorted(nodes, key=lambda each: each.mean):
        mark = "  weak" if node.weak else ""
        print(f"{'  ' * depth}{_shown(node)} {node.cases:4d}  {one_line(node.name)}{mark}")
        _print_nodes(node.parts, depth=depth + 1)


def arena(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN…", help="Folders of two runs or more.", show_default=False),
    ],
    *,
    llm: JudgeOption = None,
    people: Annotated[
        bool,
        typer.Option(
            "--people", help="Rank by the votes cast on the Evaluate page of the web app."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let runs meet case by case, and rank them; a judge model decides if one is named."""
    from eval.analysis.arena import by_score, fight, pairs, rank
    from eval.judge.judged import read_run

    if people and llm is not None:
        raise InputError("--people and --llm exclude each other: either people decide, or a model")
    _note_unfinished(runs)
    matched = pairs({str(folder): read_run(folder) for folder in runs})
    settings = read_settings(llm=llm)
    if people:
        found = _by_people(matched, settings.home)
    elif settings.llm == "extractive":
        fought = list(fight(matched, by_score))
        found = rank(fought, decided_by="key facts and refusals, no model")
    else:
        found = _by_model(matched, settings)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print_arena(found)


def _by_people(matched: "Sequence[Pair]", home: Path) -> "Arena":
    from eval.analysis.arena import rank
    from eval.analysis.votes import battles, everybody

    cast = everybody(home)
    fought = battles(matched, cast)
    if not any(fought):
        raise InputError(
            "nobody has voted on these runs' answers yet: Evaluate, Arena in `assistant ui`"
        )
    return rank(fought, decided_by="people")


def _by_model(matched: "Sequence[Pair]", settings: "Settings") -> "Arena":
    from eval.analysis.arena import by_judge, fight, rank

    library = open_library(settings)
    with progress() as update:
        fought = list(
            fight(
                matched,
                by_judge(library),
                workers=settings.llm_concurrency,
                progress=partial(update, "Comparing"),
            )
        )
    return rank(fought, decided_by=settings.llm)


def _print_arena(found: "Arena") -> None:
    print(
        f"{found.battles} battles on {_cases(found.cases)}, decided by {one_line(found.decided_by)}; "
        f"{found.unscored} left open"
    )
    for each in found.places:
        print(
            f"{each.rank}. {each.rating:6.0f} [{each.low:.0f}, {each.high:.0f}]  "
            f"{each.wins} won, {each.ties} tied, {each.losses} lost  {one_line(each.run)}"
        )
