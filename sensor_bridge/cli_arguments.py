"""Arguments that several commands of ``hipline`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration of the bridge (README); default: your own.",
        show_default=False,
    ),
]
TraceFile = Annotated[
    Path, typer.Argument(metavar="TRACE", help="A recording, trace/1: Parquet or CSV.", show_default=False)
]
ResultFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write the result (result/1).", show_default=False),
]
Headless = Annotated[bool, typer.Option("--headless", help="No page: only the numbers.")]
PagePort = Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any free one.")]
