"""The commands of ``hipline sessions``: their arguments and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

sessions = typer.Typer(help="What hipline run has recorded on this disk.", no_args_is_help=True)


@sessions.command("list")
def sessions_list(*, file: ConfigFile = None) -> None:
    """List the recorded sessions, the newest first."""
    from sensor_bridge.commands.sessions import show

    show(file)


@sessions.command("export")
def sessions_export(
    session: Annotated[str, typer.Argument(help="Id of the session, or its beginning.")] = "last",
    *,
    out: Annotated[
        Path, typer.Option(metavar="TRACE", help="Where it goes: .parquet or .csv.", show_default=False)
    ],
    athlete: Annotated[
        str | None, typer.Option(help="Whose, where more than one took part.", show_default=False)
    ] = None,
    file: ConfigFile = None,
) -> None:
    """Write one athlete's part of a session as a recording, for analyze, replay and other tools.

    Then: hipline analyze TRACE
    """
    from sensor_bridge.commands.sessions import export

    export(session, out=out, athlete_id=athlete, config_path=file)


@sessions.command("archive")
def sessions_archive(*, file: ConfigFile = None) -> None:
    """Bring into the archive what is missing there, from the logs of the sessions.

    hipline run does so by itself, slowly, beside its own session. By hand: where the archive was moved away,
    or of sessions recorded before there was one.
    """
    from sensor_bridge.commands.sessions import archive

    archive(file)
