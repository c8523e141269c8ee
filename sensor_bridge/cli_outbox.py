"""The commands of ``hipline outbox``: their arguments and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

outbox = typer.Typer(
    help="Events on their way to the broker: what waits, what was put aside and why.",
    no_args_is_help=True,
)


@outbox.command("list")
def outbox_list(*, file: ConfigFile = None) -> None:
    """Show what waits for the broker, what was put aside with the reasons, and what was given up.

    Put aside is what the broker refused (its access rules: docs/mqtt.md) and what no broker took for 30 days.
    A running bridge tries by itself, once a minute, whether what was refused is taken now.
    """
    from sensor_bridge.commands.outbox import show

    show(file)


@outbox.command("resend")
def outbox_resend(*, file: ConfigFile = None) -> None:
    """Send what was put aside again: at once where a bridge is running, else at its next start."""
    from sensor_bridge.commands.outbox import resend

    resend(file)


@outbox.command("export")
def outbox_export(
    *,
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where they go: a JSON object a line.", show_default=False),
    ],
    remove: Annotated[
        bool, typer.Option("--remove", help="Then take them out of the outbox, and end the alarm.")
    ] = False,
    file: ConfigFile = None,
) -> None:
    """Write what was put aside into a file: topic, message, reason."""
    from sensor_bridge.commands.outbox import export

    export(file, out=out, is_removed=remove)
