from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from analytics.imu import ImuBlock, Placement
from firmware_protocol.codec import decode_frame, encode
from firmware_protocol.packets import BulkPage, CommandReply, CommandResult, ImuFrame, Opcode, TimeReply
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.ble.link import FrameKind, ReceivedFrame

UTC_NS = 1_700_000_000_000_000_000
RANDOM = np.random.default_rng(11)
COUNTS = RANDOM.integers(-20_000, 20_000, (5000, 6)).astype("<i2")


@dataclass
class Sensor:
    """Sends COUNTS in frames; its clock and the radio's delays are chosen by the test. True time in s."""

    sensor_id: str = "hip"
    boot_s: float = -7.0
    ppm: float = 0.0
    rate_hz: float = 100.0
    stream_id: int = 1
    started_s: float = 0.0
    jitter_s: float = 0.0
    batch: int = 10
    rate: SamplingRate = SamplingRate.HZ100
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def device_us(self, at_s: float) -> int:
        return round((at_s - self.boot_s) * (1 + self.ppm * 1e-6) * 1e6)

    def frame(
        self, index: int, *, n: int | None = None, arrival_s: float | None = None, counts: np.ndarray = COUNTS
    ) -> ReceivedFrame:
        n = n or self.batch
        first_s = self.started_s + index / self.rate_hz
        packet = ImuFrame(
            stream_id=self.stream_id,
            first_sample_index=index,
            device_time_us=self.device_us(first_s),
            sampling_rate=self.rate,
            accel_range=AccelRange.G8,
            gyro_range=GyroRange.DPS1000,
            clipped=False,
            gap_before=False,
            samples=counts[index : index + n].tobytes(),
        )
        if arrival_s is None:
            arrival_s = first_s + (n - 1) / self.rate_hz + 0.005 + self.random.uniform(0, self.jitter_s)
        return ReceivedFrame(self.sensor_id, UTC_NS + round(arrival_s * 1e9), FrameKind.DATA, encode(packet))

    def frames(self, n_samples: int, *, start: int = 0) -> list[ReceivedFrame]:
        return [self.frame(index) for index in range(start, start + n_samples, self.batch)]

    def exchange(self, at_s: float, there_s: float, back_s: float) -> ReceivedFrame:
        reached = self.device_us(at_s + there_s)
        reply = TimeReply(1, UTC_NS // 1000 + round(at_s * 1e6), reached, reached)
        arrival_ns = UTC_NS + round((at_s + there_s + back_s) * 1e9)
        return ReceivedFrame(self.sensor_id, arrival_ns, FrameKind.TIME, encode(reply))


def push_all(assembly: BlockAssembly, frames: list[ReceivedFrame], *, flush: bool = True) -> list[ImuBlock]:
    blocks = [block for frame in frames for block in assembly.push(frame)]
    return blocks + assembly.flush() if flush else blocks


def by_arrival(*streams: list[ReceivedFrame]) -> list[ReceivedFrame]:
    return sorted((frame for stream in streams for frame in stream), key=lambda frame: frame.arrival_ns)


def of(blocks: list[ImuBlock], placement: Placement) -> list[ImuBlock]:
    return [block for block in blocks if block.placement is placement]


def stacked(blocks: list[ImuBlock]) -> np.ndarray:
    return np.vstack([np.hstack([block.acc_m_s2, block.gyr_rad_s]) for block in blocks])


def si(start: int, stop: int) -> np.ndarray:
    """COUNTS at ±8 g and ±1000 °/s."""
    acc = COUNTS[start:stop, :3] * (8 * 9.80665 / 32768)
    gyr = COUNTS[start:stop, 3:] * (np.pi / 180 * 1000 / 32768)
    return np.hstack([acc, gyr])


def test_one_sensor_keeps_its_own_times_and_values() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    blocks = push_all(assembly, Sensor(jitter_s=0.03).frames(300))
    assert blocks[0].start_time_ns == 7_000_000_000
    assert sum(map(len, blocks)) == 300
    assert not any(block.gap_before_s for block in blocks)
    assert stacked(blocks) == pytest.approx(si(0, 300), rel=1e-12)
    quality = assembly.quality("hip")
    assert (quality.received, quality.lost, quality.duplicated, quality.rejected) == (300, 0, 0, 0)


def test_each_frame_comes_out_at_once() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    for frame in Sensor().frames(100):
        (block,) = assembly.push(frame)
        assert len(block) == 10


def test_replaying_gives_exactly_the_same() -> None:
    pelvis = Sensor(jitter_s=0.03, ppm=30)
    thigh = Sensor("thigh", boot_s=-90, jitter_s=0.03, ppm=-40, started_s=0.013)
    frames = by_arrival(
        pelvis.frames(1000), thigh.frames(1000), [thigh.exchange(k, 0.01, 0.02) for k in range(1, 9)]
    )
    placements = {"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT}
    first, second = (push_all(BlockAssembly(placements), frames) for _ in range(2))
    assert [(b.placement, b.start_time_ns, b.gap_before_s) for b in first] == [
        (b.placement, b.start_time_ns, b.gap_before_s) for b in second
    ]
    assert stacked(first).tobytes() == stacked(second).tobytes()


def test_a_second_sensor_lands_on_the_first_ones_clock() -> None:
    """Both feel the same sine; after 5 s they agree within 5 ms, whatever their clocks say."""
    t = np.arange(3000) / 100
    pelvis, thigh = (
        Sensor(jitter_s=0.03, ppm=50),
        Sensor("thigh", boot_s=-500, jitter_s=0.03, ppm=-50, started_s=0.0137),
    )
    thigh.random = np.random.default_rng(6)

    def wave(shift_s: float) -> np.ndarray:
        angle = 2 * np.pi * 0.5 * (t + shift_s)
        return (20_000 * np.column_stack([np.sin(angle), np.cos(angle)] * 3)).astype("<i2")

    frames = by_arrival(
        [pelvis.frame(i, counts=wave(0.0)) for i in range(0, 3000, 10)],
        [thigh.frame(i, counts=wave(0.0137)) for i in range(0, 3000, 10)],
    )
    blocks = push_all(BlockAssembly({"thigh": Placement.THIGH_LEFT, "hip": Placement.PELVIS}), frames)
    pieces = {}
    for placement in (Placement.PELVIS, Placement.THIGH_LEFT):
        mine = of(blocks, placement)
        times = np.concatenate([b.start_time_ns + np.arange(len(b)) * 10_000_000 for b in mine])
        angle = np.unwrap(np.arctan2(stacked(mine)[:, 0], stacked(mine)[:, 1]))
        pieces[placement] = dict(zip((times / 1e7).round().astype(int).tolist(), angle, strict=True))
    shared = sorted(set(pieces[Placement.PELVIS]) & set(pieces[Placement.THIGH_LEFT]))[500:]
    assert len(shared) > 2300
    apart_s = np.array(
        [(pieces[Placement.PELVIS][k] - pieces[Placement.THIGH_LEFT][k]) / np.pi for k in shared]
    )
    assert np.percentile(np.abs(apart_s), 95) < 0.005
    # One grid for both.
    assert all(abs((b.start_time_ns - blocks[0].start_time_ns + 1) % 10_000_000) <= 2 for b in blocks)


def test_lost_frames_are_a_gap_of_their_length() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    sensor = Sensor()
    blocks = push_all(assembly, sensor.frames(50) + sensor.frames(50, start=80))
    gaps = [block.gap_before_s for block in blocks if block.gap_before_s]
    assert gaps == pytest.approx([0.3])
    quality = assembly.quality("hip")
    assert (quality.lost, quality.gaps, quality.lost_s) == (30, 1, pytest.approx(0.3))
    assert stacked(blocks) == pytest.approx(np.vstack([si(0, 50), si(80, 130)]))


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_settles_neither_tears_nor_folds_what_was_measured(seed: int) -> None:
    """Packets of 190 ms, the first of them late: each new fit meets the one before at the last sample."""
    pelvis = Sensor(batch=19, jitter_s=0.15, random=np.random.default_rng(seed))
    thigh = Sensor("thigh", boot_s=-500, batch=19, jitter_s=0.15, random=np.random.default_rng(seed + 10))
    assembly = BlockAssembly({"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT})
    push_all(
        assembly,
        by_arrival(
            pelvis.frames(1900),
            thigh.frames(1900),
            [thigh.exchange(0.3 + k, 0.03, 0.03) for k in range(18)],
        ),
    )
    assert [assembly.quality(each).gaps for each in ("hip", "thigh")] == [0, 0]
    assert assembly.quality("thigh").rejected == 0


def test_a_sensor_that_starts_anew_at_another_rate_fills_the_same_grid() -> None:
    """It rebooted, and its chip no longer does the old rate; the hole is as long as it was away."""
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    slow = Sensor(boot_s=6.0, stream_id=2, started_s=7.0, rate_hz=50.0, rate=SamplingRate.HZ50)
    blocks = push_all(assembly, Sensor().frames(500) + slow.frames(250))
    assert {block.sampling_rate_hz for block in blocks} == {100.0}
    gaps = [block.gap_before_s for block in blocks if block.gap_before_s]
    assert gaps == [pytest.approx(2.0, abs=0.03)]
    assert sum(map(len, blocks)) == pytest.approx(500 + 499, abs=1)
    quality = assembly.quality("hip")
    assert (quality.received, quality.lost, quality.rejected) == (750, 0, 0)


def test_doubles_and_overlaps_are_taken_once() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    sensor = Sensor()
    frames = [sensor.frame(0), sensor.frame(10), sensor.frame(0), sensor.frame(14), sensor.frame(24)]
    blocks = push_all(assembly, frames)
    assert stacked(blocks) == pytest.approx(si(0, 34))
    assert assembly.quality("hip").duplicated == 16
    assert assembly.quality("hip").rejected == 0
    assert assembly.resume_point("hip") == (1, 34)


def test_what_a_sensor_remembered_closes_the_hole() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    sensor = Sensor()
    late = [sensor.frame(i, arrival_s=25.0 + i * 1e-4) for i in range(500, 2500, 10)]
    blocks = push_all(assembly, sensor.frames(500) + late + sensor.frames(300, start=2500))
    assert stacked(blocks) == pytest.approx(si(0, 2800))
    assert assembly.quality("hip").gaps == 0
    assert assembly.to_utc_ns(blocks[0].start_time_ns) == pytest.approx(UTC_NS, abs=10e6)


def test_a_true_rate_beside_the_nominal_is_mended() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    blocks = push_all(assembly, Sensor(rate_hz=97.3).frames(2000))
    duration_s = 1999 / 97.3
    assert sum(map(len, blocks)) == int(duration_s * 100) + 1
    assert not any(block.gap_before_s for block in blocks)
    assert assembly.quality("hip").rejected == 0


def test_a_reboot_goes_on_at_the_right_time() -> None:
    """The sensor starts again 3 s later with its clock at 1 s and a new stream."""
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    before = Sensor().frames(500)
    after = Sensor(boot_s=7.0, stream_id=2, started_s=8.0).frames(500)
    blocks = push_all(assembly, before + after)
    gaps = [block for block in blocks if block.gap_before_s]
    assert len(gaps) == 1
    assert gaps[0].gap_before_s == pytest.approx(3.0, abs=0.02)
    assert gaps[0].start_time_ns == pytest.approx(15_000_000_000, abs=20e6)
    assert assembly.to_utc_ns(gaps[0].start_time_ns) == pytest.approx(UTC_NS + 8e9, abs=20e6)
    assert assembly.quality("hip").rejected == 0


def test_a_new_stream_on_a_clock_that_ran_on_keeps_its_times() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    blocks = push_all(
        assembly, Sensor().frames(500) + Sensor(stream_id=2, started_s=8.0, jitter_s=0.05).frames(500)
    )
    second = [block for block in blocks if block.start_time_ns >= 15_000_000_000]
    assert second[0].start_time_ns == 15_000_000_000
    assert stacked(second) == pytest.approx(si(0, 500), rel=1e-12)


def test_without_a_pelvis_the_first_sensor_is_the_reference() -> None:
    assembly = BlockAssembly({"thigh": Placement.THIGH_LEFT, "knee": Placement.THIGH_RIGHT})
    left = Sensor("thigh", boot_s=-20.0)
    blocks = push_all(assembly, by_arrival(left.frames(100), Sensor("knee").frames(100)))
    assert of(blocks, Placement.THIGH_LEFT)[0].start_time_ns == 20_000_000_000
    assert of(blocks, Placement.THIGH_RIGHT)[0].start_time_ns == pytest.approx(20_000_000_000, abs=20e6)


def test_a_pelvis_that_stays_away_is_not_waited_for() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT})
    frames = Sensor("thigh", boot_s=-20.0).frames(1000)
    early = push_all(assembly, frames[:50], flush=False)
    assert early == []
    blocks = push_all(assembly, frames[50:])
    assert stacked(blocks) == pytest.approx(si(0, 1000), rel=1e-12)


def test_a_recording_of_one_sensor_shorter_than_the_wait_is_not_lost() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT})
    blocks = push_all(assembly, Sensor("thigh").frames(100))
    assert sum(map(len, blocks)) == 100


def test_exchanges_that_come_before_the_data_count() -> None:
    """Both sensors: the radio needs 20 ms at least one way, the exchange shows it."""
    slow = Sensor("thigh", boot_s=-3.0)
    frames = [slow.frame(i, arrival_s=i / 100 + 0.09 + 0.020) for i in range(0, 500, 10)]
    plain = BlockAssembly({"thigh": Placement.THIGH_LEFT})
    told = BlockAssembly({"thigh": Placement.THIGH_LEFT})
    told.push(slow.exchange(-0.5, 0.020, 0.020))
    for assembly, error_ms in ((plain, 20), (told, 0)):
        push_all(assembly, frames)
        assert (assembly.to_utc_ns(8_000_000_000) - UTC_NS) / 1e6 - 5000 == pytest.approx(error_ms, abs=0.5)


def test_bytes_that_are_no_packet_are_counted() -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    sensor = Sensor()
    good = sensor.frames(20)
    broken = [
        ReceivedFrame("hip", UTC_NS, FrameKind.DATA, good[0].payload[:-1]),
        ReceivedFrame("hip", UTC_NS, FrameKind.DATA, b""),
        ReceivedFrame("hip", UTC_NS, FrameKind.TIME, b"\x17"),
        ReceivedFrame("hip", UTC_NS, FrameKind.BATTERY, b"\x50"),
    ]
    blocks = push_all(assembly, [good[0], *broken, good[1]])
    assert sum(map(len, blocks)) == 20
    assert assembly.quality("hip").rejected == 3


def test_counts_at_the_end_of_the_range_are_clipped() -> None:
    counts = COUNTS.copy()
    counts[3, 0] = 32767
    counts[4, 5] = -32768
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    assembly.push(Sensor().frame(0, counts=counts))
    assert assembly.quality("hip").clipped == 2


def test_sensors_must_be_known_and_one_a_placement() -> None:
    with pytest.raises(ValueError, match="one sensor a placement"):
        BlockAssembly({"a": Placement.PELVIS, "b": Placement.PELVIS})
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    assert assembly.resume_point("hip") is None
    with pytest.raises(KeyError):
        assembly.push(Sensor("other").frame(0))
    with pytest.raises(ValueError, match="begins with the first block"):
        assembly.to_utc_ns(0)


def test_what_waits_for_other_sensors_is_not_taken_for_lost_when_the_stream_is_resumed_meanwhile() -> None:
    sensor = Sensor()
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    waiting = [run for frame in sensor.frames(50) for run in assembly.decode(frame)]
    resumed = CommandReply(1, Opcode.START, CommandResult.OK, sensor.stream_id, 200)
    arrival_ns = sensor.frame(200).arrival_ns
    for kind, packet in (
        (FrameKind.CONTROL, resumed),
        *(
            (FrameKind.BULK, BulkPage(1, number, decode_frame(sensor.frame(50 + 10 * number).payload)))
            for number in range(15)
        ),
    ):
        assert assembly.decode(ReceivedFrame("hip", arrival_ns, kind, encode(packet))) == []
    blocks = [block for run in waiting for block in assembly.place(run)] + assembly.flush()
    assert sum(len(block) for block in blocks) == 50
    quality = assembly.quality("hip")
    assert (quality.received, quality.backfilled, quality.lost, quality.duplicated) == (50, 150, 0, 0)
