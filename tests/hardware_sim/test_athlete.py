"""The virtual athlete obeys physics, moves as named, and repeats itself to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware_sim.athlete import INTERNAL_RATE_HZ, Performance, fit_repetitions, simulate
from hardware_sim.errors import ScenarioError
from hardware_sim.imu_sensor import feel
from hardware_sim.kinematics import Skeleton, knee_bend_thigh
from hardware_sim.mounts import Mount, Placement, seat
from hardware_sim.rotation import from_rotation_vector
from hardware_sim.scenario_file import load_scenario, parse_scenario
from hardware_sim.worn_sensors import sample_sources

QUICK = "[tempo]\neccentric_s = 2\nbottom_s = 0.5\nconcentric_s = 1.5\ntop_s = 1\n"


def perform(exercise: str, *, head: str = "", tail: str = "", seed: int = 7) -> Performance:
    return simulate(
        parse_scenario(f'exercise = "{exercise}"\nrepetitions = 2\n{head}\n{QUICK}{tail}', "test"), seed
    )


@pytest.mark.parametrize("placement", list(Placement))
@pytest.mark.parametrize("tissue", [0.0, 1.0])
def test_felt_rate_and_force_integrate_to_the_sensors_own_path(placement, tissue):
    performance = perform("deadlift")
    segment = performance.segments[placement]
    where = seat(placement, Mount.UNKNOWN, np.random.default_rng(2))
    felt = feel(
        segment.earth_from_segment,
        segment.origin_m,
        performance.time_s,
        INTERNAL_RATE_HZ,
        where,
        tissue=tissue,
        slide=0.05,
    )
    inner = slice(10, -10)
    dt = 1.0 / INTERNAL_RATE_HZ

    orientation = felt.earth_from_sensor[10]
    for step in from_rotation_vector(0.5 * dt * (felt.gyr_rad_s[10:-11] + felt.gyr_rad_s[11:-10])):
        orientation = orientation @ step
    error = orientation.T @ felt.earth_from_sensor[-11]
    assert np.degrees(np.arccos(min(1.0, (np.trace(error) - 1.0) / 2.0))) < 0.01

    acceleration = np.einsum("nij,nj->ni", felt.earth_from_sensor, felt.acc_m_s2) - [0.0, 0.0, 9.80665]
    moved = np.cumsum(np.cumsum(acceleration[inner], axis=0), axis=0) * dt**2
    path = felt.place_m[inner]
    # Place and speed at the start are unknown: a straight line in the path. What is left must vanish.
    t = np.arange(len(moved)) * dt
    residual = [d - np.polyval(np.polyfit(t, d, 1), t) for d in (moved - path).T]
    assert np.max(np.abs(residual)) < 0.001
    assert np.max(np.ptp(path, axis=0)) > 0.1


def test_angular_rate_gives_back_the_orientation_of_each_segment():
    for segment in perform("single_leg_deadlift", head='side = "left"').segments.values():
        orientation = segment.earth_from_segment[10]
        rate = 0.5 * (segment.angular_rate_rad_s[10:-11] + segment.angular_rate_rad_s[11:-10])
        for step in from_rotation_vector(rate / INTERNAL_RATE_HZ):
            orientation = orientation @ step
        error = orientation.T @ segment.earth_from_segment[-11]
        assert np.degrees(np.arccos(min(1.0, (np.trace(error) - 1.0) / 2.0))) < 0.01


def test_quaternions_say_the_same_as_the_matrices_and_never_jump():
    segment = perform("glute_bridge").segments[Placement.THIGH_LEFT]
    w, x, y, z = segment.earth_from_segment_wxyz.T
    np.testing.assert_allclose(1.0 - 2.0 * (x * x + y * y), segment.earth_from_segment[:, 2, 2], atol=1e-12)
    np.testing.assert_allclose(2.0 * (x * z - w * y), segment.earth_from_segment[:, 2, 0], atol=1e-12)
    assert np.max(np.abs(np.diff(segment.earth_from_segment_wxyz, axis=0))) < 0.01


def test_a_bent_leg_joins_its_hip_to_its_foot():
    skeleton = Skeleton.of_stature(1.75)
    hip = np.array([[-0.10, 0.09, 0.85], [-0.25, 0.09, 0.60], [0.05, 0.12, 0.88]])
    ankle = np.broadcast_to([0.0, 0.1, 0.07], (3, 3))
    thigh = knee_bend_thigh(hip, ankle, np.array([0.9950, 0.0998, 0.0]), skeleton)
    knee = hip - 0.42875 * thigh[:, :, 2]
    np.testing.assert_allclose(np.linalg.norm(knee - ankle, axis=1), 0.4305, atol=0.0002)
    assert np.all(knee[:, 0] > 0.5 * (hip[:, 0] + ankle[:, 0]))
    np.testing.assert_allclose(
        thigh @ np.swapaxes(thigh, 1, 2), np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-12
    )


def test_a_foot_out_of_reach_comes_up_instead_of_straightening_the_knee():
    skeleton = Skeleton.of_stature(1.75)
    height = np.linspace(0.85, 0.95, 200)
    hip = np.column_stack([np.zeros(200), np.zeros(200), 0.07 + height])
    thigh = knee_bend_thigh(
        hip, np.broadcast_to([0.0, 0.0, 0.07], hip.shape), np.array([1.0, 0.0, 0.0]), skeleton
    )
    lean = np.degrees(np.arctan2(-thigh[:, 0, 2], thigh[:, 2, 2]))
    assert 1.4 < lean[-1] < 1.6
    assert np.max(np.abs(np.diff(lean))) < 1.0


@pytest.mark.parametrize("exercise", ["romanian_deadlift", "squat", "micro_hinge"])
def test_the_hips_stay_within_reach_of_the_feet(exercise):
    performance = perform(exercise, tail="[body]\nheading_deg = 0\nstature_m = 1.75\n")
    for placement, y in ((Placement.THIGH_LEFT, 0.0943), (Placement.THIGH_RIGHT, -0.0943)):
        hip = performance.segments[placement].origin_m
        assert np.max(np.linalg.norm(hip - [0.0, y, 0.0683], axis=1)) < 0.8593 + 0.002
        assert np.mean(hip[-300:, 0]) == pytest.approx(np.mean(hip[:1500, 0]), abs=0.02)
    hips_back = np.mean(hip[:1500, 0]) - np.min(hip[:, 0])
    assert hips_back > 0.03


def test_shoulders_stay_where_they_are_in_a_bridge():
    performance = perform("glute_bridge", tail="[body]\nheading_deg = 0\n")
    pelvis = performance.segments[Placement.PELVIS]
    height = pelvis.origin_m[:, 2]
    assert height[600] == pytest.approx(0.06, abs=0.005)
    assert 0.2 < np.max(height) < 0.3
    distance = np.hypot(pelvis.origin_m[:, 0], height - 0.03)
    np.testing.assert_allclose(distance, 0.504, atol=0.001)


@pytest.mark.parametrize(
    ("exercise", "head", "tilt", "hip_left", "hip_right", "share"),
    [
        ("romanian_deadlift", "", (48, 64), (66, 88), (66, 88), (0.65, 0.80)),
        ("micro_hinge", "", (7, 12), (10, 20), (10, 20), (0.5, 0.8)),
        ("squat", "", (20, 36), (80, 115), (80, 115), (0.15, 0.45)),
        ("deadlift", "", (40, 60), (80, 110), (80, 110), (0.4, 0.6)),
        ("hip_hinge", "", (38, 52), (48, 68), (48, 68), (0.65, 0.85)),
        ("sit_to_stand", "", (25, 50), (60, 100), (60, 100), (-0.2, 0.3)),
        ("glute_bridge", "", (20, 28), (45, 65), (45, 65), (0.3, 0.6)),
        ("single_leg_deadlift", 'side = "left"', (52, 68), (70, 92), (4, 20), (0.65, 0.85)),
        ("single_leg_deadlift", 'side = "right"', (52, 68), (4, 20), (70, 92), (0.65, 0.85)),
        ("kickstand_deadlift", 'side = "right"', (44, 58), (40, 95), (60, 82), (0.6, 0.85)),
    ],
)
def test_each_exercise_moves_as_its_name_says(exercise, head, tilt, hip_left, hip_right, share):
    repetitions = perform(exercise, head=head).truth.repetitions
    assert [r.repetition for r in repetitions] == [1, 2]
    for r in repetitions:
        assert tilt[0] < r.pelvic_tilt_range_deg < tilt[1]
        assert hip_left[0] < r.hip_flexion_left_range_deg < hip_left[1]
        assert hip_right[0] < r.hip_flexion_right_range_deg < hip_right[1]
        assert share[0] < r.hinge_share < share[1]
        assert abs(r.lockout_deficit_deg) < 4.0


def test_standing_and_walking_hold_no_repetition():
    for name in ("standing", "walking"):
        performance = simulate(load_scenario(name), 1)
        assert performance.truth.repetitions == ()
        assert performance.duration_s == pytest.approx(37.0)
    thigh = performance.truth.angles.thigh_flexion_left_deg
    assert 30.0 < np.ptp(thigh) < 60.0


def test_people_sway_while_they_stand_and_hardly_while_they_lie():
    standing = np.degrees(
        simulate(load_scenario("standing"), 4).segments[Placement.PELVIS].angular_rate_rad_s
    )
    # Real quiet standing: 95th percentile of the worst axis has a median of 3.1 °/s.
    assert 2.0 < np.max(np.percentile(np.abs(standing), 95, axis=0)) < 4.5
    assert np.max(np.abs(standing)) > 3.0
    lying = np.degrees(perform("glute_bridge").segments[Placement.PELVIS].angular_rate_rad_s[500:3500])
    assert np.max(np.abs(lying)) < 1.0


def test_repetitions_differ_in_tempo_and_depth_but_not_without_variation():
    varied = simulate(load_scenario("romanian_deadlift"), 2).truth.repetitions
    assert np.std([r.eccentric_s for r in varied]) > 0.08
    assert np.std([r.pelvic_tilt_range_deg for r in varied]) > 0.5
    even = perform(
        "romanian_deadlift", tail="[body]\ntempo_variation = 0\ndepth_variation = 0\nsway = 0\ntremor = 0\n"
    ).truth.repetitions
    assert even[0].concentric_true_end_s - even[0].concentric_true_start_s == pytest.approx(1.5)
    assert even[0].eccentric_true_end_s - even[0].eccentric_true_start_s == pytest.approx(2.0)
    assert even[0].pelvic_tilt_range_deg == pytest.approx(even[1].pelvic_tilt_range_deg, abs=0.3)


def test_same_seed_same_bytes_other_seed_other_bytes():
    scenario = load_scenario("single_leg_deadlift_left")
    first, again, other = (simulate(scenario, seed) for seed in (5, 5, 6))
    assert first.truth.to_dict() == again.truth.to_dict()
    assert first.truth.angles.pelvic_tilt_deg.tobytes() == again.truth.angles.pelvic_tilt_deg.tobytes()
    for a, b, c in zip(*(sample_sources(p) for p in (first, again, other)), strict=True):
        assert a.counts.tobytes() == b.counts.tobytes()
        assert a.device_time_us.tobytes() == b.device_time_us.tobytes()
        assert a.counts.tobytes()[:1200] != c.counts.tobytes()[:1200]


def test_taking_off_a_sensor_does_not_change_the_others():
    scenario = load_scenario("micro_hinge")
    all_three = sample_sources(simulate(scenario, 3))
    one = sample_sources(simulate(replace(scenario, sensors=scenario.sensors[2:]), 3))
    assert one[0].counts.tobytes() == all_three[2].counts.tobytes()


@pytest.mark.parametrize(("duration_s", "repetitions"), [(60.0, 6), (30.0, 2), (17.0, 1)])
def test_a_set_is_fitted_to_a_duration(duration_s, repetitions):
    scenario = fit_repetitions(load_scenario("romanian_deadlift"), duration_s, seed=11)
    performance = simulate(scenario, 11)
    assert performance.duration_s == duration_s
    assert len(performance.truth.repetitions) == repetitions
    assert performance.truth.repetitions[0].eccentric_true_start_s == pytest.approx(3.5)
    assert performance.truth.repetitions[-1].concentric_true_end_s <= duration_s - 3.0


def test_a_duration_too_short_is_said_in_one_line():
    with pytest.raises(ScenarioError, match=r"^8 s is too short for one repetition; give at least 18 s$"):
        fit_repetitions(load_scenario("romanian_deadlift"), 8.0, seed=1)
    with pytest.raises(ScenarioError, match=r"duration_s = 20 is too short: movement ends at .* s; choose"):
        simulate(replace(load_scenario("romanian_deadlift"), duration_s=20.0), 1)
