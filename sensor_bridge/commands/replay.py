"""``hipline replay``: a recording played live through virtual sensors, over the virtual radio."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sensor_bridge.commands.analyze import prescription_of
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.commands.result_table import print_result
from sensor_bridge.config import Config
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.recording.result import result_document, write_result
from sensor_bridge.recording.trace import read_trace
from sensor_bridge.recording.trace_stream import DataQuality
from sensor_bridge.service import run_bridge
from sensor_bridge.virtual_radio import on_air, playback_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.remeasuring import Remeasured
    from sensor_bridge.service import Bridge
    from sensor_bridge.virtual_radio import Playback

_ATHLETE = "replayed"
_SETTLE_S = 1.0  # from the last sample to the last message


def run(trace_path: Path, *, json_path: Path | None, is_headless: bool, port: int, seed: int) -> None:
    """Play a recording live and print what was found, on the recording's own time.

    Parameters
    ----------
    trace_path
        trace/1.
    json_path
        Where result/1 goes, if anywhere.
    is_headless, port
        Whether and where to serve the page.
    seed
        Of the virtual radio.

    Raises
    ------
    RecordingError
        The recording cannot be played.
    """
    check_outputs((json_path,), source=trace_path)
    trace = read_trace(trace_path)
    playback = playback_of(trace, str(trace_path))
    warnings = list(trace.warnings)
    prescription = prescription_of(trace, warnings)
    with tempfile.TemporaryDirectory(prefix="hipline-replay-") as folder:
        config = Config.model_validate(
            {
                "gym": "replay",
                "data_folder": Path(folder),
                "athletes": [
                    {
                        "id": _ATHLETE,
                        "name": trace.athlete or "Recording",
                        "sensors": playback.worn_sensors,
                        **({"prescription": trace.prescription} if prescription else {}),
                    }
                ],
                "dashboard": {"enabled": not is_headless, "port": port},
            }
        )
        analysis, qualities = asyncio.run(_play(config, playback, seed))
    document = result_document(
        str(trace_path), trace.duration_s, analysis, _data_quality(qualities, warnings)
    )
    print_result(Console(highlight=False), document)
    if json_path is not None:
        write_result(json_path, document)


async def _play(
    config: Config, playback: Playback, seed: int
) -> tuple[Analysis, Mapping[str, SensorQuality]]:
    analysis = Analysis()

    def note(_athlete: str, output: PipelineOutput) -> None:
        analysis.add(output)

    def note_again(_athlete: str, remeasured: Remeasured) -> None:
        nonlocal analysis
        analysis = remeasured.analysis

    async with on_air(playback, seed) as (adapter, finished):

        async def wait_until_played(bridge: Bridge) -> None:
            if bridge.dashboard_url is not None:
                _say(f"Watch it live: {bridge.dashboard_url}   (Ctrl-C ends the replay)")
            _say(f"Playing {playback.duration_s:.0f} s ...")
            await finished.wait()
            await asyncio.sleep(_SETTLE_S)

        qualities = await run_bridge(config, adapter, wait_until_played, watch=note, on_remeasured=note_again)
    return analysis, qualities


def _data_quality(qualities: Mapping[str, SensorQuality], warnings: list[str]) -> DataQuality:
    lost = {sensor_id: quality.lost for sensor_id, quality in qualities.items() if quality.lost}
    warnings += [f"{sensor_id}: {count} samples were lost on the way" for sensor_id, count in lost.items()]
    return DataQuality(
        gaps=sum(quality.gaps for quality in qualities.values()),
        lost_s=sum(quality.lost_s for quality in qualities.values()),
        clipped_samples=sum(quality.clipped for quality in qualities.values()),
        warnings=tuple(warnings),
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
