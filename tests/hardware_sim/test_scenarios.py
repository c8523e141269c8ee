"""Scenario files: the bundled ones, and one clear line for each mistake."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hardware_sim.athlete import simulate
from hardware_sim.errors import HardwareSimError, ScenarioError
from hardware_sim.exercises import Exercise, Side
from hardware_sim.mounts import Mount, Placement
from hardware_sim.scenario_file import load_scenario, parse_scenario, scenario_names
from hardware_sim.worn_sensors import sample_sources, trace_columns, trace_metadata

TWO_SENSORS_OF_ONE_NAME = """
exercise = "squat"
[[sensors]]
placement = "pelvis"
mount = "belly"
sensor_id = "a"
[[sensors]]
placement = "thigh_left"
mount = "unknown"
sensor_id = "a"
"""


def test_the_bundled_scenarios_are_these():
    assert scenario_names() == (
        "glute_bridge",
        "glute_bridge_walkout",
        "micro_hinge",
        "romanian_deadlift",
        "single_leg_deadlift_left",
        "single_leg_deadlift_right",
        "single_leg_glute_bridge_left",
        "squat",
        "standing",
        "walking",
    )


@pytest.mark.parametrize(
    ("name", "exercise", "side", "repetitions"),
    [
        ("glute_bridge", "glute_bridge", "both", 8),
        ("glute_bridge_walkout", "glute_bridge_walkout", "both", 2),
        ("micro_hinge", "micro_hinge", "both", 5),
        ("romanian_deadlift", "romanian_deadlift", "both", 8),
        ("single_leg_deadlift_left", "single_leg_deadlift", "left", 6),
        ("single_leg_deadlift_right", "single_leg_deadlift", "right", 6),
        ("single_leg_glute_bridge_left", "single_leg_glute_bridge", "left", 6),
        ("squat", "squat", "both", 6),
        ("standing", "standing", "both", 0),
        ("walking", "walk", "both", 0),
    ],
)
def test_each_bundled_scenario_is_performed_without_clipping(name, exercise, side, repetitions):
    scenario = load_scenario(name)
    assert scenario.name == name
    performance = simulate(scenario, 1)
    assert (performance.truth.exercise, performance.truth.side) == (exercise, side)
    assert len(performance.truth.repetitions) == repetitions
    for source in sample_sources(performance):
        assert not source.clipped.any()
        assert np.mean(np.linalg.norm(source.acc_m_s2[:150], axis=1)) == pytest.approx(9.81, abs=0.25)


def test_the_romanian_deadlift_is_the_five_count_set():
    scenario = load_scenario("romanian_deadlift")
    assert scenario.exercise is Exercise.ROMANIAN_DEADLIFT
    assert scenario.side is Side.BOTH
    tempo = scenario.tempo
    assert (tempo.eccentric_s, tempo.bottom_s, tempo.concentric_s, tempo.top_s) == (5.0, 1.0, 2.0, 1.0)
    assert (scenario.rate_hz, scenario.lead_in_s) == (100.0, 3.5)
    assert [(s.placement, s.mount, s.sensor_id) for s in scenario.sensors] == [
        (Placement.PELVIS, Mount.SACRUM, "sim-pelvis"),
        (Placement.THIGH_LEFT, Mount.THIGH_LATERAL, "sim-thigh-left"),
        (Placement.THIGH_RIGHT, Mount.THIGH_LATERAL, "sim-thigh-right"),
    ]


def test_seventy_seconds_with_three_sensors_take_less_than_three_seconds():
    started_s = time.process_time()
    performance = simulate(load_scenario("romanian_deadlift"), 1)
    sample_sources(performance)
    assert performance.duration_s > 70.0
    assert time.process_time() - started_s < 3.0


def test_a_file_by_its_path_takes_every_key(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        exercise = "kickstand_deadlift"
        side = "left"
        repetitions = 2
        rate_hz = 52
        [tempo]
        eccentric_s = 1.5
        [body]
        stature_m = 1.9
        [form]
        tilt_deg = 40
        double_dip = [2]
        [[sensors]]
        placement = "pelvis"
        mount = "belly"
        model = "cheap"
        upside_down = true
        clock_offset_s = 12.5
        clock_ppm = 30
        """,
        encoding="utf-8",
    )
    scenario = load_scenario(path)
    assert (scenario.name, scenario.side, scenario.rate_hz, scenario.form.double_dip) == (
        "mine",
        "left",
        52.0,
        (2,),
    )
    (source,) = sample_sources(simulate(scenario, 3))
    assert (source.sensor_id, source.placement, source.mount) == ("sim-pelvis", "pelvis", "belly")
    assert source.device_time_us[0] == 12_500_000
    assert np.mean(source.acc_m_s2[:100, 1]) < -9.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('exercise = "squat"\nrepetitons = 3', "unknown key repetitons (did you mean 'repetitions'?)"),
        ("repetitions = 3", "exercise is missing; add it"),
        ('exercise = "curl"', "exercise = 'curl' is unknown; choose romanian_deadlift, deadlift"),
        ('exercise = "sqat"', "exercise = 'sqat' is unknown (did you mean 'squat'?)"),
        ('exercise = "squat"\nrepetitions = "many"', "repetitions must be a whole number, not 'many'"),
        ('exercise = "squat"\nrepetitions = 3.5', "repetitions must be a whole number, not 3.5"),
        ('exercise = "squat"\nrepetitions = -1', "repetitions = -1 is out of range; choose 0 to 200"),
        ('exercise = "squat"\nrate_hz = 99', "rate_hz = 99 is not offered; choose one of 10, 12.5, 20"),
        ('exercise = "squat"\naccel_range_g = 3', "accel_range_g = 3 is not offered; choose 2, 4, 8 or 16"),
        ('exercise = "squat"\ngyro_range_dps = 9', "gyro_range_dps = 9 is not offered; choose 125"),
        ('exercise = "squat"\nlead_in_s = nan', "lead_in_s = nan is out of range; choose 2.5 to 600"),
        ('exercise = "squat"\nside = "left"', "side = left does not fit squat; choose both"),
        (
            'exercise = "single_leg_deadlift"',
            "side = both does not fit single_leg_deadlift; choose left or right",
        ),
        ('exercise = "walk"', "repetitions = 8 does not fit walk; choose 0 (moving_s is its length)"),
        (
            'exercise = "standing"\nrepetitions = 0\n[form]\nhip_open_deg = 5',
            "form.hip_open_deg has no effect in standing; leave it out",
        ),
        (
            'exercise = "glute_bridge"\n[form]\nknee_share = 0.5',
            "form.knee_share has no effect in glute_bridge; leave it out",
        ),
        ('exercise = "squat"\ntempo = 5', "tempo must be a table, not 5"),
        (
            'exercise = "squat"\n[tempo]\neccentric_s = 0',
            "tempo.eccentric_s = 0 is out of range; choose 0.3 to 60",
        ),
        ('exercise = "squat"\n[tempo]\nslow_s = 1', "unknown key tempo.slow_s"),
        ('exercise = "squat"\n[body]\nsway = true', "body.sway must be a number, not True"),
        (
            'exercise = "squat"\n[form]\naborted_after = [9]',
            "form.aborted_after names repetition [9]; there are 1 to 8",
        ),
        ('exercise = "squat"\n[form]\naborted_after = 1', "form.aborted_after must be a list, not 1"),
        ('exercise = "squat"\nsensors = []', "no sensors; add at least one [[sensors]] table"),
        (
            'exercise = "squat"\n[[sensors]]\nplacement = "pelvis"\nmount = "thigh_lateral"',
            "mount thigh_lateral is not on this segment; choose sacrum, hip_left, hip_right, belly, unknown",
        ),
        (
            'exercise = "squat"\n[[sensors]]\nplacement = "pelvis"\nmount = "belly"\nmodel = "best"',
            "model 'best' is unknown; choose cheap, good, perfect",
        ),
        ('exercise = "squat"\n[[sensors]]\nplacement = "pelvis"', "sensors[0].mount is missing; add it"),
        (
            TWO_SENSORS_OF_ONE_NAME,
            "sensors: the same sensor_id twice; give each its own",
        ),
        ("exercise = ", "scenario bad is not TOML: "),
    ],
)
def test_each_mistake_is_one_line_with_the_mend(text, message):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "bad")
    said = str(caught.value)
    assert message in said
    assert said.startswith("scenario bad")
    assert "\n" not in said


def test_a_scenario_that_is_not_there(tmp_path):
    with pytest.raises(
        ScenarioError, match=r"no scenario named 'squats' \(did you mean 'squat'\?\); choose one of"
    ):
        load_scenario("squats")
    with pytest.raises(
        ScenarioError, match=r"cannot read scenario .*none.toml: No such file or directory; check"
    ):
        load_scenario(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"exercise = '\xe9'")
    with pytest.raises(HardwareSimError, match=r"latin.toml: it is not UTF-8 text; check the path"):
        load_scenario(str(tmp_path / "latin.toml"))


def test_the_trace_has_the_columns_of_the_format_on_the_nominal_grid():
    performance = simulate(load_scenario("micro_hinge"), 2)
    columns = trace_columns(performance)
    assert list(columns) == ["t"] + [
        f"{placement}_{letter}{axis}"
        for placement in ("pelvis", "thigh_left", "thigh_right")
        for letter in "ag"
        for axis in "xyz"
    ]
    assert np.max(np.abs(np.diff(columns["t"]) - 0.01)) < 1e-9
    assert len(columns["t"]) == len(performance.truth.time_s)
    np.testing.assert_array_equal(columns["t"], performance.truth.time_s)
    # Whole counts of ±8 g.
    counts = columns["pelvis_ay"] / (8 * 9.80665 / 32768)
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-6)
    assert trace_metadata(performance) == {
        "format": "trace/1",
        "rate_hz": 100.0,
        "placement": {"pelvis": "sacrum", "thigh_left": "thigh_lateral", "thigh_right": "thigh_lateral"},
        "athlete": "virtual",
        "prescription": {
            "exercise": "micro_hinge",
            "repetitions": 5,
            "sets": 1,
            "side": "both",
            "tempo": "1.5-0.5-1.2-1.5",
        },
    }


def test_radio_and_trace_tell_of_the_same_motion():
    performance = simulate(load_scenario("squat"), 2)
    columns = trace_columns(performance)
    source = sample_sources(performance)[1]
    elapsed_s = (source.device_time_us - source.device_time_us[0]) / 1e6
    replayed = np.interp(columns["t"], elapsed_s, source.acc_m_s2[:, 2])
    assert np.std(replayed - columns["thigh_left_az"]) < 0.03
    assert np.std(columns["thigh_left_az"]) > 0.05
    gyr = np.interp(columns["t"], elapsed_s, source.gyr_rad_s[:, 2])
    assert np.degrees(np.std(gyr - columns["thigh_left_gz"])) < 0.3
