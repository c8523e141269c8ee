"""``hipline command``: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile


def command(
    name: Annotated[str, typer.Argument(help="Which one.", show_default=False)],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARGUMENT=VALUE]...", help="What it is about.", show_default=False),
    ] = None,
    *,
    file: ConfigFile = None,
) -> None:
    """Give the running bridge a command, as the coach does on the page, and print its answer.

    start-set, end-set and re-zero take athlete=ID; identify takes sensor=ID; prescribe takes athlete=ID and
    any of exercise, repetitions, sets, side, tempo, minimum_range_deg, load_kg, support (what is left out is
    not asked); not-a-repetition takes athlete and event, missed-repetition athlete and at_ms, note athlete
    and text, undo athlete and request.

    For example: hipline command prescribe athlete=anna exercise=romanian_deadlift tempo=5-0-X-0
    """
    from sensor_bridge.commands.command import run

    run(name, arguments or [], file)
