from __future__ import annotations

from typing import Any

import pytest

from analytics.form import FaultCode
from sensor_bridge.commands.watch_words import (
    LINKS,
    PHASES,
    count_pips,
    count_words,
    exercise_words,
    fault_words,
    health_words,
    is_in_trouble,
    of_target,
    placement_words,
    printable,
    range_words,
    sensor_words,
    tempo_words,
    verdict,
)
from sensor_bridge.mqtt import payloads


def repetition(**changes: Any) -> payloads.Repetition:
    known: dict[str, Any] = {
        "athlete": "a1",
        "set": 1,
        "repetition": 3,
        "revision": 0,
        "final": False,
        "status": "confirmed",
        "exercise": "deadlift",
        "side": "both",
        "eccentric_s": 4.72,
        "concentric_s": 1.3,
        "pelvic_tilt_range_deg": 48.4,
        "hip_flexion_left_range_deg": 70.0,
    }
    known.update(changes)
    known["reasons"] = {name: "not worn" for name in payloads.MEASURES if known.get(name) is None}
    return payloads.Repetition(**known)


def sensor(**changes: Any) -> payloads.SensorStatus:
    known: dict[str, Any] = {
        "sensor": "s1",
        "athlete": "a1",
        "placement": "thigh_left",
        "name": "HL-1",
        "link": "connected",
        "battery_percent": 87.0,
    }
    return payloads.SensorStatus(**{**known, **changes})


def found(code: str, value: float | None = None) -> payloads.FoundFault:
    return payloads.FoundFault(code=code, value=value)


@pytest.mark.parametrize(
    ("changes", "is_good", "symbol", "sentence"),
    [
        ({}, True, "✓", "good"),
        ({"status": "provisional"}, True, "✓", "good"),
        ({"status": "unconfirmed"}, False, "△", "counted, but not a clear one"),
        ({"status": "withdrawn"}, False, "\N{EN DASH}", "taken back, it was none"),
        (
            {"faults": [found("fast_eccentric", 3.14), found("pelvic_drop", 12.0)]},
            False,
            "△",
            "watch: 3.1 s down is too fast, pelvis tipped 12°",
        ),
        ({"faults": [found("over_extension", -12.4)]}, False, "△", "watch: leaned back 12° past standing"),
        ({"faults": [found("hip_open")], "status": "unconfirmed"}, False, "△", "watch: hips opened"),
    ],
)
def test_a_repetition_is_judged_in_words(
    changes: dict[str, Any], is_good: bool, symbol: str, sentence: str
) -> None:
    told = verdict(repetition(**changes))
    assert (told.is_good, told.symbol, told.sentence) == (is_good, symbol, sentence)


@pytest.mark.parametrize("code", list(FaultCode))
def test_every_fault_that_can_be_found_has_words_of_its_own(code: FaultCode) -> None:
    assert fault_words(code, None) != code.replace("_", " ")
    assert "{" not in fault_words(code, 12.0)


def test_a_fault_of_a_later_version_is_called_by_its_code() -> None:
    assert fault_words("left_early", 3.0) == "left early"


def test_every_phase_and_link_has_a_word() -> None:
    assert set(PHASES) == set(payloads.alternatives(payloads.Phase))
    assert set(LINKS) == set(payloads.alternatives(payloads.LinkPhase))


def test_figures_of_a_repetition_leave_out_what_is_not_measured() -> None:
    assert tempo_words(repetition()) == "4.7 s down, 1.3 s up"
    assert tempo_words(repetition(eccentric_s=None)) == "\N{EN DASH} down, 1.3 s up"
    assert range_words(repetition()) == "tilt 48°, left hip 70°"
    assert range_words(repetition(pelvic_tilt_range_deg=None, hip_flexion_left_range_deg=None)) == ""


@pytest.mark.parametrize(
    ("changes", "words", "trouble"),
    [
        ({}, "connected, battery 87 %", False),
        ({"battery_percent": 14.0}, "connected, battery low 14 %", True),
        ({"battery_percent": None, "link": "scanning"}, "searching, battery unknown", False),
        ({"link": "lost"}, "out of reach, battery 87 %", True),
        ({"link": "stopped"}, "stopped, battery 87 %", True),
        ({"rssi_dbm": -90.0}, "connected, battery 87 %, weak signal", False),
        ({"rssi_dbm": -90.0, "link": "lost"}, "out of reach, battery 87 %", True),
        ({"received": 980, "lost": 20}, "connected, battery 87 %, 2 % of samples lost", False),
        (
            {"received": 1000, "backfilled": 500, "lost": 3, "missing": 3},
            "connected, battery 87 %, 3 samples still to be fetched",
            False,
        ),
        ({"received": 9990, "lost": 10}, "connected, battery 87 %", False),
        (
            {"link": "scanning", "reason": "was not heard\x1b for 15 s"},
            "searching, battery 87 %: was not heard? for 15 s",
            True,
        ),
    ],
)
def test_a_sensor_is_described_in_words(changes: dict[str, Any], words: str, trouble: bool) -> None:
    assert sensor_words(sensor(**changes)) == words
    assert is_in_trouble(sensor(**changes)) is trouble


def test_the_figures_of_a_link_leave_out_what_is_not_known() -> None:
    assert health_words(sensor()) == "0 samples, 0 lost"
    known: dict[str, Any] = {
        "received": 1860,
        "lost": 30,
        "gaps": 2,
        "lost_s": 0.3,
        "sampling_rate_hz": 104.0,
        "connection_interval_ms": 15.0,
        "rssi_dbm": -61.0,
        "clock_residual_ms": 10.8,
        "clock_drift_ppm": -12.4,
        "duplicated": 1,
        "rejected": 2,
        "dropped": 3,
        "overflow": 4,
        "reconnects": 5,
    }
    assert health_words(sensor(**known)) == (
        "104 Hz, interval 15 ms, -61 dBm, jitter 11 ms, clock -12 ppm, 1860 samples, 30 lost, "
        "2 gaps of 0.3 s, 1 doubled, 2 refused, 3 dropped, 4 lost in the sensor, 5 reconnects"
    )


@pytest.mark.parametrize(
    ("elapsed_s", "target_s", "words", "pips"),
    [
        (0.0, 5.0, "1 of 5", "●○○○○"),
        (0.99, 5.0, "1 of 5", "●○○○○"),
        (1.0, 5.0, "2 of 5", "●●○○○"),
        (4.2, 5.0, "5 of 5", "●●●●●"),
        (5.6, 5.0, "5 of 5 +0.6 s", "●●●●●"),
        (2.1, 2.5, "3 of 2.5", "●●●"),
        (2.5, None, "3", "●●●○○"),
        (7.5, None, "8", "●●●●●"),
        (0.5, 0.0, "1", "●○○○○"),
        (3.0, 30.0, "4 of 30", "●●●●○○○○○○○○"),
    ],
)
def test_a_lowering_is_counted(elapsed_s: float, target_s: float | None, words: str, pips: str) -> None:
    assert count_words(elapsed_s, target_s) == words
    assert count_pips(elapsed_s, target_s) == pips


def test_names_are_written_as_people_say_them() -> None:
    assert exercise_words("romanian_deadlift", "both") == "Romanian deadlift"
    assert exercise_words("single_leg_deadlift", "left") == "Single leg deadlift, left"
    assert placement_words("pelvis") == "pelvis"
    assert placement_words("thigh_right") == "right thigh"
    assert of_target(3, 8) == "3 of 8"
    assert of_target(3, None) == "3"


def test_what_could_control_a_terminal_is_replaced() -> None:
    assert printable("Ada \x1b[31mred\r\n") == "Ada ?[31mred??"
    assert printable("Åsa Müller 李") == "Åsa Müller 李"
