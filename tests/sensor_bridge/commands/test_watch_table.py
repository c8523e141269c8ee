from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from sensor_bridge.commands.watch_table import gym_table
from sensor_bridge.commands.watched_gym import WatchedAthlete, WatchedGym
from sensor_bridge.mqtt import payloads

START_MS = 1_800_000_000_000.0


def gym() -> WatchedGym:
    """One athlete in the middle of a lowering."""
    reasons = dict.fromkeys(payloads.MEASURES, "not worn")
    last = payloads.Repetition(
        athlete="a1",
        set=2,
        repetition=3,
        revision=1,
        final=True,
        status="confirmed",
        exercise="romanian_deadlift",
        side="both",
        eccentric_s=4.7,
        concentric_s=1.3,
        pelvic_tilt_range_deg=48.0,
        reasons=reasons,
    )
    state = payloads.AthleteState(
        athlete="a1",
        name="Ada",
        session="session-1",
        exercise="romanian_deadlift",
        side="both",
        set=2,
        repetition=3,
        phase="eccentric",
        target=payloads.Target(repetitions=8, sets=4, eccentric_s=5.0),
    )
    live = payloads.Live(
        t_ms=START_MS + 2400,
        rate_hz=50.0,
        posture="standing",
        phase="eccentric",
        set=2,
        repetition=3,
        pelvic_tilt_deg=[30.0, 34.6],
        hip_flexion_left_deg=[50.0, 51.7],
        hip_flexion_right_deg=None,
        eccentric_start_ms=START_MS,
    )
    sensor = payloads.SensorStatus(
        sensor="s1",
        athlete="a1",
        placement="thigh_left",
        name="HL-1",
        link="connected",
        battery_percent=87.0,
    )
    known = WatchedGym()
    known.athletes["a1"] = WatchedAthlete(
        "a1",
        "session-1",
        state=state,
        state_ms=START_MS,
        live=live,
        live_arrived_s=100.0,
        last_repetition=last,
    )
    known.sensors["s1"] = sensor
    return known


def drawn(
    known: WatchedGym, *, now_s: float = 100.1, width: int = 140, colour: bool = False, **how: Any
) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(gym_table(known, now_s, title="gym-1 at 127.0.0.1:1883", **how))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def cells(text: str) -> list[list[str]]:
    """Take the drawn table apart."""
    rows = [
        line.strip("│┃").replace("┃", "│").split("│") for line in text.splitlines() if line[:1] in {"│", "┃"}
    ]
    return [[cell.strip() for cell in row] for row in rows]


def test_a_lowering_athlete_is_drawn() -> None:
    text = drawn(gym(), width=220)
    assert "gym-1 at 127.0.0.1:1883" in text
    heading, first, second, third = cells(text)
    assert heading == ["athlete", "set", "phase", "angles", "last repetition", "sensors"]
    assert first == [
        "Ada",
        "set 2 of 4",
        "lowering 3 of 5",
        "tilt 35°",
        "set 2, rep 3: ✓ good",
        "left thigh: connected, battery 87 %",
    ]
    assert second[5] == "0 samples, 0 lost"
    assert second[1:5] == ["rep 3 of 8", "●●●○○", "hip L 52° R \N{EN DASH}", "4.7 s down, 1.3 s up"]
    assert third[4] == "tilt 48°"


def test_without_colours_there_are_no_escape_codes_and_with_them_words_stay() -> None:
    assert "\x1b" not in drawn(gym())
    coloured = drawn(gym(), colour=True)
    assert "\x1b" in coloured
    assert "✓ good" in coloured


def test_an_athlete_of_whom_no_data_come_is_said_to_be_silent() -> None:
    assert "no data" not in drawn(gym(), now_s=101.9)
    assert cells(drawn(gym(), now_s=107.4))[1][2] == "no data for 7 s"


def test_what_is_not_known_yet_is_a_dash() -> None:
    known = WatchedGym()
    known.athletes["a1"] = WatchedAthlete("a1")
    _, row = cells(drawn(known))
    assert row == ["a1", "\N{EN DASH}", "waiting", "\N{EN DASH}", "\N{EN DASH}", "no sensors"]


def test_before_anybody_is_there_it_says_what_it_waits_for() -> None:
    assert "Waiting for the first athlete." in drawn(WatchedGym())
    assert "Waiting" not in drawn(gym())


def test_a_lost_broker_alarms_and_unreadable_messages_are_said() -> None:
    known = gym()
    known.services["bridge"] = payloads.ServiceStatus(
        state="online", version="0.1.0", alarms=["the disk is full"]
    )
    known.unreadable = 2
    text = drawn(known, is_connected=False, lines=["08:00 the last event"])
    assert "The broker is gone: trying again. What is shown is the last that was known." in text
    assert "! bridge: the disk is full" in text
    assert "! 2 messages not understood" in text
    assert text.rstrip().endswith("08:00 the last event")
    assert "broker is gone" not in drawn(known)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_table_keeps_to_the_terminal(width: int) -> None:
    assert max(len(line) for line in drawn(gym(), width=width).splitlines()) <= width


def test_names_are_text_and_not_markup() -> None:
    known = gym()
    known.athletes["a2"] = WatchedAthlete("a2")
    state = known.athletes["a1"].state
    assert state is not None
    known.athletes["a2"].state = payloads.AthleteState(
        athlete="a2",
        name="[bold]Eve[/]\x1b[2J",
        session="session-1",
        exercise="other",
        side="left",
        set=0,
        repetition=0,
        phase="rest",
    )
    text = drawn(known, width=220)
    assert "[bold]Eve[/]?[2J" in text
    assert "\x1b" not in text
