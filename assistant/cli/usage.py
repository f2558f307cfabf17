"""The command that shows what models have taken."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from assistant.cli.common import JsonFlag, open_library
from assistant.cli.output import print_json
from assistant.text import one_line


def register(app: typer.Typer) -> None:
    """Add this module's command to the app."""
    app.command(epilog="Example: assistant usage --days 7")(usage)


def usage(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days to look back.")] = 30,
    as_json: JsonFlag = False,
) -> None:
    """Show the tokens and the money that language models took, by day and model."""
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    totals = open_library().usage(since=since)
    if as_json:
        rows = [
            {
                "day": total.day.isoformat(),
                "model": total.model,
                "answers": total.calls,
                **total.usage.model_dump(),
            }
            for total in totals
        ]
        print_json(rows)
        return
    for total in totals:
        taken = total.usage
        cost = "price unknown" if taken.cost_usd is None else f"${taken.cost_usd:.4f}"
        print(
            f"{total.day}  {one_line(total.model)}  {total.calls} answers, {taken.input_tokens} tokens in, "
            f"{taken.output_tokens} out, {cost}"
        )
    if not totals:
        print(f"no language model was asked in the last {days} days")
