"""``hipline takeout``: all that is kept of an athlete, in one file for the athlete to take away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console

from sensor_bridge.archive.takeout import take_out
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path


def run(athlete: str, *, out: Path, config_path: Path | None) -> None:
    """Write it, and say how much it is.

    Parameters
    ----------
    athlete
        Id of the athlete.
    out
        The zip file.
    config_path
        The bridge's configuration; None: the user's own.

    Raises
    ------
    RecordingError
        Nothing is kept of the athlete, or `out` cannot be written.
    """
    config = load_config(config_path)
    if out.suffix.lower() != ".zip":
        raise RecordingError(f"{out}: name a file that ends in .zip")
    check_outputs([out], source=config.data_folder)
    configured = next((each for each in config.athletes if each.id == athlete), None)
    with Console(stderr=True).status("Taking out") as status:
        taken = take_out(
            config.data_folder,
            athlete,
            out,
            configuration=None if configured is None else configured.model_dump(mode="json"),
            now_ms=time.time() * 1000.0,
            on_step=lambda step: status.update(f"Taking out: {step}"),
        )
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(
        f"{out}: {taken.sessions} sessions, {taken.repetitions} repetitions, {taken.frames} messages of "
        f"sensors, {out.stat().st_size / 1e6:.1f} MB"
    )
    for missing in taken.missing:
        console.print(f"missing: {missing}")
