"""``hipline simulate``: the virtual athlete → trace/1 and the exact truth."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.recording.result import write_result
from sensor_bridge.recording.trace import METADATA_KEY, write_table
from sensor_bridge.virtual_radio import simulate

if TYPE_CHECKING:
    from pathlib import Path


def run(scenario: str, *, trace_path: Path, truth_path: Path, seed: int) -> None:
    """Simulate a scenario and write what its sensors recorded beside what really happened.

    The truth is JSON: ``truth/1`` (repetitions with their phases by the definitions in METRICS, how each
    sensor sat) with the exact angles. Where its name ends in ``.parquet`` or ``.csv``, it is the angle file
    of FORMATS with exact values; the Parquet file holds truth/1 as its metadata ``truth``.

    Parameters
    ----------
    scenario
        Name of a bundled scenario, or the path of a TOML file.
    trace_path, truth_path
        Where to write.
    seed
        The same seed gives the same files.

    Raises
    ------
    UserInputError
        There is no such scenario, or it asks for what cannot be.
    RecordingError
        A file cannot be written.
    """
    check_outputs((trace_path, truth_path), source=scenario)
    simulation = simulate(scenario, seed)
    write_table(
        trace_path, simulation.trace_columns, {METADATA_KEY: json.dumps(simulation.trace_metadata).encode()}
    )
    if truth_path.suffix.lower() in {".parquet", ".csv"}:
        write_table(truth_path, simulation.angle_columns, {b"truth": json.dumps(simulation.truth).encode()})
    else:
        angles = {name: values.round(6).tolist() for name, values in simulation.angle_columns.items()}
        write_result(truth_path, {**simulation.truth, "angles": angles})
    found = f"{simulation.n_repetitions} repetitions in {simulation.duration_s:.1f} s"
    print(f"{found}: {trace_path}, {truth_path}", file=sys.stderr)  # noqa: T201
