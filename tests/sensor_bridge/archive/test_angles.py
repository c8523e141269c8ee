from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import PipelineOutput
from sensor_bridge.archive.angle_files import angles_folder, read_angles, write_part
from sensor_bridge.archive.angle_writer import ANGLES_ALARM, AngleWriter
from sensor_bridge.archive.angles import AngleGathering, AnglePart
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.analysis import ANGLE_COLUMNS, Analysis
from sensor_bridge.recording.trace import METADATA_KEY, read_trace, write_table
from sensor_bridge.recording.trace_stream import TraceStream
from sensor_bridge.remeasuring import Remeasured
from sensor_bridge.virtual_radio import simulate
from tests.sensor_bridge.archive.recorded import SCENARIO

if TYPE_CHECKING:
    from pathlib import Path

UTC_NS = 1_800_000_000 * NANOSECONDS_PER_SECOND


def to_utc_ns(time_ns: int) -> int:
    return UTC_NS + time_ns + time_ns // 20_000  # a clock that is 50 ppm slow


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[PipelineOutput]:
    """What the pipeline says of one set of three repetitions."""
    folder = tmp_path_factory.mktemp("angles")
    scenario = folder / "set.toml"
    scenario.write_text(SCENARIO)
    simulation = simulate(str(scenario), 1)
    path = folder / "set.parquet"
    write_table(
        path, simulation.trace_columns, {METADATA_KEY: json.dumps(simulation.trace_metadata).encode()}
    )
    trace = read_trace(path)
    pipeline = MotionPipeline(
        AthleteSetup({placement: trace.mount(placement) for placement in trace.sensors})
    )
    return [*map(pipeline.push, TraceStream(trace).blocks()), pipeline.flush()]


@pytest.fixture(scope="module")
def expected(outputs: list[PipelineOutput]) -> tuple[Analysis, dict[str, np.ndarray]]:
    """The best estimate on one grid, as ``hipline analyze`` writes it."""
    analysis = Analysis()
    for output in outputs:
        analysis.add(output)
    first, last = analysis.live_angles[0], analysis.live_angles[-1]
    columns = analysis.angle_columns(first.start_time_ns, last.time_ns(len(last) - 1), first.sampling_rate_hz)
    return analysis, columns


def joined(parts: list[AnglePart]) -> AnglePart:
    return replace(
        parts[0],
        t_s=np.concatenate([part.t_s for part in parts]),
        time_ms=np.concatenate([part.time_ms for part in parts]),
        angles={name: np.concatenate([part.angles[name] for part in parts]) for name in ANGLE_COLUMNS},
    )


def gathered(outputs: list[PipelineOutput], gathering: AngleGathering) -> list[AnglePart]:
    parts = [gathering.take(output) for output in outputs] + [gathering.finish()]
    return [part for part in parts if part is not None]


def holds(part: AnglePart, columns: dict[str, np.ndarray]) -> None:
    """Hold a part to what the whole recording says, wherever there are samples."""
    rows = np.rint(part.t_s * part.rate_hz).astype(int)
    for name in ANGLE_COLUMNS:
        np.testing.assert_allclose(part.angles[name], columns[name][rows], atol=1e-4, equal_nan=True)
    beside = np.delete(columns["pelvic_tilt_deg"], rows)
    assert np.isnan(beside).all()


def test_parts_joined_are_the_best_estimate_of_the_whole(
    outputs: list[PipelineOutput], expected: tuple[Analysis, dict[str, np.ndarray]]
) -> None:
    parts = gathered(outputs, AngleGathering(to_utc_ns))
    assert [part.number for part in parts] == [1, 2]  # at the end of the set, and the rest
    whole = joined(parts)
    assert (np.diff(whole.t_s) > 0).all()
    holds(whole, expected[1])
    assert np.isfinite(whole.angles["pelvic_tilt_deg"]).mean() > 0.8


def test_moments_are_told_in_utc_as_events_have_them(
    outputs: list[PipelineOutput], expected: tuple[Analysis, dict[str, np.ndarray]]
) -> None:
    whole = joined(gathered(outputs, AngleGathering(to_utc_ns)))
    origin_ns = expected[0].live_angles[0].start_time_ns
    at_ns = origin_ns + whole.t_s * NANOSECONDS_PER_SECOND
    np.testing.assert_allclose(whole.time_ms, (UTC_NS + at_ns * (1 + 1 / 20_000)) / 1e6, atol=0.01, rtol=0)


def test_reading_the_log_again_gives_the_same_parts(outputs: list[PipelineOutput]) -> None:
    first, again = (gathered(outputs, AngleGathering(to_utc_ns)) for _ in range(2))
    for part, other in zip(first, again, strict=True):
        assert part.number == other.number
        np.testing.assert_array_equal(part.t_s, other.t_s)
        np.testing.assert_array_equal(
            part.angles["hip_flexion_left_deg"], other.angles["hip_flexion_left_deg"]
        )


def test_a_long_rest_is_given_out_before_its_end_and_the_last_minute_is_kept_back(
    outputs: list[PipelineOutput],
) -> None:
    block = next(output.angles[0] for output in outputs if output.angles)
    live = next(output.live for output in outputs if output.live is not None)
    gathering = AngleGathering(to_utc_ns)
    n = len(block)
    parts = []
    for number in range(round(400 * block.sampling_rate_hz / n)):
        at_ns = block.start_time_ns + round(number * n * NANOSECONDS_PER_SECOND / block.sampling_rate_hz)
        parts.append(gathering.take(PipelineOutput((replace(block, start_time_ns=at_ns),), (), live)))
    given = [part for part in parts if part is not None]
    assert [part.t_s[0] for part in given] == pytest.approx([0.0, 120.0], abs=3.0)
    assert all(len(part) / part.rate_hz == pytest.approx(120.0, abs=3.0) for part in given)


def test_a_hole_has_no_rows(outputs: list[PipelineOutput]) -> None:
    block = next(output.angles[0] for output in outputs if output.angles)
    later = replace(block, start_time_ns=block.start_time_ns + 10**9 * NANOSECONDS_PER_SECOND)
    gathering = AngleGathering(to_utc_ns)
    gathering.take(PipelineOutput((block, later)))
    part = gathering.finish()
    assert part is not None
    assert len(part) == 2 * len(block)
    assert part.t_s[-1] > 1e9


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_measured_again_stands_for_all_given_before(
    outputs: list[PipelineOutput], expected: tuple[Analysis, dict[str, np.ndarray]], is_whole: bool
) -> None:
    analysis, columns = expected
    gathering = AngleGathering(to_utc_ns)
    given = [part for output in outputs if (part := gathering.take(output)) is not None]
    finished = [event.angles for event in analysis.repetitions.values()]
    again = gathering.measured_again(analysis.live_angles, finished, to_utc_ns, is_whole=is_whole)
    rest = gathering.finish()
    assert again is not None
    assert again.number == 1
    if is_whole:
        assert rest is None
        holds(again, columns)
    else:
        assert rest is not None
        assert (again.t_s[-1], rest.number) == (given[-1].t_s[-1], 2)
        holds(joined([again, rest]), columns)


async def test_a_session_leaves_one_file_a_part_for_its_owner_only(
    tmp_path: Path, outputs: list[PipelineOutput], expected: tuple[Analysis, dict[str, np.ndarray]]
) -> None:
    async with AngleWriter(tmp_path, lambda *_: None, lambda: None) as writer:
        writer.follow("anna", to_utc_ns)
        for output in outputs:
            writer.take("anna", output)
        writer.finish()
    folder = angles_folder(tmp_path, "anna")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["00001.parquet", "00002.parquet"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    read = read_angles(tmp_path, "anna")
    assert read is not None
    holds(read, expected[1])
    assert read_angles(tmp_path, "ben") is None

    remeasured = Remeasured(expected[0], to_utc_ns, {}, is_whole=True)
    async with AngleWriter(tmp_path, lambda *_: None, lambda: None) as writer:
        writer.follow("anna", to_utc_ns)
        writer.take_again("anna", remeasured)
    assert [path.name for path in folder.iterdir()] == ["00001.parquet"]
    read = read_angles(tmp_path, "anna")
    assert read is not None
    holds(read, expected[1])


async def test_a_disk_that_refuses_is_said_until_it_is_over(
    tmp_path: Path, outputs: list[PipelineOutput], monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[tuple[str, str | None]] = []
    lost: list[int] = []

    def refuse(*_: object, **__: object) -> None:
        raise BridgeError("00001.parquet: the angles cannot be written: No space left on device")

    async with AngleWriter(tmp_path, lambda *alarm: alarms.append(alarm), lambda: lost.append(1)) as writer:
        writer.follow("anna", to_utc_ns)
        with monkeypatch.context() as full:
            full.setattr("sensor_bridge.archive.angle_writer.write_part", refuse)
            for output in outputs:
                writer.take("anna", output)
            await writer.written()
        assert [code for code, _ in alarms] == [ANGLES_ALARM]
        assert "No space left" in str(alarms[0][1])
        writer.finish()
        await writer.written()
    assert alarms[-1] == (ANGLES_ALARM, None)
    assert lost == [1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, outputs: list[PipelineOutput]) -> None:
    (tmp_path / "angles").write_bytes(b"in the way")
    [part, *_] = gathered(outputs, AngleGathering(to_utc_ns))
    with pytest.raises(BridgeError, match="angles cannot be written"):
        write_part(angles_folder(tmp_path, "anna"), part)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1"])
def test_a_file_that_holds_no_angles_is_named(tmp_path: Path, content: bytes) -> None:
    folder = angles_folder(tmp_path, "anna")
    folder.mkdir(parents=True)
    (folder / "00001.parquet").write_bytes(content)
    with pytest.raises(RecordingError, match=r"00001\.parquet: holds no angles"):
        read_angles(tmp_path, "anna")
