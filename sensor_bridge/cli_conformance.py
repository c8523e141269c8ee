"""``hipline sensors conformance``: its arguments and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile
from sensor_bridge.cli_sensors import Sensor, VirtualPort


def sensors_conformance(
    sensor: Sensor,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLAUSE",
            help="Examine this clause; may be given again. Without it: all.",
            show_default=False,
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=1, max=3600, help="Longest wait of one clause, s (a ring has to run over).")
    ] = 90.0,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Also write the findings as JSON.", show_default=False),
    ] = None,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> int:
    """Examine whether a sensor keeps the clauses of the protocol (docs/protocol.md).

    Prints a line for each clause and ends with exit code 1 where one has failed. Takes some minutes. A stream
    that runs is ended; what the sensor has stored is lost only with --only bulk-erase.
    """
    from sensor_bridge.commands.sensors_conformance import examine_sensor

    return examine_sensor(sensor, only or [], file, virtual_port, patience_s=patience, json_path=json_path)
