from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from analytics.phases import DrivePhases, find_phases

RATE_HZ = 100.0


def integrate(*knots: tuple[float, float], rate_hz: float = RATE_HZ, shift_s: float = 0.0) -> np.ndarray:
    """Angle whose speed runs straight through the knots (s, °/s)."""
    fine = np.arange(0.0, knots[-1][0], 0.001)
    speed = np.interp(fine, [time for time, _ in knots], [value for _, value in knots])
    angle = np.concatenate(([0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * 0.001)))
    return np.interp(np.arange(0.0, knots[-1][0] - shift_s, 1.0 / rate_hz) + shift_s, fine, angle)


def sway(n: int, seed: int, rms_deg: float) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(n + 1000)
    slow = sosfilt(butter(2, (0.1, 0.8), "band", fs=RATE_HZ, output="sos"), noise)[1000:]
    return np.asarray(slow * rms_deg / slow.std())


def search(angle: np.ndarray, start_s: float = 0.0, stop_s: float | None = None) -> DrivePhases:
    last = len(angle) - 1 if stop_s is None else round(stop_s * RATE_HZ)
    first = round(start_s * RATE_HZ)
    phases = find_phases(angle, RATE_HZ, first=first, turn_from=first, turn_to=last, last=last)
    assert phases is not None
    return phases


# Standing 2 s; down: ramp 2 s to 40 °/s, 1 s even, ramp 2 s; pause 2 s; up alike; standing 2 s.
HINGE = ((0, 0), (2, 0), (4, 40), (5, 40), (7, 0), (9, 0), (11, -40), (12, -40), (14, 0), (16, 0))


def test_a_trapezoid_is_timed_at_a_tenth_of_its_peak() -> None:
    phases = search(integrate(*HINGE))
    # 10 % of 40 °/s is 4 °/s, met 0.2 s into a ramp of 20 °/s².
    assert phases.out.start_s == pytest.approx(2.2, abs=0.002)
    assert phases.out.end_s == pytest.approx(6.8, abs=0.002)
    assert phases.back.start_s == pytest.approx(9.2, abs=0.002)
    assert phases.back.end_s == pytest.approx(13.8, abs=0.002)
    assert phases.out.duration_s == pytest.approx(4.6, abs=0.003)
    assert phases.out.peak_deg_s == pytest.approx(40.0, abs=0.05)
    assert phases.out.runs_kept == 1
    assert phases.out.runs_dropped == 0


def test_movement_reaches_back_to_the_foot_of_the_ramp() -> None:
    phases = search(integrate(*HINGE))
    assert phases.out.movement_start_s == pytest.approx(2.0, abs=0.004)
    assert phases.out.movement_end_s == pytest.approx(7.0, abs=0.004)
    assert phases.back.movement_s == pytest.approx(5.0, abs=0.006)


def test_a_slow_movement_is_timed_at_three_degrees_a_second() -> None:
    slow = ((0, 0), (2, 0), (4, 20), (7, 20), (9, 0), (10, 0), (12, -20), (15, -20), (17, 0), (19, 0))
    phases = search(integrate(*slow))
    assert phases.out.start_s == pytest.approx(2.3, abs=0.002)
    assert phases.out.end_s == pytest.approx(8.7, abs=0.002)


def test_a_micro_hinge_of_the_thigh_is_timed_at_half_its_peak() -> None:
    micro = ((0, 0), (2, 0), (3, 4), (4, 0), (5, 0), (6, -4), (7, 0), (9, 0))
    phases = search(integrate(*micro))
    # The peak of 4 °/s is smoothed by a few hundredths; half of it is met half a second into the ramp.
    assert phases.out.start_s == pytest.approx(2.5, abs=0.02)
    assert phases.out.end_s == pytest.approx(3.5, abs=0.02)


def test_boundaries_lie_between_samples() -> None:
    here = search(integrate(*HINGE))
    later = search(integrate(*HINGE, shift_s=0.003))
    assert here.out.start_s - later.out.start_s == pytest.approx(0.003, abs=0.0002)
    assert here.back.end_s - later.back.end_s == pytest.approx(0.003, abs=0.0002)


def test_boundaries_do_not_depend_on_the_sampling_rate() -> None:
    phases = find_phases(integrate(*HINGE, rate_hz=52.0), 52.0, first=0, turn_from=0, turn_to=831, last=831)
    assert phases is not None
    assert phases.out.start_s == pytest.approx(2.2, abs=0.003)
    assert phases.back.end_s == pytest.approx(13.8, abs=0.003)


def test_sway_of_standing_is_no_phase() -> None:
    knots = (
        (0, 0),
        (4, 0),
        (4.8, 40),
        (5.8, 40),
        (6.6, 0),
        (8, 0),
        (8.8, -40),
        (9.8, -40),
        (10.6, 0),
        (13, 0),
    )
    angle = integrate(*knots)
    errors = []
    for seed in range(40):
        phases = search(angle + sway(len(angle), seed, rms_deg=0.5))
        errors += [phases.out.start_s - 4.08, phases.out.end_s - 6.52]
        errors += [phases.back.start_s - 8.08, phases.back.end_s - 10.52]
    # Sway of 0.5° runs at 1.5 °/s and more, a third of the threshold: the times scatter, none runs away.
    assert np.median(np.abs(errors)) < 0.03
    assert np.percentile(np.abs(errors), 95) < 0.10
    assert np.max(np.abs(errors)) < 0.25


def test_a_sticking_point_does_not_split_the_way_down() -> None:
    stuck = (
        *((0, 0), (2, 0), (2.5, 30), (3.5, 30), (4, 0), (5, 0), (5.5, 30), (6.5, 30), (7, 0)),
        *((8, 0), (8.5, -60), (9.5, -60), (10, 0), (12, 0)),
    )
    phases = search(integrate(*stuck))
    assert phases.out.runs_kept == 2
    # 3 °/s is met 0.05 s into a ramp of 60 °/s²; the low-pass rounds the corner by a hundredth.
    assert phases.out.start_s == pytest.approx(2.05, abs=0.02)
    assert phases.out.end_s == pytest.approx(6.95, abs=0.02)


def test_what_moved_two_seconds_earlier_belongs_to_something_else() -> None:
    early = (
        *((0, 0), (1, 0), (1.25, 30), (1.5, 30), (1.75, 0), (4, 0), (4.5, 60), (5.5, 60), (6, 0)),
        *((7, 0), (7.5, -70), (8.5, -70), (9, 0), (11, 0)),
    )
    phases = search(integrate(*early))
    assert phases.out.runs_kept == 1
    assert phases.out.runs_dropped == 1
    assert phases.out.start_s == pytest.approx(4.05, abs=0.02)


def test_a_small_stance_adjustment_is_dropped() -> None:
    adjusted = (
        *((0, 0), (2, 0), (2.1, 10), (2.3, 10), (2.4, 0), (3.2, 0), (3.7, 60), (4.7, 60), (5.2, 0)),
        *((6, 0), (6.5, -60), (7.5, -60), (8, 0), (10, 0)),
    )
    phases = search(integrate(*adjusted))
    assert phases.out.runs_dropped == 1
    assert phases.out.start_s == pytest.approx(3.25, abs=0.02)


def test_touch_and_go_is_bounded_by_its_neighbours() -> None:
    once = ((0.0, 0.0), (0.2, 100.0), (0.6, 100.0), (0.8, 0.0), (1.0, -100.0), (1.4, -100.0), (1.6, 0.0))
    knots = [(0.0, 0.0)]
    for begin in (2.0, 3.6, 5.2):
        knots += [(begin + time, speed) for time, speed in once]
    knots.append((9.0, 0.0))
    phases = search(integrate(*knots), 3.6, 5.2)
    # 10 % of 100 °/s, met 0.02 s into a ramp of 500 °/s².
    assert phases.out.start_s == pytest.approx(3.62, abs=0.005)
    assert phases.out.end_s == pytest.approx(4.38, abs=0.005)
    assert phases.back.start_s == pytest.approx(4.42, abs=0.005)
    assert phases.back.end_s == pytest.approx(5.18, abs=0.005)


def test_uncertainty_grows_with_the_slowness_of_the_ramp() -> None:
    quick = search(
        integrate(
            (0, 0), (2, 0), (2.5, 60), (3.5, 60), (4, 0), (5, 0), (5.5, -60), (6.5, -60), (7, 0), (9, 0)
        )
    )
    slow = search(
        integrate((0, 0), (2, 0), (5, 9), (9, 9), (12, 0), (13, 0), (16, -9), (20, -9), (23, 0), (25, 0))
    )
    # 0.2 °/s over a ramp of 120 °/s² and of 3 °/s²; a fifth of a sample remains in any case.
    assert quick.out.start_sd_s == pytest.approx(0.0026, abs=0.0004)
    assert slow.out.start_sd_s == pytest.approx(0.067, abs=0.004)


def test_a_flat_angle_has_no_phases() -> None:
    assert find_phases(np.zeros(400), RATE_HZ, first=0, turn_from=100, turn_to=300, last=399) is None


def test_an_angle_that_never_comes_back_has_no_phases() -> None:
    angle = integrate((0, 0), (1, 0), (2, 40), (3, 0), (4, 0))
    assert find_phases(angle, RATE_HZ, first=0, turn_from=0, turn_to=399, last=399) is None


def test_indices_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        find_phases(np.zeros(10), RATE_HZ, first=0, turn_from=5, turn_to=4, last=9)


def test_an_end_that_sway_may_move_far_is_marked_doubtful() -> None:
    # After the way down a creep of 3.1 °/s for 2.1 s: with 0.2 °/s less it would be no run at all.
    creeping = (
        *((0, 0), (2, 0), (2.5, 30), (4, 30), (4.5, 0), (5, 0), (5.1, 3.1), (7.2, 3.1), (7.3, 0)),
        *((9, 0), (9.5, -55), (10.5, -55), (11, 0), (13, 0)),
    )
    phases = search(integrate(*creeping), stop_s=12.0)
    clear = search(integrate(*HINGE))
    assert clear.out.end_sd_s < 0.02
    assert phases.out.end_sd_s > 0.5
    assert phases.out.start_sd_s < 0.01


def test_an_end_that_two_sigma_move_far_is_doubtful_too() -> None:
    # As above with a creep of 3.35 °/s: 0.2 °/s less changes little, 0.4 °/s less takes it all away.
    creeping = (
        *((0, 0), (2, 0), (2.5, 30), (4, 30), (4.5, 0), (5, 0), (5.1, 3.35), (7.2, 3.35), (7.3, 0)),
        *((9, 0), (9.5, -55), (10.5, -55), (11, 0), (13, 0)),
    )
    phases = search(integrate(*creeping), stop_s=12.0)
    assert phases.out.end_s == pytest.approx(7.2, abs=0.05)
    assert phases.out.end_sd_s > 0.5
    assert phases.out.start_sd_s < 0.01


def test_a_movement_broken_off_just_before_stays_out_of_the_phase() -> None:
    # Down to 12° and up again within 1.5 s, half a second of rest, then the repetition of 45°.
    aborted = (
        *((0, 0), (2, 0), (2.2, 24), (2.5, 24), (2.7, 0), (2.9, -24), (3.2, -24), (3.4, 0)),
        *((3.9, 0), (4.2, 50), (4.8, 50), (5.1, 0), (6, 0), (6.3, -50), (6.9, -50), (7.2, 0)),
        *((7.6, 0), (7.8, 24), (8.1, 24), (8.3, 0), (8.5, -24), (8.8, -24), (9.0, 0), (11, 0)),
    )
    phases = search(integrate(*aborted), start_s=1.0, stop_s=10.0)
    assert phases.out.start_s == pytest.approx(3.93, abs=0.02)
    assert phases.out.end_s == pytest.approx(5.07, abs=0.02)
    assert phases.back.start_s == pytest.approx(6.03, abs=0.02)
    assert phases.back.end_s == pytest.approx(7.17, abs=0.02)
