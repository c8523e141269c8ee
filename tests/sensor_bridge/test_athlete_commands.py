"""Commands in a session that was recorded once: their effects, live, read again and measured again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from hardware_sim.athlete import simulate
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.virtual_time import run_in_virtual_time
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.given_command import Answer, GivenCommand
from sensor_bridge.mqtt.command_payloads import Command
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.remeasuring import Remeasuring
from sensor_bridge.virtual_radio import Playback
from tests.sensor_bridge.test_healing import KEEPING, athlete_of, play

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import AthleteConfig
    from sensor_bridge.outgoing import Outgoing

# Between the second and the third repetition a lowering is broken off.
A_SET = """
exercise = "romanian_deadlift"
repetitions = 4
lead_in_s = 3.0
lead_out_s = 4.0
[tempo]
eccentric_s = 1.6
bottom_s = 0.4
concentric_s = 1.0
top_s = 1.2
[form]
aborted_after = [2]
aborted_depth = 0.4
"""


@dataclass
class Session:
    """One athlete's session: frames in, messages kept."""

    athlete: AthleteConfig
    frames: list[ReceivedFrame]
    messages: list[Outgoing] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    log: list[ReceivedFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = AthleteSession(self.athlete, "session-1")
        self.messages += self.session.begin(0.0)
        self.at = 0

    def play(self, until: Any = None) -> None:
        """Go on until a condition holds, or to the last frame."""
        while self.at < len(self.frames) and (until is None or not until()):
            self.log.append(self.frames[self.at])
            self.messages += self.session.take(self.frames[self.at])
            self.at += 1

    def give(self, name: str, request: str = "r", /, **arguments: Any) -> Answer:
        command = Command(request=request, reply_to="coach-7", arguments={"athlete": "mia", **arguments})
        now_ns = self.frames[min(self.at, len(self.frames) - 1)].arrival_ns
        frame = ReceivedFrame(
            self.frames[0].sensor_id, now_ns, FrameKind.COMMAND, GivenCommand.read(name, command).to_bytes()
        )
        self.log.append(frame)
        messages, answer = self.session.command(GivenCommand.from_bytes(frame.payload), now_ns)
        self.messages += messages
        return answer

    def finish(self) -> None:
        self.messages += self.session.finish()

    def told(self, channel: Channel = Channel.REPETITION) -> dict[str, Any]:
        """Return the last word under each id; no revision comes twice, or after a higher one."""
        last: dict[str, Any] = {}
        for message in self.messages:
            if message.channel is channel and message.event_id is not None:
                assert message.event_id not in last or message.data.revision > last[message.event_id].revision
                last[message.event_id] = message.data
        return last

    def standing(self) -> dict[str, Any]:
        standing = [(name, each) for name, each in self.told().items() if each.status != "withdrawn"]
        return dict(sorted(standing, key=lambda item: (item[1].set, item[1].repetition)))

    def sets(self) -> dict[int, tuple[int, bool]]:
        told = self.told(Channel.SET).values()
        return {each.set: (each.repetitions, each.final) for each in told if not each.withdrawn}

    def last(self, channel: Channel) -> Any:
        return next(each.data for each in reversed(self.messages) if each.channel is channel)

    def remeasured(self) -> list[Outgoing]:
        remeasuring = Remeasuring(self.athlete, self.log, is_whole=True)
        return self.session.correct(asyncio.run(remeasuring.run_in_slices()), None)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[AthleteConfig, list[ReceivedFrame]]:
    sources = sample_sources(simulate(parse_scenario(A_SET, "a set"), 5))
    playback = Playback(tuple(each for each in sources if each.placement == "pelvis"))
    path: Path = tmp_path_factory.mktemp("recorded") / "frames.log"
    run_in_virtual_time(play(playback, path, KEEPING, away_s=0.0))
    return athlete_of(playback), list(read_frame_log(path))


@pytest.fixture
def session(recorded: tuple[AthleteConfig, list[ReceivedFrame]]) -> Session:
    return Session(*recorded)


@pytest.fixture(scope="module")
def undisturbed(recorded: tuple[AthleteConfig, list[ReceivedFrame]]) -> Session:
    session = Session(*recorded)
    session.play()
    session.finish()
    assert [(each.set, each.repetition) for each in session.standing().values()] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
    ]
    return session


def differences(one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """Return what two payloads say differently, but for their revisions."""
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in one.__struct_fields__}
    return {name: pair for name, pair in pairs.items() if name != "revision" and pair[0] != pair[1]}


def test_a_disputed_repetition_stays_away(session: Session, undisturbed: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    first, second = session.standing()
    answer = session.give("not-a-repetition", event=first, text="picked up the bar")
    assert answer == Answer(is_done=True, text="repetition 1 of set 1 does not count: 1 are left")
    assert list(session.standing()) == [second]
    assert session.last(Channel.STATE).repetition == 1
    # The second one is measured for good only now; the first would have been confirmed by it.
    session.play()
    assert session.last(Channel.LIVE).repetition == 3
    session.finish()
    assert [(each.set, each.repetition) for each in session.standing().values()] == [(1, 1), (1, 2), (1, 3)]
    assert list(session.standing()) == list(undisturbed.standing())[1:]
    assert session.sets() == {1: (3, True)}
    tut_s = sum(each.tut_s for each in session.standing().values())
    assert session.last(Channel.SET).tut_s == pytest.approx(tut_s)
    note = session.last(Channel.NOTE)
    assert (note.kind, note.event, note.text, note.by) == (
        "not_a_repetition",
        first,
        "picked up the bar",
        "coach-7",
    )
    assert note.at_ms == next(each.sample_time_ms for each in session.messages if each.event_id == first)


def test_measuring_again_does_not_bring_it_back(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 3)
    first, second, third = session.standing()
    session.give("not-a-repetition", "r-1", event=second)
    session.give("start-set", "r-2")
    session.play()
    session.finish()
    before = session.standing()
    assert [(each.set, each.repetition) for each in before.values()] == [(1, 1), (1, 2), (2, 1)]
    assert list(before)[:2] == [first, third]
    session.messages += session.remeasured()
    assert [(each.set, each.repetition) for each in session.standing().values()] == [(1, 1), (1, 2), (2, 1)]
    assert list(session.standing()) == list(before)
    assert session.sets() == {1: (2, True), 2: (1, True)}
    # Taken back after that, it is the one of the second look that stands again.
    assert session.give("undo", "r-3", request="r-1").is_done
    assert list(session.standing()) == [first, second, third, list(before)[2]]
    assert session.sets() == {1: (3, True), 2: (1, True)}


def test_undone_all_is_as_if_nothing_had_been_said(session: Session, undisturbed: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    for number, event in enumerate(session.standing()):
        assert session.give("not-a-repetition", f"r-{number}", event=event).is_done
    assert session.standing() == {}
    assert session.sets() == {}
    assert session.give("undo", "u-1", request="r-1").is_done
    session.play()
    assert session.give("undo", "u-0", request="r-0").text == "the repetition counts again"
    session.finish()
    for ours, theirs in zip(session.standing().items(), undisturbed.standing().items(), strict=True):
        assert ours[0] == theirs[0]
        assert differences(ours[1], theirs[1]) == {}
    assert differences(session.last(Channel.SET), undisturbed.last(Channel.SET)) == {}
    assert all(note.withdrawn for note in session.told(Channel.NOTE).values())


def test_a_missed_repetition_is_measured_where_a_movement_was_seen(
    session: Session, undisturbed: Session
) -> None:
    (aborted,) = undisturbed.told(Channel.FAULT).values()
    session.play(lambda: len(session.standing()) == 3)
    answer = session.give("missed-repetition", "m-1", at_ms=aborted.t_ms + 1500.0)
    assert answer == Answer(is_done=True, text="measured: repetition 3 of set 1")
    assert session.last(Channel.STATE).repetition == 4
    again = session.give("missed-repetition", "m-2", at_ms=aborted.t_ms)
    assert again.text == "marked, not measured: no set was under way then, or it counts already"
    session.play()
    session.finish()
    assert [(each.set, each.repetition) for each in session.standing().values()] == [
        (1, number) for number in (1, 2, 3, 4, 5)
    ]
    added = list(session.standing().values())[2]
    assert added.status == "confirmed"
    assert added.pelvic_tilt_range_deg == pytest.approx(aborted.value, rel=0.3)
    assert any("a person saw it" in warning for warning in added.warnings)
    assert session.sets() == {1: (5, True)}
    note = next(iter(session.told(Channel.NOTE).values()))
    assert note.event == list(session.standing())[2]
    session.messages += session.remeasured()
    assert session.sets() == {1: (5, True)}
    assert session.give("undo", "u-1", request="m-1").is_done
    assert list(session.standing()) == list(undisturbed.standing())
    assert session.sets() == {1: (4, True)}


def test_where_nothing_was_seen_there_is_only_a_mark(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 1)
    answer = session.give("missed-repetition", at_ms=1.0, text="before you were on")
    assert answer.text == "marked, not measured: no movement was seen there that was not counted"
    note = session.last(Channel.NOTE)
    assert (note.kind, note.at_ms, note.event, note.text) == (
        "missed_repetition",
        1.0,
        None,
        "before you were on",
    )


def test_what_is_prescribed_is_shown_judged_by_and_taken_back(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 1)
    answer = session.give("prescribe", "p-1", exercise="romanian_deadlift", tempo="5-0-X-0", support=True)
    assert answer == Answer(is_done=True, text="prescribed: romanian deadlift")
    asked = session.last(Channel.PRESCRIPTION)
    assert (asked.exercise, asked.eccentric_s, asked.is_supported) == ("romanian_deadlift", 5.0, True)
    assert session.last(Channel.STATE).target.eccentric_s == 5.0
    session.play(lambda: len(session.standing()) == 3)
    assert [part.part for part in list(session.standing().values())[2].adherence] == ["eccentric"]
    assert session.give("undo", "u-1", request="p-1").is_done
    assert session.last(Channel.STATE).target is None
    assert [each for each in session.messages if each.channel is Channel.PRESCRIPTION][-1].data is None
    assert session.give("undo", "u-2", request="p-1").text == "undo: it was undone already"


def test_numbers_may_be_prescribed_without_an_exercise(session: Session) -> None:
    assert session.give("prescribe", repetitions=4, side="left").text == "prescribed: any exercise"
    asked = session.last(Channel.PRESCRIPTION)
    assert (asked.exercise, asked.side, asked.repetitions) == ("other", "left", 4)
    session.play()
    session.finish()
    summary = session.last(Channel.SET)
    assert (summary.exercise, summary.side, summary.adherence.repetitions_asked) == ("hip_hinge", "left", 4)


def test_only_the_last_prescription_can_be_undone(session: Session) -> None:
    session.give("prescribe", "p-1", exercise="romanian_deadlift")
    assert session.give("prescribe", "p-2").text == "nothing is prescribed any more"
    assert session.give("undo", "u-1", request="p-1").text == "undo: something else was prescribed since"
    assert session.give("undo", "u-2", request="p-2").is_done
    assert session.session.prescription is not None


def test_the_same_request_does_nothing_twice(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    answer = session.give("note", "r-1", text="good")
    n_messages = len(session.messages)
    assert session.give("note", "r-1", text="good") == answer
    assert len(session.messages) == n_messages


def test_a_note_is_about_an_event_or_the_moment(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    first, _ = session.standing()
    session.give("note", "r-1", text="<script>alert(1)</script>", event=first)
    assert session.last(Channel.NOTE).text == "<script>alert(1)</script>"
    session.give("note", "r-2", text="tired")
    assert session.last(Channel.NOTE).at_ms == session.log[-1].arrival_ns / 1e6
    session.give("undo", "r-3", request="r-1")
    assert [note.withdrawn for note in session.told(Channel.NOTE).values()] == [True, False]


def test_an_ended_set_is_final_at_once_and_zero_can_be_found_anew(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 4)
    assert session.give("end-set", "r-1") == Answer(is_done=True, text="set 1 is over")
    session.play(lambda: session.last(Channel.SET).final)
    assert session.last(Channel.STATE).set == 2
    assert session.give("end-set", "r-2").text.startswith("no set is running")
    assert session.give("start-set", "r-3") == Answer(is_done=True, text="set 2 begins")
    session.play(lambda: len(session.frames) - session.at < 20)
    assert session.give("re-zero", "r-4").is_done
    assert session.last(Channel.STATE).calibration == []
    assert [each for each in session.messages if each.channel is Channel.CALIBRATION][-1].data is None
    session.play()
    assert session.last(Channel.LIVE) is not None
    assert session.last(Channel.STATE).phase == "calibrating"
    session.finish()
    assert session.last(Channel.CALIBRATION).calibration


def test_a_set_ends_though_no_samples_come(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    session.frames = [replace(each, arrival_ns=each.arrival_ns + 60_000_000_000) for each in session.frames]
    assert session.give("end-set").is_done
    assert session.last(Channel.SET).final
    assert session.last(Channel.STATE).set == 2


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("not-a-repetition", {"event": "018bcfe5-6800-70ef-9767-b8b58882af76"}, "nothing was told under"),
        ("note", {"event": "018bcfe5-6800-70ef-9767-b8b58882af76", "text": "?"}, "nothing was told under"),
        ("undo", {"request": "never given"}, "undo: nothing was done under this request"),
        ("end-set", {}, "nothing is measured yet: are the sensors on and connected?"),
        ("start-set", {}, "nothing is measured yet"),
        ("re-zero", {}, "nothing is measured yet"),
        ("prescribe", {"exercise": "curl"}, "prescribe: exercise: Input should be"),
        ("prescribe", {"exercise": "deadlift", "tempo": "5-0"}, "prescribe: tempo: tempo '5-0' has 2 parts"),
    ],
)
def test_what_cannot_be_done_says_why(
    session: Session, name: str, arguments: dict[str, Any], complaint: str
) -> None:
    n_messages = len(session.messages)
    answer = session.give(name, **arguments)
    assert not answer.is_done
    assert answer.text.startswith(complaint)
    assert "\n" not in answer.text
    assert len(session.messages) == n_messages


def test_a_set_is_no_repetition_and_nothing_is_disputed_twice(session: Session) -> None:
    session.play(lambda: len(session.standing()) == 2)
    event = next(iter(session.told(Channel.SET)))
    assert session.give("not-a-repetition", "r-1", event=event).text.endswith("this event is no repetition")
    first = next(iter(session.standing()))
    assert session.give("not-a-repetition", "r-2", event=first).is_done
    assert session.give("not-a-repetition", "r-3", event=first).text.endswith("it does not count already")
    assert session.give("undo", "r-4", request="r-3").text == "undo: nothing was done under this request"


def test_where_samples_stay_away_what_waits_for_them_is_done_live_and_when_measured_again(
    session: Session,
) -> None:
    session.play(lambda: len(session.standing()) == 2)
    assert session.give("end-set").is_done
    now_ns = session.frames[session.at].arrival_ns
    assert not session.last(Channel.SET).final
    assert not session.session.is_waiting(now_ns)
    assert session.session.is_waiting(now_ns + 3_000_000_000)
    session.messages += session.session.obey_now()
    session.log.append(replace(session.log[-1], arrival_ns=now_ns + 3_000_000_000, payload=b""))
    assert session.last(Channel.SET).final
    assert not session.session.is_waiting(now_ns + 3_000_000_000)
    session.messages += session.remeasured()
    assert session.sets() == {1: (2, True)}
