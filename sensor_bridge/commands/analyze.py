"""``hipline analyze``: one recording → a table, result/1, the angle file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from analytics.errors import AnalyticsError
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.pipeline import AthleteSetup, MotionPipeline
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.commands.result_table import print_result
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config import PrescriptionConfig
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import RecordingError
from sensor_bridge.readiness import prepare_to_measure
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.recording.result import result_document, write_angles, write_result
from sensor_bridge.recording.sensor_calibrations import read_calibrations
from sensor_bridge.recording.trace import Trace, read_trace
from sensor_bridge.recording.trace_origins import calibration_notes, corrected
from sensor_bridge.recording.trace_stream import TraceStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analytics.imu import ImuBlock
    from analytics.prescription import Prescription

_QUIET_S = 1.0  # an analysis that takes longer shows how far it is


def run(
    trace_path: Path,
    *,
    json_path: Path | None,
    angles_path: Path | None,
    acc_unit: str,
    gyr_unit: str,
    config_path: Path | None = None,
) -> None:
    """Analyse a recording, print what was found, write what was asked for.

    Parameters
    ----------
    trace_path
        trace/1.
    json_path, angles_path
        Where result/1 and the angle file go, if anywhere.
    acc_unit, gyr_unit
        Units of the file, as for :func:`sensor_bridge.recording.trace.read_trace`.
    config_path
        The bridge's configuration, which names the data folder with the calibrations of sensors; None: the
        user's own. It is read only where the recording says which sensors it is from.

    Raises
    ------
    RecordingError
        The recording cannot be analysed, or a result cannot be written.
    """
    check_outputs((json_path, angles_path), source=trace_path)
    trace = read_trace(trace_path, acc_unit=acc_unit, gyr_unit=gyr_unit)
    if any(origin.calibration is None for origin in trace.origins.values()):
        trace = corrected(trace, read_calibrations(load_config(config_path).data_folder))
    stream = TraceStream(trace)
    warnings: list[str] = []
    prepare_to_measure()
    pipeline = MotionPipeline(
        AthleteSetup(
            mounts={placement: trace.mount(placement) for placement in trace.sensors},
            prescription=prescription_of(trace, warnings),
        )
    )
    analysis = Analysis()
    try:
        for block in _with_progress(stream.blocks(), trace):
            analysis.add(pipeline.push(block))
        analysis.add(pipeline.flush())
    except AnalyticsError as error:
        raise RecordingError(f"{trace_path}: {error}") from error
    quality = stream.quality()
    document = result_document(str(trace_path), trace.duration_s, analysis, quality)
    if not analysis.calibrations:
        warnings.append("the athlete never stands or lies still for long enough: nothing could be calibrated")
    document["data_quality"]["warnings"] += warnings
    if notes := calibration_notes(trace):
        document["data_quality"]["sensor_calibration"] = notes
    for warning in document["data_quality"]["warnings"]:
        print(f"hipline: warning: {warning}", file=sys.stderr)  # noqa: T201
    print_result(Console(highlight=False), document)
    for placement, origin in sorted(trace.origins.items()):
        if origin.calibration is not None and placement in trace.sensors:
            words = f"sensor {printable(origin.serial)} corrected by its {origin.calibration.words}"
            print(f"{placement}: {words}")  # noqa: T201
    if json_path is not None:
        write_result(json_path, document)
    if angles_path is not None:
        write_angles(
            angles_path, analysis.angle_columns(stream.start_ns, stream.end_ns, stream.sampling_rate_hz)
        )


def prescription_of(trace: Trace, warnings: list[str]) -> Prescription | None:
    """Return what the recording's metadata say was asked; what they say wrongly becomes a warning."""
    if trace.prescription is None:
        return None
    known: dict[str, Any] = {
        key: value for key, value in trace.prescription.items() if key in PrescriptionConfig.model_fields
    }
    try:
        return PrescriptionConfig.model_validate(known).prescription()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        warnings.append(f"the metadata's prescription is left out: {field}: {problem['msg']}")
        return None


def _with_progress(blocks: Iterator[ImuBlock], trace: Trace) -> Iterator[ImuBlock]:
    """Pass blocks on; on a terminal, show how far it is once that takes a while."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from blocks
        return
    started = time.monotonic()
    start_ns = round(float(trace.t_s[0]) * NANOSECONDS_PER_SECOND)
    columns = (TextColumn("analysing"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=False) as progress:
        task = progress.add_task("", total=trace.duration_s, visible=False)
        for block in blocks:
            done_s = (block.time_ns(len(block)) - start_ns) / NANOSECONDS_PER_SECOND
            progress.update(task, completed=done_s, visible=time.monotonic() - started > _QUIET_S)
            yield block
