from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.imu import ImuBlock, Placement
from analytics.timebase import GridResampler


def samples(times_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = times_ns / 1e9
    acc = np.column_stack([np.sin(2 * np.pi * t), np.cos(3 * t), 9.81 + 0 * t])
    return acc, 0.1 * acc[:, ::-1]


def joined(blocks: list[ImuBlock]) -> list[ImuBlock]:
    """Blocks with those that continue each other put together."""
    out: list[ImuBlock] = []
    for block in blocks:
        if not out or block.gap_before_s:
            out.append(block)
            continue
        out[-1] = ImuBlock(
            out[-1].placement,
            out[-1].start_time_ns,
            out[-1].sampling_rate_hz,
            np.vstack([out[-1].acc_m_s2, block.acc_m_s2]),
            np.vstack([out[-1].gyr_rad_s, block.gyr_rad_s]),
            out[-1].gap_before_s,
        )
    return out


def resample(
    times_ns: np.ndarray, *, rate_hz: float = 100.0, origin_ns: int | None = None, cuts: tuple[int, ...] = ()
) -> tuple[list[ImuBlock], GridResampler]:
    resampler = GridResampler(Placement.PELVIS, rate_hz, origin_ns=origin_ns)
    acc, gyr = samples(times_ns)
    blocks = []
    for start, stop in zip((0, *cuts), (*cuts, len(times_ns)), strict=True):
        blocks += resampler.push(times_ns[start:stop], acc[start:stop], gyr[start:stop])
    return joined(blocks + resampler.flush()), resampler


@pytest.mark.parametrize("rate_hz", [10.0, 52.0, 60.0, 100.0, 416.0])
@pytest.mark.parametrize("start_ns", [0, 123_456_789_012_345])
def test_samples_on_the_grid_pass_bit_identically(rate_hz: float, start_ns: int) -> None:
    exact = start_ns + np.rint(np.arange(500) * 1e9 / rate_hz).astype(np.int64)
    times = exact // 1000 * 1000  # as a sensor stamps them: whole microseconds
    (block,), resampler = resample(times, rate_hz=rate_hz, cuts=(7, 8, 300))
    acc, gyr = samples(times)
    assert block.acc_m_s2.tobytes() == acc.tobytes()
    assert block.gyr_rad_s.tobytes() == gyr.tobytes()
    assert block.start_time_ns == times[0]
    assert (resampler.n_gaps, resampler.lost_s) == (0, 0.0)


def test_samples_on_the_grid_come_out_at_once() -> None:
    resampler = GridResampler(Placement.PELVIS, 100.0)
    times = np.arange(10) * 10_000_000
    (block,) = resampler.push(times, *samples(times))
    assert len(block) == 10
    assert resampler.flush() == []


def test_samples_beside_the_grid_wait_for_one_beyond_the_pair() -> None:
    resampler = GridResampler(Placement.PELVIS, 100.0, origin_ns=0)
    times = np.arange(10) * 10_000_000 + 4_000_000  # the last at 94 ms
    (block,) = resampler.push(times, *samples(times))
    assert (block.start_time_ns, len(block)) == (10_000_000, 8)  # 10 … 80 ms
    (rest,) = resampler.flush()
    assert (rest.start_time_ns, len(rest)) == (90_000_000, 1)


def test_interpolation_is_that_of_a_cubic() -> None:
    times = np.arange(2000) * 10_000_000 + 5_000_000  # half way, where it is worst
    t = times / 1e9
    movement = np.sin(2 * np.pi * 6 * t)
    values = np.column_stack([movement] * 3)
    resampler = GridResampler(Placement.PELVIS, 100.0, origin_ns=0)
    (block,) = joined([*resampler.push(times, values, values), *resampler.flush()])
    at_s = block.start_time_ns / 1e9 + np.arange(len(block)) / 100
    error = block.acc_m_s2[5:-5, 0] - np.sin(2 * np.pi * 6 * at_s)[5:-5]
    assert np.abs(error).max() < 6e-4  # a straight line would be off by 1.8e-2


@pytest.mark.parametrize("true_rate_hz", [95.0, 98.7, 101.3, 105.0])
def test_a_rate_that_is_off_is_mended(true_rate_hz: float) -> None:
    times = np.rint(np.arange(3000) * 1e9 / true_rate_hz).astype(np.int64)
    (block,), resampler = resample(times)
    at_s = np.arange(len(block)) / 100
    assert len(block) == math.floor(times[-1] / 1e7) + 1
    assert np.abs(block.acc_m_s2[:, 0] - np.sin(2 * np.pi * at_s)).max() < 2e-3
    assert resampler.n_gaps == 0


def test_a_hole_ends_a_block_and_nothing_is_made_up() -> None:
    times = np.delete(np.arange(100) * 10_000_000, np.r_[40:60])
    blocks, resampler = resample(times)
    assert [len(block) for block in blocks] == [40, 40]
    assert blocks[1].start_time_ns == 600_000_000
    assert blocks[1].gap_before_s == pytest.approx(0.2)
    assert (resampler.n_gaps, resampler.lost_s) == (1, pytest.approx(0.2))


def test_one_missing_sample_is_a_hole_and_half_a_period_late_is_none() -> None:
    times = np.arange(30) * 10_000_000
    blocks, _ = resample(np.delete(times, 10))
    assert [(len(block), round(block.gap_before_s, 6)) for block in blocks] == [(10, 0.0), (19, 0.01)]
    late = times.copy()
    late[10:] += 4_900_000
    blocks, _ = resample(late)
    assert len(blocks) == 1


def test_off_grid_samples_are_not_extrapolated_into_a_hole() -> None:
    first = np.arange(10) * 10_000_000 + 3_000_000
    second = np.arange(10) * 10_000_000 + 507_000_000
    blocks, _ = resample(np.concatenate([first, second]), origin_ns=0)
    assert [(block.start_time_ns, len(block)) for block in blocks] == [(10_000_000, 9), (510_000_000, 9)]
    assert blocks[1].gap_before_s == pytest.approx(0.41)


def test_duplicates_and_reversed_time_are_rejected_and_counted() -> None:
    times = np.array([0, 10, 20, 20, 15, 30, 5, 30, 40]) * 1_000_000
    (block,), resampler = resample(times)
    assert len(block) == 5
    assert (resampler.n_duplicated, resampler.n_reversed) == (2, 2)


def test_values_that_are_no_numbers_make_a_hole() -> None:
    times = np.arange(20) * 10_000_000
    acc, gyr = samples(times)
    acc[5, 1] = np.nan
    gyr[6, 2] = np.inf
    resampler = GridResampler(Placement.PELVIS, 100.0)
    blocks = joined([*resampler.push(times, acc, gyr), *resampler.flush()])
    assert [(len(block), round(block.gap_before_s, 6)) for block in blocks] == [(5, 0.0), (13, 0.02)]
    assert resampler.n_not_finite == 2


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    jitter_us=st.sampled_from([0, 1, 300, 3000]),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)
def test_any_chunking_gives_the_same(seed: int, jitter_us: int, cuts: list[int]) -> None:
    random = np.random.default_rng(seed)
    times = np.arange(200) * 10_000_000 + random.integers(-jitter_us, jitter_us + 1, 200) * 1000
    times[120:] += 70_000_000
    whole, _ = resample(times, origin_ns=0)
    cut, _ = resample(times, origin_ns=0, cuts=tuple(sorted(cuts)))
    assert [(b.start_time_ns, b.gap_before_s) for b in cut] == [
        (b.start_time_ns, b.gap_before_s) for b in whole
    ]
    for ours, theirs in zip(cut, whole, strict=True):
        assert ours.acc_m_s2.tobytes() == theirs.acc_m_s2.tobytes()
        assert ours.gyr_rad_s.tobytes() == theirs.gyr_rad_s.tobytes()


def test_sensors_with_one_origin_share_their_grid() -> None:
    blocks, _ = resample(np.arange(50) * 9_990_000 + 1_234_567, origin_ns=500_000_000)
    assert all((block.start_time_ns - 500_000_000) % 10_000_000 == 0 for block in blocks)


def test_a_slower_source_fills_a_faster_grid() -> None:
    resampler = GridResampler(Placement.THIGH_LEFT, 100.0, source_rate_hz=50.0)
    times = np.arange(100) * 20_000_000
    (block,) = joined([*resampler.push(times, *samples(times)), *resampler.flush()])
    assert len(block) == 199
    resampler.change_source_rate(25.0)
    times = np.arange(10) * 40_000_000 + 2_000_000_000
    blocks = [*resampler.push(times, *samples(times)), *resampler.flush()]
    assert sum(map(len, blocks)) == 37


def test_close_samples_do_not_make_it_overshoot() -> None:
    random = np.random.default_rng(3)
    times = np.sort(np.arange(0, 400) * 10_000_000 + random.integers(-4_900_000, 4_900_000, 400))
    noise = random.standard_normal((400, 3))
    resampler = GridResampler(Placement.PELVIS, 100.0, origin_ns=0)
    blocks = [*resampler.push(times, noise, noise), *resampler.flush()]
    assert max(np.abs(block.acc_m_s2).max() for block in blocks) < 1.5 * np.abs(noise).max()


def test_input_is_left_alone_and_lengths_must_fit() -> None:
    times = np.arange(10) * 10_000_000
    acc, gyr = samples(times)
    before = acc.copy()
    resampler = GridResampler(Placement.PELVIS, 100.0)
    assert resampler.push(times[:0], acc[:0], gyr[:0]) == []
    resampler.push(times, acc, gyr)
    assert (acc == before).all()
    with pytest.raises(ValueError, match="9 times need"):
        resampler.push(times[1:], acc, gyr)
    with pytest.raises(ValueError, match="must be positive"):
        GridResampler(Placement.PELVIS, 0.0)
