from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from scipy.signal import butter, sosfilt

from analytics.angles import AngleBlock
from analytics.imu import Placement
from analytics.repetitions import (
    Aborted,
    BoundaryReason,
    Candidate,
    CounterEvent,
    CounterParameters,
    Driver,
    DrivingAngle,
    LivePhaseChange,
    Phase,
    Rejected,
    RepetitionCounter,
    SetBoundary,
    Withdrawn,
)
from analytics.turning_points import AbortReason, CloseReason

T = TypeVar("T")

RATE_HZ = 100.0
PELVIS = Driver(pelvis=True, left=False, right=False)
UNGATED = CounterParameters(gate=None)
BOWS = Path(__file__).resolve().parents[3] / "shared" / "data" / "bowing_vicon"


@dataclass
class Curve:
    """A driving angle built move by move; each move is smooth, as people move."""

    parts: list[np.ndarray] = field(default_factory=list)
    now_deg: float = 0.0

    def hold(self, seconds: float) -> Curve:
        self.parts.append(np.full(round(seconds * RATE_HZ), self.now_deg))
        return self

    def move(self, target_deg: float, seconds: float) -> Curve:
        share = np.linspace(0.0, 1.0, round(seconds * RATE_HZ), endpoint=False)
        smooth = 10.0 * share**3 - 15.0 * share**4 + 6.0 * share**5
        self.parts.append(self.now_deg + (target_deg - self.now_deg) * smooth)
        self.now_deg = target_deg
        return self

    def cycle(self, depth_deg: float, down_s: float = 2.0, up_s: float = 1.5, rest_s: float = 1.0) -> Curve:
        return self.move(depth_deg, down_s).move(0.0, up_s).hold(rest_s)

    def array(self) -> np.ndarray:
        return np.concatenate(self.parts)


def alive(n: int, rng: np.random.Generator, sway_deg: float | None = None) -> np.ndarray:
    """Sway (0.1-0.8 Hz), tremor (7-11 Hz) and drift of a living body, degrees."""
    slow = sosfilt(butter(2, (0.1, 0.8), "band", fs=RATE_HZ, output="sos"), rng.standard_normal(n + 1000))[
        1000:
    ]
    rms_deg = rng.uniform(0.2, 0.5) if sway_deg is None else sway_deg
    time_s = np.arange(n) / RATE_HZ
    tremor = rng.uniform(0.03, 0.15) * np.sin(2.0 * np.pi * rng.uniform(7.0, 11.0) * time_s)
    return np.asarray(slow * rms_deg / slow.std() + tremor + rng.uniform(-1.0, 1.0) / 60.0 * time_s)


def angles_from(
    tilt: np.ndarray, start_ns: int = 0, *, supine: bool | np.ndarray = False, rate_hz: float = RATE_HZ
) -> AngleBlock:
    n = len(tilt)
    nothing = [np.full(n, np.nan) for _ in range(6)]
    return AngleBlock(
        start_ns,
        rate_hz,
        0.0,
        np.array(tilt, dtype=np.float64),
        *nothing,
        np.full(n, 9.81),
        np.zeros((n, 3)),
        np.array(np.broadcast_to(supine, n)),
        np.ones(n, dtype=np.bool_),
    )


def events_of(
    tilt: np.ndarray, *, supine: bool = False, parameters: CounterParameters = UNGATED
) -> list[CounterEvent]:
    return RepetitionCounter(PELVIS, parameters).push(angles_from(tilt, supine=supine))


def counted(events: list[CounterEvent]) -> list[Candidate]:
    kept: list[Candidate] = []
    for event in events:
        if isinstance(event, Withdrawn):
            kept.remove(event.candidate)
        elif isinstance(event, Candidate):
            kept.append(event)
    return kept


def of_kind(events: list[CounterEvent], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def mixture(seed: int) -> tuple[np.ndarray, int]:
    """A set as people do it: every kind of repetition, and lowerings broken off, in random order."""
    rng = np.random.default_rng(seed)
    is_micro = rng.random() < 0.15
    usual_deg = rng.uniform(10.0, 20.0) if is_micro else rng.uniform(35.0, 90.0)
    curve, count = Curve().hold(2.5), 0
    for _ in range(rng.integers(5, 11)):
        kind = (
            rng.choice(["plain", "paused", "touch"], p=[0.6, 0.2, 0.2])
            if is_micro
            else rng.choice(
                ["plain", "touch", "slow", "paused", "dip", "soft", "aborted"],
                p=[0.35, 0.12, 0.12, 0.13, 0.10, 0.10, 0.08],
            )
        )
        depth, rest_s = usual_deg * rng.uniform(0.85, 1.15), rng.uniform(0.3, 2.0)
        if kind == "aborted":
            curve.move(depth * rng.uniform(0.15, 0.4), rng.uniform(0.6, 1.5)).move(0.0, rng.uniform(0.5, 1.2))
            curve.hold(rest_s)
            continue
        count += 1
        if kind == "touch":
            half_s = rng.uniform(0.5, 1.0)
            curve.move(depth, half_s).move(rng.choice([0.0, 0.25]) * depth, half_s)
            continue
        if kind == "slow":
            curve.move(depth, rng.uniform(6.0, 10.0)).move(0.0, rng.uniform(1.0, 3.0))
        elif kind == "paused":
            curve.move(depth, rng.uniform(1.0, 4.0)).hold(rng.uniform(1.0, 4.0)).move(
                0.0, rng.uniform(0.7, 2.0)
            )
        elif kind == "dip":
            curve.move(depth, rng.uniform(1.0, 3.0)).move(
                depth * rng.uniform(0.55, 0.85), rng.uniform(0.4, 0.9)
            )
            curve.move(depth * rng.uniform(0.9, 1.05), rng.uniform(0.4, 0.9)).move(0.0, rng.uniform(0.8, 2.0))
        elif kind == "soft":
            curve.move(depth, rng.uniform(1.0, 3.0)).move(
                depth * rng.uniform(0.08, 0.3), rng.uniform(0.8, 2.0)
            )
            rest_s = max(rest_s, 0.8)
        else:
            curve.move(depth, rng.uniform(1.0, 4.0)).move(0.0, rng.uniform(0.8, 2.5))
        curve.hold(rest_s)
    tilt = curve.move(0.0, 0.8).hold(2.0).array()
    return tilt + alive(len(tilt), rng), count


# --- counting -------------------------------------------------------------------------------------


def test_five_plain_repetitions() -> None:
    curve = Curve().hold(2.0)
    for _ in range(5):
        curve.cycle(60.0)
    events = events_of(curve.array())
    found = counted(events)
    assert [round(candidate.amplitude_deg) for candidate in found] == [60, 60, 60, 60, 60]
    assert [candidate.is_provisional for candidate in found] == [True, False, False, False, False]
    assert of_kind(events, Aborted) == []
    first = found[0]
    # Down at 2.0 s, bottom at 4.0 s, up at 5.5 s.
    assert first.start_ns / 1e9 == pytest.approx(2.2, abs=0.1)
    assert first.bottom_ns / 1e9 == pytest.approx(4.0, abs=0.02)
    assert first.close_ns / 1e9 == pytest.approx(5.45, abs=0.1)
    assert first.closed_by is CloseReason.LOCKOUT


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda c: c.move(60, 0.5).move(0, 0.5).hold(1), 1, id="a second in all"),
        pytest.param(
            lambda c: c.move(60, 0.6).move(12, 0.6).move(60, 0.6).move(0, 0.6), 2, id="touch and go"
        ),
        pytest.param(
            lambda c: c.move(60, 0.6).move(22, 0.6).move(60, 0.6).move(0, 0.6), 2, id="partial return"
        ),
        pytest.param(lambda c: c.move(60, 10).move(0, 2), 1, id="ten seconds down"),
        pytest.param(lambda c: c.move(60, 2).hold(8).move(0, 2), 1, id="eight seconds held"),
        pytest.param(lambda c: c.move(60, 2).move(35, 0.6).move(60, 0.6).move(0, 2), 1, id="double dip"),
        pytest.param(lambda c: c.move(30, 1).hold(1.5).move(60, 1).move(0, 2), 1, id="stop on the way down"),
        pytest.param(lambda c: c.move(60, 2).move(30, 1).hold(1).move(0, 1), 1, id="stop on the way up"),
        pytest.param(
            lambda c: c.move(60, 2).move(15, 1.5).hold(2).move(60, 2).move(0, 2), 2, id="soft lockout"
        ),
        pytest.param(
            lambda c: c.move(9, 1.2).move(0, 1.2).hold(0.5).move(9, 1.2).move(0, 1.2), 2, id="micro"
        ),
        pytest.param(lambda c: c.move(4, 1.2).move(0, 1.2).hold(0.5), 0, id="too small for the pelvis"),
        pytest.param(
            lambda c: c.move(60, 2).move(-8, 2).hold(1).move(60, 2).move(0, 2), 2, id="over-extension"
        ),
        pytest.param(lambda c: c.move(40, 2).hold(14).move(40, 1), 0, id="sat down and stayed"),
    ],
)
def test_one_movement(make, expected: int) -> None:
    curve = Curve().hold(2.0)
    make(curve)
    found = counted(events_of(curve.hold(3.0).array()))
    assert len(found) == expected


def test_a_thigh_alone_counts_from_half_the_angle() -> None:
    thigh = Curve().hold(2.0).cycle(4.0).cycle(4.0).array()
    block = angles_from(np.full(len(thigh), np.nan))
    only_thigh = AngleBlock(
        0,
        RATE_HZ,
        0.0,
        block.pelvic_tilt_deg,
        *(np.full(len(thigh), np.nan) for _ in range(2)),
        thigh,
        *(np.full(len(thigh), np.nan) for _ in range(3)),
        block.acc_norm_m_s2,
        block.gyr_segment_rad_s,
        block.is_supine,
        block.is_measured,
    )
    driver = Driver.worn([Placement.THIGH_LEFT])
    assert driver.angle is DrivingAngle.THIGH_FLEXION
    assert len(counted(RepetitionCounter(driver, UNGATED).push(only_thigh))) == 2


def test_a_set_of_mixed_repetitions_is_counted_exactly() -> None:
    exact = missed = extra = repetitions = 0
    for seed in range(1000, 1150):
        tilt, truth = mixture(seed)
        found = len(counted(events_of(tilt)))
        repetitions += truth
        exact += found == truth
        missed += max(0, truth - found)
        extra += max(0, found - truth)
    print(f"{exact} of 150 sets exact; {missed} missed, {extra} extra of {repetitions} repetitions")
    assert exact >= 146
    assert missed <= 4
    assert extra <= 4


def test_no_repetition_is_counted_twice() -> None:
    for seed in range(1000, 1040):
        found = counted(events_of(mixture(seed)[0]))
        bottoms = np.array([candidate.bottom_ns for candidate in found]) / 1e9
        assert np.all(np.diff(bottoms) > 0.9)
        assert all(before.close_ns <= after.start_ns for before, after in itertools.pairwise(found))


def test_dating_back_does_not_reach_into_the_repetition_before() -> None:
    for down_s in np.linspace(0.5, 0.8, 13):
        curve = Curve().hold(2)
        for _ in range(6):
            curve.move(60, down_s).move(0, down_s)
        found = counted(events_of(curve.hold(2).array()))
        assert len(found) == 6
        assert all(before.close_ns <= after.start_ns for before, after in itertools.pairwise(found))


def test_a_bottom_lost_in_a_short_hole_is_counted_all_the_same() -> None:
    curve = Curve().hold(2)
    for _ in range(5):
        curve.move(60, 0.6).move(0, 0.6)
    tilt = curve.hold(2).array()
    bottom = round((2.0 + 3 * 1.2 + 0.6) * RATE_HZ)
    tilt[bottom - 27 : bottom + 27] = np.nan
    found = counted(events_of(tilt))
    assert len(found) == 5
    assert found[3].amplitude_deg < 0.6 * 60.0


def test_two_dips_after_a_long_hole_at_the_bottom_are_not_two_repetitions() -> None:
    curve = Curve().hold(2).cycle(70).move(70, 2).hold(4).move(45, 1).move(75, 1).move(50, 1).move(78, 1)
    tilt = curve.move(0, 2).hold(2).cycle(70).array()
    tilt[900:1180] = np.nan
    events = events_of(tilt)
    assert [round(candidate.amplitude_deg) for candidate in counted(events)] == [70, 70]
    (aborted,) = of_kind(events, Aborted)
    assert aborted.reason is AbortReason.UNMEASURED


def test_standing_and_swaying_is_no_repetition() -> None:
    rng = np.random.default_rng(7)
    events = events_of(alive(6000, rng, sway_deg=0.6))
    assert counted(events) == []
    assert of_kind(events, Aborted) == []


# --- what is not counted, and what is taken back -----------------------------------------------------


def test_a_lowering_broken_off_is_reported_with_its_depth() -> None:
    events = events_of(Curve().hold(2).cycle(60).cycle(60).cycle(20, 1.0, 1.0).cycle(60).array())
    assert len(counted(events)) == 3
    (aborted,) = of_kind(events, Aborted)
    assert aborted.depth_deg == pytest.approx(20.0, abs=1.0)
    assert aborted.reason is AbortReason.TOO_SHALLOW


def test_a_small_first_movement_is_withdrawn() -> None:
    events = events_of(Curve().hold(2).cycle(15).cycle(60).cycle(60).array())
    (withdrawn,) = of_kind(events, Withdrawn)
    assert withdrawn.candidate.amplitude_deg == pytest.approx(15.0, abs=0.5)
    found = counted(events)
    assert [round(candidate.amplitude_deg) for candidate in found] == [60, 60]
    assert [candidate.is_provisional for candidate in found] == [True, False]


def test_two_small_first_movements_are_withdrawn() -> None:
    events = events_of(Curve().hold(2).cycle(20).cycle(24).cycle(60).cycle(60).array())
    assert [round(w.candidate.amplitude_deg) for w in of_kind(events, Withdrawn)] == [24, 20]
    found = counted(events)
    assert [round(candidate.amplitude_deg) for candidate in found] == [60, 60]
    assert [candidate.is_provisional for candidate in found] == [True, False]


def test_a_small_second_movement_is_withdrawn_alone() -> None:
    curve = Curve().hold(2).cycle(50).cycle(30).cycle(60).cycle(60)
    events = events_of(curve.array())
    assert [round(w.candidate.amplitude_deg) for w in of_kind(events, Withdrawn)] == [30]
    assert [round(candidate.amplitude_deg) for candidate in counted(events)] == [50, 60, 60]


def test_three_that_agree_stay_whatever_follows() -> None:
    events = events_of(Curve().hold(2).cycle(20).cycle(22).cycle(21).cycle(60).array())
    assert of_kind(events, Withdrawn) == []
    assert [round(candidate.amplitude_deg) for candidate in counted(events)] == [20, 22, 21, 60]


def test_half_a_lowering_is_none_once_the_set_has_shown_its_depth() -> None:
    events = events_of(Curve().hold(2).cycle(60).cycle(62).cycle(35).cycle(45).array())
    assert [round(candidate.amplitude_deg) for candidate in counted(events)] == [60, 62, 45]
    (aborted,) = of_kind(events, Aborted)
    assert aborted.depth_deg == pytest.approx(35.0, abs=1.0)


def test_an_attempt_is_no_rest() -> None:
    curve = Curve().hold(2).cycle(60).cycle(60, rest_s=4.0).cycle(24, rest_s=4.0).cycle(60)
    assert of_kind(events_of(curve.array()), SetBoundary) == []
    fidgeting = Curve().hold(2).cycle(60).cycle(60, rest_s=4.0).cycle(8, rest_s=4.0).cycle(60)
    (boundary,) = of_kind(events_of(fidgeting.array()), SetBoundary)
    assert boundary.reason is BoundaryReason.RESTED


def test_a_posture_taken_for_twelve_seconds_becomes_the_new_rest() -> None:
    curve = (
        Curve().hold(2).move(30, 2).hold(14).move(70, 2).move(30, 2).hold(1).move(70, 2).move(30, 2).hold(1)
    )
    events = events_of(curve.array())
    (aborted,) = of_kind(events, Aborted)
    assert aborted.reason is AbortReason.POSTURE_CHANGED
    assert [round(candidate.amplitude_deg) for candidate in counted(events)] == [40, 40]


def test_eight_seconds_of_rest_end_the_set() -> None:
    events = events_of(Curve().hold(2).cycle(60).cycle(60, rest_s=10.0).cycle(20).cycle(20).array())
    (boundary,) = of_kind(events, SetBoundary)
    assert boundary.reason is BoundaryReason.RESTED
    # The second repetition is up at 10.0 s and counted a little before.
    assert boundary.time_ns / 1e9 == pytest.approx(17.95, abs=0.1)
    found = counted(events)
    assert [round(candidate.amplitude_deg) for candidate in found] == [60, 60, 20, 20]
    assert [candidate.is_provisional for candidate in found] == [True, False, True, False]


def test_a_slow_lowering_begun_in_time_does_not_end_the_set() -> None:
    curve = Curve().hold(2).cycle(60).cycle(60, rest_s=6.0).cycle(60, down_s=9.0, rest_s=1.0)
    assert of_kind(events_of(curve.array()), SetBoundary) == []


# --- streaming ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_chunking_gives_the_same_events(seed: int) -> None:
    tilt, _ = mixture(seed)
    tilt[1500:1530] = np.nan
    whole = angles_from(tilt, start_ns=1_700_000_000_000_000_123)
    at_once = RepetitionCounter(PELVIS).push(whole)
    rng = np.random.default_rng(seed)
    counter, pieces, begin = RepetitionCounter(PELVIS), [], 0
    while begin < len(tilt):
        end = min(len(tilt), begin + int(rng.integers(1, 40)))
        pieces += counter.push(angles_from(tilt[begin:end], start_ns=whole.time_ns(begin)))
        begin = end
    assert pieces == at_once
    assert any(isinstance(event, (Candidate, Rejected)) for event in at_once)


@pytest.mark.parametrize("gap_s", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_short_holes_are_bridged(gap_s: float, seed: int) -> None:
    curve = Curve().hold(2)
    for _ in range(6):
        curve.cycle(60.0)
    tilt = curve.array()
    for at in np.array([300, 1200, 2100]) + np.random.default_rng(seed).integers(0, 600, 3):
        tilt[at : at + round(gap_s * RATE_HZ)] = np.nan
    assert len(counted(events_of(tilt))) == 6


def test_a_long_hole_ends_the_repetition_unmeasured_and_keeps_the_count() -> None:
    tilt = Curve().hold(2).cycle(60).cycle(60).cycle(60).cycle(60).array()
    # The third repetition goes down from 11.0 to 13.0 s.
    tilt[1230:1480] = np.nan
    events = events_of(tilt)
    (aborted,) = of_kind(events, Aborted)
    assert aborted.reason is AbortReason.UNMEASURED
    found = counted(events)
    assert len(found) == 3
    assert found[2].is_provisional is False
    assert of_kind(events, SetBoundary) == []


def test_a_hole_is_seen_from_the_times_of_the_blocks() -> None:
    tilt = Curve().hold(2).cycle(60).cycle(60).array()
    whole = angles_from(tilt)
    counter = RepetitionCounter(PELVIS, UNGATED)
    events = counter.push(angles_from(tilt[:300]))
    events += counter.push(angles_from(tilt[340:], start_ns=whole.time_ns(340)))
    assert len(counted(events)) == 2


def test_another_rate_is_refused() -> None:
    counter = RepetitionCounter(PELVIS)
    counter.push(angles_from(np.zeros(10)))
    with pytest.raises(ValueError, match="changed from 100 to 50 Hz"):
        counter.push(angles_from(np.zeros(10), start_ns=100_000_000, rate_hz=50.0))


@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 52.0, 208.0])
def test_other_rates_count_alike(rate_hz: float) -> None:
    tilt = Curve().hold(2).cycle(60).cycle(50).cycle(60).array()
    times = np.arange(0.0, len(tilt) / RATE_HZ, 1.0 / rate_hz)
    slower = np.interp(times, np.arange(len(tilt)) / RATE_HZ, tilt)
    events = RepetitionCounter(PELVIS, UNGATED).push(angles_from(slower, rate_hz=rate_hz))
    assert [round(candidate.amplitude_deg, -1) for candidate in counted(events)] == [60, 50, 60]


# --- bridges -----------------------------------------------------------------------------------------


def test_bridges_lift_first() -> None:
    # Lying: -90°; lifting the hips tips the pelvis 30° further back.
    tilt = -90.0 - Curve().hold(2).cycle(30).cycle(30).cycle(30).array()
    events = events_of(tilt, supine=True)
    found = counted(events)
    assert [round(candidate.amplitude_deg) for candidate in found] == [30, 30, 30]
    assert all(candidate.is_supine for candidate in found)
    assert found[0].lockout_deg == pytest.approx(-90.0, abs=0.5)
    phases = [event.phase for event in of_kind(events, LivePhaseChange)][:5]
    assert phases == [Phase.BOTTOM, Phase.CONCENTRIC, Phase.TOP, Phase.ECCENTRIC, Phase.BOTTOM]


def test_lying_down_ends_the_set_and_turns_the_drive_around() -> None:
    standing = Curve().hold(2).cycle(60).cycle(60).array()
    lying = -90.0 - Curve().hold(4).cycle(30).cycle(30).array()
    tilt = np.concatenate((standing, np.linspace(0.0, -90.0, 200), lying))
    supine = np.arange(len(tilt)) > len(standing) + 200
    counter = RepetitionCounter(PELVIS, UNGATED)
    events = counter.push(angles_from(tilt, supine=supine))
    assert [boundary.reason for boundary in of_kind(events, SetBoundary)] == [BoundaryReason.POSTURE_CHANGED]
    assert [candidate.is_supine for candidate in counted(events)] == [False, False, True, True]
    assert counter.is_supine


def test_a_deep_bend_that_looks_like_lying_for_a_moment_is_still_standing() -> None:
    tilt = Curve().hold(2).cycle(90).cycle(90).array()
    events = RepetitionCounter(PELVIS, UNGATED).push(angles_from(tilt, supine=tilt > 60.0))
    assert len(counted(events)) == 2
    assert of_kind(events, SetBoundary) == []


# --- live --------------------------------------------------------------------------------------------


def test_live_phases_of_a_paused_repetition() -> None:
    events = events_of(Curve().hold(2).move(60, 3).hold(1).move(0, 1.5).hold(2).array())
    live = of_kind(events, LivePhaseChange)
    assert [change.phase for change in live] == [
        *(Phase.TOP, Phase.ECCENTRIC, Phase.BOTTOM, Phase.CONCENTRIC, Phase.TOP),
    ]
    _, eccentric, bottom, concentric, top = live
    # 3 °/s is met 0.23 s into the move, and a tenth of the peak (3.75 °/s) 0.26 s before its end.
    assert eccentric.time_ns / 1e9 == pytest.approx(2.23, abs=0.05)
    assert eccentric.decided_ns / 1e9 == pytest.approx(2.6, abs=0.15)
    assert bottom.time_ns / 1e9 == pytest.approx(4.74, abs=0.05)
    assert bottom.decided_ns - bottom.time_ns >= 150_000_000
    assert concentric.time_ns / 1e9 == pytest.approx(6.1, abs=0.05)
    assert top.time_ns / 1e9 == pytest.approx(7.4, abs=0.1)


def test_the_count_of_the_eccentric_starts_at_its_backdated_onset() -> None:
    counter = RepetitionCounter(PELVIS, UNGATED)
    tilt = Curve().hold(2).move(60, 5).array()
    counter.push(angles_from(tilt[:190]))
    assert counter.eccentric_start_ns is None
    counter.push(angles_from(tilt[190:400], start_ns=1_900_000_000))
    assert counter.phase is Phase.ECCENTRIC
    assert counter.eccentric_start_ns is not None
    assert counter.eccentric_start_ns / 1e9 == pytest.approx(2.5, abs=0.15)


def test_a_false_start_vanishes() -> None:
    events = events_of(Curve().hold(2).move(4.5, 0.8).move(0, 0.8).hold(2).array())
    live = of_kind(events, LivePhaseChange)
    assert [(change.phase, change.is_false_start) for change in live] == [
        (Phase.TOP, False),
        (Phase.ECCENTRIC, False),
        (Phase.TOP, True),
    ]
    assert counted(events) == []


def test_swaying_seldom_starts_the_count() -> None:
    starts = 0
    for seed in range(10):
        events = events_of(alive(6000, np.random.default_rng(seed), sway_deg=0.6))
        starts += sum(change.phase is Phase.ECCENTRIC for change in of_kind(events, LivePhaseChange))
    print(f"{starts} false starts in 10 minutes of standing")
    assert starts <= 9


def test_the_verdict_comes_with_the_lockout() -> None:
    late_s = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        curve = Curve().hold(2).move(rng.uniform(40, 80), rng.uniform(1.5, 4)).move(0, rng.uniform(0.8, 2))
        end_s = sum(len(part) for part in curve.parts) / RATE_HZ
        tilt = curve.hold(2).array()
        (candidate,) = counted(events_of(tilt + alive(len(tilt), rng)))
        late_s.append(candidate.decided_ns / 1e9 - end_s)
    assert np.percentile(late_s, 95) < 0.1


def test_depth_is_a_part_of_the_usual_depth() -> None:
    counter = RepetitionCounter(PELVIS, UNGATED)
    assert counter.depth_fraction is None
    tilt = Curve().hold(2).cycle(60).move(30, 2).hold(1).array()
    counter.push(angles_from(tilt))
    assert counter.depth_fraction == pytest.approx(0.5, abs=0.02)


# --- drivers -----------------------------------------------------------------------------------------


def test_drivers_follow_what_is_worn(make_angles) -> None:
    block = make_angles(tilt=[10.0], left=[30.0], right=[-20.0])
    both = Driver(pelvis=True, left=True, right=True)
    assert both.angle is DrivingAngle.HIP_FLEXION
    assert both.angle_deg(block).tolist() == [15.0]
    assert Driver(pelvis=True, left=True, right=False).angle_deg(block).tolist() == [40.0]
    assert Driver(pelvis=False, left=False, right=True).angle_deg(block).tolist() == [-20.0]
    assert PELVIS.angle_deg(block).tolist() == [10.0]
    assert (
        both.minimum_amplitude_deg,
        Driver(pelvis=False, left=True, right=True).minimum_amplitude_deg,
    ) == (
        5.0,
        2.5,
    )


def test_a_thigh_that_swings_back_leaves_the_count_to_the_tilt(make_angles) -> None:
    # A single-leg lift with the only thigh sensor on the free leg, and the lockout over-extended.
    block = make_angles(tilt=[60.0, -2.0], left=[-58.0, -5.0])
    assert Driver(pelvis=True, left=True, right=False).angle_deg(block).tolist() == [52.0, -7.0]


def test_no_sensor_drives_nothing() -> None:
    with pytest.raises(ValueError, match="nothing can drive"):
        Driver.worn([])


# --- real hinges -------------------------------------------------------------------------------------


@pytest.mark.recordings
@pytest.mark.skipif(not BOWS.is_dir(), reason="the evaluation recordings bowing_vicon are not there")
def test_real_bows_are_counted_three_each(inclined_from_standing) -> None:
    truth = pd.read_csv(BOWS / "reps.csv")
    exact, errors_s = 0, []
    names = sorted(path.stem for path in BOWS.glob("S*_T*.parquet"))
    for name in names:
        trace = pd.read_parquet(BOWS / f"{name}.parquet")
        block = inclined_from_standing(
            trace[["torso_ax", "torso_ay", "torso_az"]], trace[["torso_gx", "torso_gy", "torso_gz"]], RATE_HZ
        )
        found = counted(RepetitionCounter(PELVIS).push(block))
        begin_s = float(trace["t"].iloc[0])
        exact += len(found) == 3
        bottoms = truth.loc[truth["trial"] == name, "t_bottom"].to_numpy()
        if len(found) == len(bottoms):
            errors_s += [
                begin_s + candidate.bottom_ns / 1e9 - bottom
                for candidate, bottom in zip(found, bottoms, strict=True)
            ]
    print(
        f"{exact} of {len(names)} trials exact; bottoms off by {np.median(np.abs(errors_s)):.3f} s (median), "
        f"{np.percentile(np.abs(errors_s), 95):.3f} s (p95)"
    )
    assert exact == len(names) == 30
    assert np.median(np.abs(errors_s)) < 0.02
