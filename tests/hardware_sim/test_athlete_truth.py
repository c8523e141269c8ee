"""Truth: signs of METRICS, phases by definition, faults where they were asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from hardware_sim.athlete import simulate
from hardware_sim.kinematics import Pose, pelvis_rotation
from hardware_sim.mounts import Placement
from hardware_sim.phases import DrivingAngle, out_and_back
from hardware_sim.rotation import about_axis
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.spectral import band_noise, low_pass
from hardware_sim.truth import body_angles
from hardware_sim.worn_sensors import truth_document

STILL_BODY = "[body]\nsway = 0\ntremor = 0\ntempo_variation = 0\ndepth_variation = 0\nheading_deg = 0\n"
TEMPO = "[tempo]\neccentric_s = 2\nbottom_s = 0.5\nconcentric_s = 1.5\ntop_s = 1\n"


def truth_of(exercise, head="", form="", body=STILL_BODY, repetitions=3, seed=1):
    text = f'exercise = "{exercise}"\nrepetitions = {repetitions}\n{head}\n{TEMPO}{body}[form]\n{form}\n'
    return simulate(parse_scenario(text, "test"), seed).truth


def poses(rotation=0.0, obliquity=0.0, tilt=0.0, thigh=0.0):
    degrees = (np.radians(np.array([v])) for v in (rotation, obliquity, tilt))
    pelvis = pelvis_rotation(*degrees)
    leg = about_axis(1, np.radians(np.array([-thigh])))
    zero = np.zeros((1, 3))
    return {
        Placement.PELVIS: Pose(pelvis, zero),
        Placement.THIGH_LEFT: Pose(leg, zero),
        Placement.THIGH_RIGHT: Pose(leg, zero),
    }


def test_leaning_forward_is_positive_tilt():
    pelvis = poses(tilt=30.0)[Placement.PELVIS].earth_from_segment[0]
    head_end = pelvis @ [0.0, 0.0, 1.0]
    assert head_end[0] == pytest.approx(0.5)
    assert body_angles(poses(tilt=30.0)).pelvic_tilt_deg[0] == pytest.approx(30.0)


def test_right_side_up_is_positive_obliquity_at_any_tilt():
    for tilt in (0.0, 60.0, -90.0):
        turned = poses(obliquity=10.0, tilt=tilt)
        right_hip = turned[Placement.PELVIS].earth_from_segment[0] @ [0.0, -1.0, 0.0]
        assert right_hip[2] == pytest.approx(0.17365, abs=1e-5)
        angles = body_angles(turned)
        assert angles.pelvic_obliquity_deg[0] == pytest.approx(10.0)
        assert angles.pelvic_tilt_deg[0] == pytest.approx(tilt)


def test_turning_left_is_positive_rotation_and_relative_to_the_start():
    both = {
        placement: Pose(
            np.concatenate([poses(rotation=170.0)[placement].earth_from_segment, pose.earth_from_segment]),
            np.zeros((2, 3)),
        )
        for placement, pose in poses(rotation=195.0, obliquity=5.0, tilt=40.0).items()
    }
    forward = both[Placement.PELVIS].earth_from_segment[0] @ [1.0, 0.0, 0.0]
    assert forward[1] > 0.0
    np.testing.assert_allclose(body_angles(both).pelvic_rotation_deg, [0.0, 25.0], atol=1e-9)


def test_knee_ahead_of_hip_is_positive_thigh_flexion_and_hip_flexion_is_the_sum():
    turned = poses(tilt=40.0, thigh=20.0)
    knee = turned[Placement.THIGH_LEFT].earth_from_segment[0] @ [0.0, 0.0, -1.0]
    assert knee[0] > 0.3
    angles = body_angles(turned)
    assert angles.thigh_flexion_left_deg[0] == pytest.approx(20.0)
    assert angles.hip_flexion_right_deg[0] == pytest.approx(60.0)


def test_the_still_standing_is_zero():
    angles = truth_of("romanian_deadlift", body="").angles
    for name in (
        "pelvic_tilt_deg",
        "pelvic_obliquity_deg",
        "thigh_flexion_left_deg",
        "thigh_flexion_right_deg",
    ):
        assert abs(np.mean(getattr(angles, name)[:200])) < 0.02
    assert np.std(angles.pelvic_tilt_deg[:200]) > 0.05


def test_lying_on_the_back_is_a_tilt_of_minus_ninety():
    truth = truth_of("glute_bridge")
    assert truth.angles.pelvic_tilt_deg[100] == pytest.approx(-93.4, abs=0.5)
    assert truth.angles.hip_flexion_left_deg[100] > 45.0
    for r in truth.repetitions:
        assert r.concentric_start_s < r.concentric_end_s < r.eccentric_start_s < r.eccentric_end_s
        assert r.tut_s == pytest.approx(r.eccentric_end_s - r.concentric_start_s)
        assert r.top_pause_s == pytest.approx(r.eccentric_start_s - r.concentric_end_s)
    assert truth.repetitions[-1].bottom_pause_s is None


def test_a_bridge_keeps_the_tempo_it_was_given():
    tempo = "[tempo]\neccentric_s = 2\nbottom_s = 1.5\nconcentric_s = 1\ntop_s = 3\n"
    text = f'exercise = "glute_bridge"\nrepetitions = 2\n{tempo}{STILL_BODY}'
    first, second = simulate(parse_scenario(text, "test"), 1).truth.repetitions
    for r in (first, second):
        assert r.concentric_true_end_s - r.concentric_true_start_s == pytest.approx(1.0)
        assert r.eccentric_true_start_s - r.concentric_true_end_s == pytest.approx(3.0)
        assert r.eccentric_true_end_s - r.eccentric_true_start_s == pytest.approx(2.0)
    assert second.concentric_true_start_s - first.eccentric_true_end_s == pytest.approx(1.5)


def ramp_path(time_s, start_s, end_s, ramp_s, speed):
    """Angle whose speed rises evenly to ``speed`` within ``ramp_s`` and falls so again."""
    x = np.clip(time_s, start_s, end_s) - start_s
    whole = end_s - start_s
    up = 0.5 * speed / ramp_s * np.minimum(x, ramp_s) ** 2
    even = speed * np.clip(x - ramp_s, 0.0, whole - 2 * ramp_s)
    late = np.clip(x - (whole - ramp_s), 0.0, ramp_s)
    return up + even + speed * late - 0.5 * speed / ramp_s * late**2


def test_phases_of_ramps_known_in_closed_form():
    time_s = np.arange(0.0, 14.0, 0.001)
    # Down 30 °/s with ramps of 1 s, up 50 °/s with ramps of 0.5 s: 3 and 5 °/s lie 0.1 and 0.05 s inside.
    angle = ramp_path(time_s, 2.0, 6.0, 1.0, 30.0) - ramp_path(time_s, 7.0, 9.3, 0.5, 50.0)
    out, back = out_and_back(DrivingAngle.of(time_s, angle, 1000.0), (0.5, 12.0))
    assert out.start_s == pytest.approx(2.10, abs=0.012)
    assert out.end_s == pytest.approx(5.90, abs=0.012)
    assert back.start_s == pytest.approx(7.05, abs=0.012)
    assert back.end_s == pytest.approx(9.25, abs=0.012)
    # Twice the threshold lies another 0.1 s further in, so the movement reaches out to the true ends.
    assert out.movement_start_s == pytest.approx(2.0, abs=0.02)
    assert out.movement_end_s == pytest.approx(6.0, abs=0.02)


def test_sway_before_and_after_does_not_stretch_a_phase_but_a_sticking_point_belongs_to_it():
    time_s = np.arange(0.0, 20.0, 0.001)
    sway = 0.9 * np.sin(2 * np.pi * 0.9 * time_s)
    assert 0.9 * 2 * np.pi * 0.9 > 5.0
    down = ramp_path(time_s, 5.0, 7.0, 0.5, 26.0)
    first_half, second_half = (
        ramp_path(time_s, 9.0, 10.0, 0.3, 30.0),
        ramp_path(time_s, 11.0, 12.0, 0.3, 30.0),
    )
    angle = down - (first_half + second_half) * (down[-1] / (first_half + second_half)[-1])
    standing = (time_s < 4.0) | (time_s > 13.0)
    out, back = out_and_back(DrivingAngle.of(time_s, angle + sway * standing, 1000.0), (2.0, 14.0))
    assert 5.0 < out.start_s < 5.15
    assert 6.85 < out.end_s < 7.0
    assert 9.0 < back.start_s < 9.1
    assert 11.9 < back.end_s < 12.0


def test_a_movement_slower_than_the_threshold_still_has_phases():
    time_s = np.arange(0.0, 12.0, 0.001)
    angle = ramp_path(time_s, 2.0, 4.0, 0.5, 2.0) - ramp_path(time_s, 6.0, 8.0, 0.5, 2.0)
    out, back = out_and_back(DrivingAngle.of(time_s, angle, 1000.0), (0.5, 11.0))
    assert out.start_s == pytest.approx(2.25, abs=0.02)
    assert back.end_s == pytest.approx(7.75, abs=0.02)
    assert out_and_back(DrivingAngle.of(time_s, np.zeros_like(time_s), 1000.0), (0.5, 11.0)) is None


def test_the_low_pass_is_a_butterworth_forward_and_backward():
    generator = np.random.default_rng(0)
    walk = np.cumsum(generator.standard_normal(4000))
    expected = filtfilt(*butter(2, 5.0, fs=200.0), walk)
    np.testing.assert_allclose(low_pass(walk, 5.0, 200.0)[200:-200], expected[200:-200], atol=1e-6)


def test_band_noise_has_unit_size_and_stays_in_its_band():
    noise = band_noise(np.random.default_rng(0), 400_000, 1000.0, 2.0, 5.0)
    assert np.std(noise) == pytest.approx(1.0, abs=0.05)
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequency_hz = np.fft.rfftfreq(len(noise), 0.001)
    within_an_octave = (frequency_hz > 1.0) & (frequency_hz < 10.0)
    assert np.sum(power[within_an_octave]) / np.sum(power) > 0.99


def test_phases_lie_inside_the_true_movement_and_are_a_little_shorter():
    for r in truth_of("romanian_deadlift", body="", repetitions=4).repetitions:
        assert r.eccentric_true_start_s - 0.05 < r.eccentric_start_s < r.eccentric_true_start_s + 0.4
        assert r.eccentric_true_end_s - 0.4 < r.eccentric_end_s < r.eccentric_true_end_s + 0.05
        assert 0.05 < (r.concentric_true_end_s - r.concentric_true_start_s) - r.concentric_s < 0.6
        assert r.eccentric_movement_s > r.eccentric_s
        assert r.tut_s == pytest.approx(r.eccentric_s + r.bottom_pause_s + r.concentric_s)


def test_top_pause_reaches_to_the_next_eccentric_and_ends_with_the_set():
    head = "sets = 2\nrest_s = 6"
    done = truth_of("hip_hinge", head=head, repetitions=2).repetitions
    assert [(r.set, r.repetition) for r in done] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert done[0].top_pause_s == pytest.approx(done[1].eccentric_start_s - done[0].concentric_end_s)
    assert done[1].top_pause_s is None
    assert done[2].eccentric_start_s - done[1].concentric_end_s > 6.0


@pytest.mark.parametrize(
    ("side", "form", "sign"),
    [
        ("left", "pelvic_drop_deg = 12", -1.0),  # standing on the left, the right (free) side sinks
        ("right", "pelvic_drop_deg = 12", 1.0),
        ("left", "hip_open_deg = 15", 1.0),  # opening lifts the free side when bent over
        ("right", "hip_open_deg = 15", -1.0),
    ],
)
def test_the_free_side_drops_or_opens_as_asked(side, form, sign):
    for r in truth_of("single_leg_deadlift", head=f'side = "{side}"', form=form).repetitions:
        assert 8.0 < sign * r.pelvic_obliquity_peak_deg < 16.0


def test_the_free_leg_goes_back():
    angles = truth_of("single_leg_deadlift", head='side = "left"').angles
    assert np.min(angles.thigh_flexion_right_deg) < -40.0
    assert np.max(angles.thigh_flexion_left_deg) > 15.0


def test_a_soft_lockout_grows_and_begins_when_asked():
    form = "soft_lockout_deg = 8\nlockout_drift_deg = 3\nfault_from = 2"
    deficits = [
        r.lockout_deficit_deg for r in truth_of("romanian_deadlift", form=form, repetitions=4).repetitions
    ]
    assert deficits == pytest.approx([0.5, 8.5, 11.5, 14.5], abs=1.2)


def test_knee_dominant_work_lowers_the_hinge_share_from_the_repetition_asked():
    done = truth_of("romanian_deadlift", form="knee_share = 0.5\nfault_from = 2").repetitions
    assert done[0].hinge_share > 0.65
    assert done[1].hinge_share < 0.50
    assert done[2].hinge_share < 0.50


def test_a_broken_off_repetition_is_told_apart():
    truth = truth_of("romanian_deadlift", form="aborted_after = [1]\naborted_depth = 0.4", repetitions=2)
    assert [r.repetition for r in truth.repetitions] == [1, 2]
    (aborted,) = truth.aborted
    assert aborted.after_repetition == 1
    assert (
        truth.repetitions[0].concentric_end_s
        < aborted.start_s
        < aborted.end_s
        < truth.repetitions[1].eccentric_start_s
    )
    assert aborted.depth_deg == pytest.approx(0.4 * 77.0, abs=4.0)


def test_a_double_dip_is_one_repetition():
    truth = truth_of("romanian_deadlift", form="double_dip = [2]")
    assert len(truth.repetitions) == 3
    second = truth.repetitions[1]
    hip = truth.angles.hip_flexion_left_deg[
        (truth.time_s > second.eccentric_start_s) & (truth.time_s < second.concentric_end_s)
    ]
    reversals = np.sum(np.diff(np.sign(np.diff(hip[::20]))) != 0)
    assert reversals >= 3
    assert second.eccentric_s == pytest.approx(truth.repetitions[0].eccentric_s + 1.2, abs=0.3)


def test_the_truth_document_is_json_and_complete():
    performance = simulate(parse_scenario('exercise = "romanian_deadlift"\nrepetitions = 2', "two"), 4)
    document = json.loads(json.dumps(truth_document(performance), allow_nan=False))
    assert document["format"] == "truth/1"
    assert (document["scenario"], document["seed"], document["side"]) == ("two", 4, "both")
    assert document["duration_s"] == performance.duration_s
    assert document["sets"][0]["repetitions"] == 2
    first, second = document["repetitions"]
    mean = (first["eccentric_s"] + second["eccentric_s"]) / 2
    assert document["sets"][0]["mean_eccentric_s"] == pytest.approx(mean)
    assert [s["placement"] for s in document["sensors"]] == ["pelvis", "thigh_left", "thigh_right"]
    assert list(performance.truth.angle_columns()) == [
        "t",
        "pelvic_tilt_deg",
        "pelvic_obliquity_deg",
        "pelvic_rotation_deg",
        "thigh_flexion_left_deg",
        "thigh_flexion_right_deg",
        "hip_flexion_left_deg",
        "hip_flexion_right_deg",
    ]


def test_the_pelvis_turns_back_late_on_the_way_down():
    truth = truth_of("romanian_deadlift", form="tilt_deg = 70\ntilt_reversal_deg = 8", repetitions=1)
    (r,) = truth.repetitions
    down = (truth.time_s >= r.eccentric_true_start_s) & (truth.time_s <= r.eccentric_true_end_s)
    tilt, thigh = truth.angles.pelvic_tilt_deg[down], truth.angles.thigh_flexion_left_deg[down]
    assert 8.0 < np.max(tilt) - tilt[-1] < 11.0
    assert thigh[-1] > thigh[int(np.argmax(tilt))] + 1.5


def test_a_stumble_tips_the_pelvis_for_a_moment():
    firm = truth_of("single_leg_deadlift", head='side = "left"', repetitions=1)
    tipped = truth_of("single_leg_deadlift", head='side = "left"', form="stumble_deg = 7", repetitions=1)
    difference = tipped.angles.pelvic_obliquity_deg - firm.angles.pelvic_obliquity_deg
    assert np.max(difference) == pytest.approx(7.0, abs=0.3)
    assert np.count_nonzero(np.abs(difference) > 0.3) / 100.0 == pytest.approx(0.35, abs=0.08)
