from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.commands.watched_gym import WatchedGym
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.settings import Message
from sensor_bridge.mqtt.topics import Channel, Topics

if TYPE_CHECKING:
    import msgspec

TOPICS = Topics("gym-1")
START_MS = 1_800_000_000_000.0  # 2027-01-15 08:00
IDS = [f"01a3175b-2c00-7aaa-8bbb-{n:012d}" for n in range(10)]


def message(
    channel: Channel,
    data: msgspec.Struct,
    *,
    at_s: float = 0.0,
    name: str = IDS[0],
    session: str = "session-1",
    **ids: str,
) -> Message:
    wrapped = payloads.envelope(
        data, message_id=name, sample_time_ms=START_MS + 1000 * at_s, session=session, seq=0
    )
    return Message(
        TOPICS.topic(channel, **(ids or {"athlete": "a1"})), payloads.encode(wrapped), retained=False
    )


def state(at_s: float = 0.0, *, session: str = "session-1", **changes: Any) -> Message:
    known: dict[str, Any] = {
        "athlete": "a1",
        "name": "Ada",
        "session": session,
        "exercise": "romanian_deadlift",
        "side": "both",
        "set": 2,
        "repetition": 3,
        "phase": "top",
        "target": payloads.Target(repetitions=8, sets=4, eccentric_s=5.0),
    }
    return message(Channel.STATE, payloads.AthleteState(**{**known, **changes}), at_s=at_s, session=session)


def live(
    at_s: float, *, phase: payloads.Phase = "eccentric", session: str = "session-1", **changes: Any
) -> Message:
    known: dict[str, Any] = {
        "t_ms": START_MS + 1000 * at_s,
        "rate_hz": 50.0,
        "posture": "standing",
        "phase": phase,
        "set": 2,
        "repetition": 3,
        "eccentric_start_ms": START_MS,
    }
    return message(Channel.LIVE, payloads.Live(**{**known, **changes}), at_s=at_s, session=session)


def repetition_data(number: int = 3, revision: int = 0, **changes: Any) -> payloads.Repetition:
    known: dict[str, Any] = {
        "athlete": "a1",
        "set": 2,
        "repetition": number,
        "revision": revision,
        "final": revision > 0,
        "status": "confirmed",
        "exercise": "romanian_deadlift",
        "side": "both",
        "eccentric_s": 4.7,
        "concentric_s": 1.3,
        "pelvic_tilt_range_deg": 48.0,
    }
    known.update(changes)
    known["reasons"] = {name: "not worn" for name in payloads.MEASURES if known.get(name) is None}
    return payloads.Repetition(**known)


def repetition(number: int = 3, revision: int = 0, *, session: str = "session-1", **changes: Any) -> Message:
    return message(
        Channel.REPETITION,
        repetition_data(number, revision, **changes),
        at_s=10.0 * number,
        name=IDS[number],
        session=session,
    )


def sensor(**changes: Any) -> Message:
    known: dict[str, Any] = {
        "sensor": "s1",
        "athlete": "a1",
        "placement": "pelvis",
        "name": "HL-1",
        "link": "connected",
        "battery_percent": 87.0,
    }
    return message(Channel.SENSOR_STATUS, payloads.SensorStatus(**{**known, **changes}), sensor="s1")


def service(online: payloads.ServiceState, *alarms: str) -> Message:
    data = payloads.ServiceStatus(state=online, version="0.1.0", alarms=list(alarms))
    return message(Channel.SERVICE_STATUS, data, service="bridge")


def lines(gym: WatchedGym, *messages: Message) -> list[str]:
    return [line for one in messages for line in gym.take(one, 0.0)]


def test_an_athlete_is_announced_once() -> None:
    gym = WatchedGym()
    assert lines(gym, state(), state(1.0, phase="eccentric"), live(1.5)) == [
        "2027-01-15T08:00:00.000Z Ada: Romanian deadlift, set 2 of 4, repetition 3 of 8"
    ]


def test_before_anything_is_measured_no_set_is_named() -> None:
    assert lines(WatchedGym(), state(set=0, repetition=0, target=None)) == [
        "2027-01-15T08:00:00.000Z Ada: Romanian deadlift"
    ]


def test_a_repetition_is_a_line_and_a_better_measurement_one_more_if_it_reads_otherwise() -> None:
    gym = WatchedGym()
    gym.take(state(), 0.0)
    assert lines(
        gym,
        repetition(),
        repetition(revision=1, eccentric_s=4.72),
        repetition(revision=2, eccentric_s=4.9, faults=[payloads.FoundFault(code="pelvic_drop", value=12.0)]),
    ) == [
        "2027-01-15T08:00:30.000Z Ada: set 2, repetition 3 of 8: 4.7 s down, 1.3 s up, tilt 48°: good",
        (
            "2027-01-15T08:00:30.000Z Ada: set 2, repetition 3 of 8: 4.9 s down, 1.3 s up, tilt 48°: "
            "watch: pelvis tipped 12° (measured again)"
        ),
    ]
    assert gym.athletes["a1"].last_repetition is not None
    assert gym.athletes["a1"].last_repetition.revision == 2


def test_a_revision_that_comes_late_or_twice_is_passed_over() -> None:
    gym = WatchedGym()
    gym.take(repetition(revision=2, eccentric_s=4.9), 0.0)
    assert lines(gym, repetition(revision=2, eccentric_s=4.9), repetition(revision=1, eccentric_s=1.0)) == []
    assert gym.athletes["a1"].last_repetition == repetition_data(revision=2, eccentric_s=4.9)


def test_a_revision_of_an_earlier_repetition_is_not_the_last_one() -> None:
    gym = WatchedGym()
    lines(gym, repetition(3), repetition(4), repetition(3, revision=1, eccentric_s=4.9))
    assert gym.athletes["a1"].last_repetition == repetition_data(4)


def test_a_withdrawn_repetition_is_said_and_gone() -> None:
    gym = WatchedGym()
    gym.take(repetition(), 0.0)
    assert lines(gym, repetition(revision=1, status="withdrawn")) == [
        "2027-01-15T08:00:30.000Z a1: set 2, repetition 3: taken back, it was none"
    ]
    assert gym.athletes["a1"].last_repetition is None


def test_who_joins_late_gets_the_last_repetition_from_the_state() -> None:
    gym = WatchedGym()
    gym.take(state(last_repetition=repetition_data()), 0.0)
    assert gym.athletes["a1"].last_repetition == repetition_data()


def test_a_set_is_a_line_when_it_is_over() -> None:
    gym = WatchedGym()
    gym.take(state(), 0.0)
    known: dict[str, Any] = {
        "athlete": "a1",
        "set": 2,
        "revision": 0,
        "exercise": "deadlift",
        "side": "left",
        "repetitions": 8,
        "tut_s": 52.4,
        "mean_eccentric_s": 4.75,
    }
    running = payloads.SetSummary(**known, final=False)
    over = payloads.SetSummary(**{**known, "revision": 1}, final=True)
    short = payloads.SetSummary(
        athlete="a1", set=3, revision=0, final=True, exercise="other", side="both", repetitions=1
    )
    assert lines(gym, *(message(Channel.SET, data, at_s=60) for data in (running, over, short))) == [
        (
            "2027-01-15T08:01:00.000Z Ada: set 2 is over: 8 repetitions of Deadlift, left, "
            "4.8 s down on average, 52 s under tension"
        ),
        "2027-01-15T08:01:00.000Z Ada: set 3 is over: 1 repetition of Other",
    ]


def test_a_fault_is_a_line() -> None:
    gym = WatchedGym()
    gym.take(state(), 0.0)
    told = payloads.FaultEvent(
        athlete="a1", code="repetition_aborted", t_ms=START_MS, set=2, repetition=3, text="\x1bnot counted"
    )
    wordless = payloads.FaultEvent(athlete="a1", code="balance_loss", t_ms=START_MS, set=2, repetition=0)
    assert lines(gym, message(Channel.FAULT, told), message(Channel.FAULT, wordless)) == [
        "2027-01-15T08:00:00.000Z Ada: after repetition 3, ?not counted",
        "2027-01-15T08:00:00.000Z Ada: lost balance",
    ]


def test_what_turned_out_not_to_have_been_is_taken_back() -> None:
    gym = WatchedGym()
    gym.take(state(), 0.0)
    no_set = payloads.SetSummary(
        athlete="a1",
        set=3,
        revision=4,
        final=True,
        exercise="other",
        side="both",
        repetitions=1,
        withdrawn=True,
    )
    no_fault = payloads.FaultEvent(
        athlete="a1",
        code="repetition_aborted",
        t_ms=START_MS,
        set=2,
        repetition=3,
        revision=1,
        withdrawn=True,
    )
    assert lines(gym, message(Channel.SET, no_set), message(Channel.FAULT, no_fault)) == [
        "2027-01-15T08:00:00.000Z Ada: set 3: taken back",
        "2027-01-15T08:00:00.000Z Ada: a movement not counted: taken back",
    ]


def test_a_sensor_is_a_line_when_its_link_changes_or_its_battery_runs_low() -> None:
    gym = WatchedGym()
    gym.take(state(), 0.0)
    assert lines(
        gym,
        sensor(),
        sensor(battery_percent=86.0),
        sensor(battery_percent=14.0),
        sensor(battery_percent=13.0),
        sensor(link="lost"),
        sensor(link="scanning", reason="the link was lost"),
        sensor(link="scanning", reason="the link was lost", reconnects=1),
    ) == [
        "2027-01-15T08:00:00.000Z Ada: sensor on the pelvis: connected, battery 87 %",
        "2027-01-15T08:00:00.000Z Ada: sensor on the pelvis: connected, battery low 14 %",
        "2027-01-15T08:00:00.000Z Ada: sensor on the pelvis: out of reach, battery 87 %",
        "2027-01-15T08:00:00.000Z Ada: sensor on the pelvis: searching, battery 87 %: the link was lost",
    ]
    assert [known.link for known in gym.sensors_of("a1")] == ["scanning"]
    assert gym.sensors_of("a2") == []


def test_a_service_is_a_line_when_it_comes_goes_or_raises_an_alarm() -> None:
    gym = WatchedGym()
    assert lines(
        gym,
        service("online"),
        service("online", "the disk is full"),
        service("online", "the disk is full", "too slow"),
        service("offline"),
    ) == [
        "2027-01-15T08:00:00.000Z bridge is online",
        "2027-01-15T08:00:00.000Z bridge: the disk is full",
        "2027-01-15T08:00:00.000Z bridge: too slow",
        "2027-01-15T08:00:00.000Z bridge is offline",
    ]
    assert gym.alarms() == ["bridge is offline"]


def test_phase_and_count_come_from_whoever_spoke_last() -> None:
    gym = WatchedGym()
    gym.take(state(1.0, phase="top", set=2, repetition=3), 0.0)
    athlete = gym.athletes["a1"]
    assert athlete.progress == ("top", 2, 3)
    gym.take(live(2.0, phase="eccentric", repetition=4), 0.0)
    assert athlete.progress == ("eccentric", 2, 4)
    gym.take(state(3.0, phase="rest", set=3, repetition=0), 0.0)
    assert athlete.progress == ("rest", 3, 0)
    gym.take(state(2.5, phase="top", set=2, repetition=8), 0.0)
    assert athlete.progress == ("rest", 3, 0)


def test_a_lowering_is_timed_by_the_newest_sample() -> None:
    gym = WatchedGym()
    gym.take(live(2.4), 0.0)
    assert gym.athletes["a1"].lowering_s == pytest.approx(2.4)
    gym.take(live(2.5, phase="bottom"), 0.0)
    assert gym.athletes["a1"].lowering_s is None
    gym.take(live(2.6, eccentric_start_ms=None), 0.0)
    assert gym.athletes["a1"].lowering_s is None


def test_another_session_begins_anew_and_leftovers_of_the_former_change_nothing() -> None:
    gym = WatchedGym()
    lines(gym, state(100.0, session="session-2", set=1, repetition=0), live(100.0, session="session-2"))
    assert lines(gym, repetition(session="session-1")) == []
    assert gym.athletes["a1"].last_repetition is None
    assert lines(gym, state(200.0, session="session-3", set=1, repetition=0)) == [
        "2027-01-15T08:03:20.000Z Ada: Romanian deadlift, set 1 of 4, repetition 0 of 8"
    ]
    assert gym.athletes["a1"].live is None


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (TOPICS.state("a1"), b"{"),
        (TOPICS.live("a1"), b'{"v":2}'),
        ("hipline/v1/gym-1/weather", b"{}"),
    ],
)
def test_what_cannot_be_understood_is_counted(topic: str, body: bytes) -> None:
    gym = WatchedGym()
    assert gym.take(Message(topic, body, retained=False), 0.0) == []
    assert gym.unreadable == 1
    assert gym.athletes == {}


def test_who_is_cleared_is_gone() -> None:
    gym = WatchedGym()
    lines(gym, state(), sensor(), service("online"))
    for topic in (TOPICS.state("a1"), TOPICS.sensor_status("s1"), TOPICS.service_status("bridge")):
        assert gym.take(Message(topic, b"", retained=False), 0.0) == []
    assert (gym.athletes, gym.sensors, gym.services) == ({}, {}, {})
