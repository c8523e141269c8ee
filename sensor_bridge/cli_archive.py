"""The commands on what was kept of athletes: their arguments and their help."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

SessionName = Annotated[str, typer.Argument(help="Id of the session, or its beginning.")]
OneAthlete = Annotated[
    str | None, typer.Option(help="Whose, where more than one took part.", show_default=False)
]
FileOfASession = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where it goes; default: here, named by athlete and session.",
        show_default=False,
    ),
]


class SessionFormat(enum.StrEnum):
    """Formats of ``hipline export``."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    FIT = "fit"
    MOT = "mot"


def export(
    session: SessionName = "last",
    *,
    session_format: Annotated[
        SessionFormat,
        typer.Option(
            "--format",
            help="csv, parquet: a row a repetition. json: all there is. fit: sets for Garmin and others. "
            "mot: angles for OpenSim.",
        ),
    ] = SessionFormat.CSV,
    athlete: OneAthlete = None,
    out: FileOfASession = None,
    file: ConfigFile = None,
) -> None:
    """Write what one athlete did in a session for other tools: spreadsheets, watches, OpenSim.

    Units are in the names of columns; what could not be measured is empty, never a guess. docs/archive.md
    tells every format, also the signs of OpenSim's angles. The bytes of the sensors: hipline sessions export.

    Example: hipline export last --format fit --athlete anna
    """
    from sensor_bridge.archive.exports import ExportFormat
    from sensor_bridge.commands.export import run

    run(session, athlete=athlete, wanted=ExportFormat(session_format.value), out=out, config_path=file)


def report(
    session: SessionName = "last",
    *,
    athlete: OneAthlete = None,
    out: FileOfASession = None,
    file: ConfigFile = None,
) -> None:
    """Write what one athlete did in a session as one page to read, print and send: sets, pictures, remarks.

    The page is a single HTML file without scripts. It says how sure each number is, and what could not be
    measured. It shows what the archive holds at this moment; later corrections need a new one.

    Example: hipline report last --athlete anna --out anna.html
    """
    from sensor_bridge.commands.report import run

    run(session, athlete=athlete, out=out, config_path=file)


def forget(
    athlete: Annotated[str, typer.Argument(help="Id of the athlete.", show_default=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    file: ConfigFile = None,
) -> None:
    """Delete all that is kept of an athlete, for good: sessions, angles, archive, token, messages.

    Of sessions with others only this athlete's part goes. Cannot be undone: hipline takeout first, to hand
    it over. The configuration is yours: what it still says of the athlete is told at the end.
    """
    from sensor_bridge.commands.forget import run

    run(athlete, is_sure=yes, config_path=file)


def takeout(
    athlete: Annotated[str, typer.Argument(help="Id of the athlete.", show_default=False)],
    *,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER.zip", help="The archive file to write.", show_default=False)
    ],
    file: ConfigFile = None,
) -> None:
    """Write all that is kept of an athlete into one zip file, in open formats, with a README inside.

    Tables, angles and the sensors' own samples as Parquet and CSV, events and notes as JSON, sets as FIT,
    motions for OpenSim: what the athlete may ask for, and what another program can read.
    """
    from sensor_bridge.commands.takeout import run

    run(athlete, out=out, config_path=file)
