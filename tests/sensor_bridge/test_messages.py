from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analytics.adherence import LiveCount
from analytics.angles import AngleBlock
from analytics.calibration import CalibrationMethod, SegmentCalibration
from analytics.exercises import Exercise, Side
from analytics.imu import Placement
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import (
    CalibrationEvent,
    LiveState,
    PipelineEvent,
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)
from analytics.posture import Posture
from analytics.prescription import Prescription, parse_tempo
from analytics.repetition_figures import Kind, Repetition, RepetitionStatus
from analytics.repetitions import Aborted, DrivingAngle, Phase
from analytics.sets import SetSummary
from analytics.turning_points import AbortReason
from sensor_bridge.messages import MOST_LISTED, AthleteCard, AthleteMessages, Outgoing
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.broker_streams import LONGEST_PACKET
from sensor_bridge.mqtt.payloads import RepetitionBrief
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.trace import METADATA_KEY, read_trace, write_table
from sensor_bridge.recording.trace_stream import TraceStream
from sensor_bridge.virtual_radio import simulate

if TYPE_CHECKING:
    from pathlib import Path

S = 1_000_000_000
UTC_NS = 1_800_000_000 * S  # 2027-01-15 08:00
ASKED = Prescription(Exercise.ROMANIAN_DEADLIFT, 8, 4, None, parse_tempo("5-0-X-0"))
CARD = AthleteCard("a1", "Ada", "session-1", ("s-pelvis", "s-left"), ASKED)


def to_utc_ns(time_ns: int) -> int:
    return UTC_NS + time_ns


def messages_of(card: AthleteCard = CARD) -> AthleteMessages:
    return AthleteMessages(card, to_utc_ns)


def angle_block(first: int, n: int, tilt_deg: float = 0.0, *, gap_before_s: float = 0.0) -> AngleBlock:
    level, unknown = np.zeros(n), np.full(n, np.nan)
    return AngleBlock(
        start_time_ns=first * 10_000_000,
        sampling_rate_hz=100.0,
        gap_before_s=gap_before_s,
        pelvic_tilt_deg=np.full(n, tilt_deg),
        pelvic_obliquity_deg=level,
        pelvic_rotation_deg=level.copy(),
        thigh_flexion_left_deg=np.where(np.arange(n) == 0, np.nan, 1.0),
        thigh_flexion_right_deg=unknown,
        hip_flexion_left_deg=np.full(n, tilt_deg + 1.0),
        hip_flexion_right_deg=unknown.copy(),
        acc_norm_m_s2=np.full(n, 9.81),
        gyr_segment_rad_s=np.zeros((n, 3)),
        is_supine=np.zeros(n, dtype=np.bool_),
        is_measured=np.ones(n, dtype=np.bool_),
    )


def live_state(time_s: float, phase: Phase = Phase.STANDING, count: int = 0, **changes: Any) -> LiveState:
    known = LiveState(
        time_ns=round(time_s * S),
        phase=phase,
        posture=Posture.STANDING,
        set_number=1,
        repetition_count=count,
        eccentric_start_ns=None,
        depth_fraction=None,
    )
    return replace(known, **changes)


def repetition(number: int, close_s: float, **changes: Any) -> Repetition:
    measured = Repetition(
        set_number=1,
        repetition_number=number,
        status=RepetitionStatus.CONFIRMED,
        side=Side.BOTH,
        is_supine=False,
        driving_angle=DrivingAngle.HIP_FLEXION,
        start_ns=round((close_s - 7) * S),
        bottom_ns=round((close_s - 2) * S),
        close_ns=round(close_s * S),
        amplitude_deg=70.0,
        eccentric_s=4.7,
        tut_s=6.5,
        sd={"eccentric_s": 0.05, "tut_s": 0.05},
        kind={"eccentric_s": Kind.MEASURED, "tut_s": Kind.MEASURED},
    )
    return replace(measured, **changes)


def told(
    number: int, close_s: float, revision: int, *, final: bool = False, **changes: Any
) -> RepetitionEvent:
    return RepetitionEvent(repetition(number, close_s, **changes), revision, final, angle_block(0, 10))


def output(*events: PipelineEvent, live: LiveState | None = None) -> PipelineOutput:
    return PipelineOutput(events=events, live=live)


def on(channel: Channel, messages: list[Outgoing]) -> list[Any]:
    return [message.data for message in messages if message.channel is channel]


def only(channel: Channel, messages: list[Outgoing]) -> Outgoing:
    (message,) = [message for message in messages if message.channel is channel]
    return message


def summary(number: int = 1, *, repetitions: int = 2, is_final: bool = True) -> SetSummary:
    return SetSummary(
        set_number=number,
        start_ns=3 * S,
        end_ns=20 * S,
        exercise=Exercise.DEADLIFT,
        exercise_confidence=0.8,
        side=Side.LEFT,
        repetitions=repetitions,
        tut_s=13.0,
        eccentric_tut_s=9.4,
        mean_eccentric_s=4.7,
        is_final=is_final,
    )


def test_at_the_start_it_is_told_who_is_there_and_what_was_asked() -> None:
    state, asked, calibration = messages_of().begin(1_800_000_000_000.0)
    assert state == Outgoing(
        Channel.STATE,
        {"athlete": "a1"},
        1_800_000_000_000.0,
        payloads.AthleteState(
            athlete="a1",
            name="Ada",
            session="session-1",
            exercise="romanian_deadlift",
            side="both",
            set=0,
            repetition=0,
            phase="unknown",
            target=payloads.Target(
                repetitions=8, sets=4, eccentric_s=5.0, bottom_s=0.0, concentric_s=None, top_s=0.0
            ),
            sensors=["s-pelvis", "s-left"],
        ),
    )
    assert asked.data == payloads.Prescription(
        athlete="a1",
        exercise="romanian_deadlift",
        side="both",
        repetitions=8,
        sets=4,
        eccentric_s=5.0,
        bottom_s=0.0,
        concentric_s=None,
        top_s=0.0,
    )
    assert (calibration.channel, calibration.data) == (Channel.CALIBRATION, None)


def test_the_state_of_an_endless_set_stays_within_what_a_broker_takes() -> None:
    sd = dict.fromkeys(RepetitionBrief.__struct_fields__[3:13], 0.123)
    events = [told(number, 7.0 * number, 0, sd=sd) for number in range(1, 402)]
    state = only(Channel.STATE, messages_of().tell(output(*events, live=live_state(3000.0, count=401))))
    assert isinstance(state.data, payloads.AthleteState)
    assert [brief.repetition for brief in state.data.repetitions] == list(range(402 - MOST_LISTED, 402))
    assert state.data.repetition == 401
    assert len(payloads.encode(state.data)) < 0.8 * LONGEST_PACKET


def test_where_nothing_was_asked_an_older_prescription_is_taken_back() -> None:
    state, asked, _ = messages_of(replace(CARD, prescription=None)).begin(0.0)
    assert (asked.channel, asked.data) == (Channel.PRESCRIPTION, None)
    assert isinstance(state.data, payloads.AthleteState)
    assert (state.data.exercise, state.data.side, state.data.target) == ("other", "both", None)


def test_beginning_after_a_log_was_read_tells_what_is_known_from_it() -> None:
    messages = messages_of()
    found = SegmentCalibration(Placement.PELVIS, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT, 6.0)
    messages.tell(output(CalibrationEvent(2 * S, found), told(1, 12.0, 0), live=live_state(12, count=1)))
    again = messages.begin(1_800_000_099_000.0)
    assert [message.channel for message in again] == [Channel.STATE, Channel.PRESCRIPTION]
    (state,) = on(Channel.STATE, again)
    assert (state.set, state.repetition, len(state.calibration)) == (1, 1, 1)
    assert again[0].sample_time_ms == 1_800_000_099_000.0


def test_live_messages_follow_each_other_and_carry_the_newest_state() -> None:
    messages = messages_of()
    lowering = live_state(0.5, Phase.ECCENTRIC, 2, eccentric_start_ns=400_000_000, depth_fraction=0.25)
    told_live = []
    for first in range(0, 60, 5):
        answer = PipelineOutput((angle_block(first, 5, float(first)),), (), lowering)
        told_live += [m for m in messages.tell(answer) if m.channel is Channel.LIVE]
    assert len(told_live) == 6
    assert told_live[0] == Outgoing(
        Channel.LIVE,
        {"athlete": "a1"},
        1_800_000_000_080.0,
        payloads.Live(
            t_ms=1_800_000_000_080.0,
            rate_hz=50.0,
            posture="standing",
            phase="eccentric",
            set=1,
            repetition=2,
            pelvic_tilt_deg=[0.0, 0.0, 0.0, 5.0, 5.0],
            pelvic_obliquity_deg=[0.0] * 5,
            pelvic_rotation_deg=[0.0] * 5,
            thigh_flexion_left_deg=[None, 1.0, 1.0, 1.0, 1.0],
            thigh_flexion_right_deg=None,
            hip_flexion_left_deg=[1.0, 1.0, 1.0, 6.0, 6.0],
            hip_flexion_right_deg=None,
            eccentric_start_ms=1_800_000_000_400.0,
            depth=0.25,
        ),
    )
    times = [message.sample_time_ms for message in told_live]
    assert [after - before for before, after in pairwise(times)] == [100.0] * 5


def test_the_count_of_a_lowering_is_told_live() -> None:
    count = LiveCount(3, 5, 0.55, 0.2987)
    lowering = live_state(2.4, Phase.ECCENTRIC, 2, eccentric_start_ns=0, depth_fraction=0.55)
    state = replace(lowering, count=count)
    (live,) = on(Channel.LIVE, messages_of().tell(PipelineOutput((angle_block(0, 10),), (), state)))
    assert (live.count, live.count_of, live.depth, live.early_s) == (3, 5, 0.55, 0.3)
    first = replace(state, count=LiveCount(1, 5, None, None))
    (live,) = on(Channel.LIVE, messages_of().tell(PipelineOutput((angle_block(0, 10),), (), first)))
    assert (live.count, live.early_s) == (1, None)


@pytest.mark.parametrize(
    ("fraction", "depth"), [(1.2, 1.0), (-0.1, 0.0), (math.nan, None), (None, None), (0.5, 0.5)]
)
def test_depth_is_a_share_or_nothing(fraction: float | None, depth: float | None) -> None:
    answer = PipelineOutput((angle_block(0, 10),), (), live_state(0.1, depth_fraction=fraction))
    (live,) = on(Channel.LIVE, messages_of().tell(answer))
    assert live.depth == depth


def test_angles_before_anything_is_decided_are_told_as_unknown() -> None:
    (message,) = messages_of().tell(PipelineOutput((angle_block(0, 10),)))
    assert isinstance(message.data, payloads.Live)
    assert (message.data.phase, message.data.posture, message.data.set) == ("unknown", "unknown", 0)


def test_all_revisions_of_a_repetition_carry_the_id_of_the_first() -> None:
    messages = messages_of()
    first = only(Channel.REPETITION, messages.tell(output(told(1, 12.5, 0), live=live_state(12.6, count=1))))
    later = only(
        Channel.REPETITION,
        messages.tell(output(told(1, 12.62, 1, final=True), live=live_state(13.6, count=1))),
    )
    assert first.event_id is not None
    assert first.event_id == later.event_id
    # RFC 9562: the first 48 bits are the milliseconds of the first revision's closing, 1 800 000 012 500.
    assert int(first.event_id.replace("-", "")[:12], 16) == 1_800_000_012_500
    assert (first.revision, later.revision) == (0, 1)
    assert (first.sample_time_ms, later.sample_time_ms) == (1_800_000_012_500.0, 1_800_000_012_620.0)
    assert isinstance(later.data, payloads.Repetition)
    assert (later.data.revision, later.data.final) == (1, True)


def test_repetitions_sets_and_athletes_have_ids_of_their_own() -> None:
    other = AthleteMessages(replace(CARD, athlete_id="a2"), to_utc_ns)
    events = output(told(1, 12.0, 0), told(2, 12.0, 0), SetEvent(summary(), 0), live=live_state(12.0))
    ids = [m.event_id for messages in (messages_of(), other) for m in messages.tell(events) if m.event_id]
    assert len(ids) == 6
    assert len(set(ids)) == 6


def test_a_log_read_again_gives_the_same_messages() -> None:
    outputs = [
        PipelineOutput((angle_block(0, 10),), (), live_state(0.1)),
        output(told(1, 12.5, 0), live=live_state(12.6, count=1)),
        output(RepetitionWithdrawn(1, 1, "too small"), told(1, 20.0, 0), live=live_state(20.1, count=1)),
        output(told(1, 20.1, 1), SetEvent(summary(), 0), live=live_state(21.0, count=1)),
    ]
    once, again = messages_of(), messages_of()
    assert [once.tell(o) for o in outputs] == [again.tell(o) for o in outputs]


def test_a_withdrawn_repetition_outranks_what_was_told_of_it() -> None:
    messages = messages_of()
    messages.tell(output(told(1, 12.5, 0), live=live_state(12.6, count=1)))
    kept = only(Channel.REPETITION, messages.tell(output(told(1, 12.5, 1), live=live_state(13.6, count=1))))
    answer = messages.tell(output(RepetitionWithdrawn(1, 1, "it was none"), live=live_state(20.0)))
    withdrawn = only(Channel.REPETITION, answer)
    assert isinstance(withdrawn.data, payloads.Repetition)
    assert (withdrawn.event_id, withdrawn.revision) == (kept.event_id, 2)
    assert (withdrawn.data.status, withdrawn.data.revision, withdrawn.data.final) == ("withdrawn", 2, True)
    assert withdrawn.data.warnings == ["it was none"]
    assert withdrawn.sample_time_ms == 1_800_000_012_500.0
    (state,) = on(Channel.STATE, answer)
    assert (state.repetition, state.last_repetition, state.repetitions) == (0, None, [])
    assert on(Channel.REPETITION, messages.tell(output(RepetitionWithdrawn(1, 1, "again")))) == []


def test_the_repetition_that_gets_a_withdrawn_number_outranks_the_withdrawal() -> None:
    messages = messages_of()
    answers = [
        messages.tell(output(event, live=live_state(30.0)))
        for event in (
            told(1, 12.5, 0),
            RepetitionWithdrawn(1, 1, "it was none"),
            told(1, 19.0, 0),
            told(1, 19.0, 1),
            told(1, 19.0, 2, final=True),
        )
    ]
    sent = [only(Channel.REPETITION, answer) for answer in answers]
    assert [message.revision for message in sent] == [0, 1, 2, 3, 4]
    assert len({message.event_id for message in sent}) == 1
    statuses = [message.data.status for message in sent if isinstance(message.data, payloads.Repetition)]
    assert statuses == ["confirmed", "withdrawn", "confirmed", "confirmed", "confirmed"]
    (state,) = on(Channel.STATE, answers[-1])
    assert [(brief.repetition, brief.revision) for brief in state.repetitions] == [(1, 4)]


def test_taking_back_what_was_never_told_says_nothing() -> None:
    answer = messages_of().tell(output(RepetitionWithdrawn(1, 1, "it was none"), live=live_state(1.0)))
    assert [message.channel for message in answer] == [Channel.STATE]


def test_the_state_is_told_when_phase_count_or_set_change_and_only_then() -> None:
    messages = messages_of()
    steps = [
        (live_state(1.0), 1),
        (live_state(1.1), 0),
        (live_state(1.2, depth_fraction=0.5), 0),
        (live_state(1.3, Phase.ECCENTRIC), 1),
        (live_state(1.4, Phase.ECCENTRIC, count=1), 1),
        (live_state(1.5, Phase.ECCENTRIC, count=0, set_number=2), 1),
        (None, 0),
    ]
    for live, expected in steps:
        assert len(on(Channel.STATE, messages.tell(output(live=live)))) == expected


def test_the_state_holds_the_whole_picture() -> None:
    messages = messages_of()
    found = SegmentCalibration(Placement.PELVIS, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT, 6.0)
    messages.tell(output(CalibrationEvent(2 * S, found), live=live_state(2.0)))
    messages.tell(output(told(1, 10.0, 0), live=live_state(10.0, count=1)))
    answer = messages.tell(output(told(2, 18.0, 0), live=live_state(18.1, Phase.TOP, count=2)))
    state = only(Channel.STATE, answer)
    assert state.sample_time_ms == 1_800_000_018_100.0
    assert isinstance(state.data, payloads.AthleteState)
    assert (state.data.set, state.data.repetition, state.data.phase) == (1, 2, "top")
    assert state.data.last_repetition == on(Channel.REPETITION, answer)[0]
    assert [brief.repetition for brief in state.data.repetitions] == [1, 2]
    assert state.data.calibration == [
        payloads.SegmentCalibration(placement="pelvis", method="mount", quality_deg=6.0)
    ]


def test_a_slip_is_told_with_the_repetition_before_it() -> None:
    messages = messages_of()
    slipped = SegmentCalibration(
        Placement.THIGH_LEFT,
        (1.0, 0.0, 0.0, 0.0),
        CalibrationMethod.MOUNT,
        6.0,
        ("it slipped",),
        slip_deg=14.4,
    )
    (seat,) = on(
        Channel.CALIBRATION,
        messages.tell(output(CalibrationEvent(40 * S, slipped), live=live_state(40, count=8))),
    )[0].calibration
    assert seat.slip == payloads.Slip(angle_deg=14.4, set=1, repetition=6)
    assert seat.warnings == ["it slipped"]

    # Told anew of the same one later, it is still where it was; in a new set it was before its first.
    later = output(CalibrationEvent(90 * S, slipped), live=live_state(90, count=3, set_number=2))
    assert only(Channel.STATE, messages.tell(later)).data.calibration[0].slip == seat.slip
    further = replace(slipped, slip_deg=22.0)
    answer = messages.tell(
        output(CalibrationEvent(99 * S, further), live=live_state(99, count=1, set_number=2))
    )
    assert on(Channel.CALIBRATION, answer)[0].calibration[0].slip == payloads.Slip(
        angle_deg=22.0, set=2, repetition=0
    )


def test_after_a_set_the_state_shows_an_empty_set_and_the_last_repetition() -> None:
    messages = messages_of()
    messages.tell(output(told(1, 10.0, 0), live=live_state(10.0, count=1)))
    answer = messages.tell(
        output(SetEvent(summary(), 1), live=live_state(20.0, Phase.REST, count=0, set_number=2))
    )
    set_message = only(Channel.SET, answer)
    assert set_message.sample_time_ms == 1_800_000_020_000.0
    assert set_message.revision == 1
    (state,) = on(Channel.STATE, answer)
    assert (state.set, state.repetitions, state.phase) == (2, [], "rest")
    assert (state.last_repetition.set, state.last_repetition.repetition) == (1, 1)
    assert (state.exercise, state.side) == ("deadlift", "left")


def test_all_revisions_of_a_set_carry_the_id_of_the_first() -> None:
    messages = messages_of()
    first = only(Channel.SET, messages.tell(output(SetEvent(summary(is_final=False), 0))))
    later_end = replace(summary(), end_ns=30 * S)
    last = only(Channel.SET, messages.tell(output(SetEvent(later_end, 4))))
    following = only(Channel.SET, messages.tell(output(SetEvent(summary(2), 0))))
    assert first.event_id == last.event_id
    assert (first.revision, last.revision) == (0, 4)
    assert last.sample_time_ms == 1_800_000_030_000.0
    assert following.event_id != first.event_id


@pytest.mark.parametrize(
    ("reason", "depth_deg", "value", "kind", "text"),
    [
        (AbortReason.TOO_SHALLOW, 12.4, 12.4, "measured", "a movement of 12° was not counted: too shallow"),
        (AbortReason.TOO_SHORT, 40.0, 40.0, "measured", "a movement of 40° was not counted: too short"),
        (
            AbortReason.POSTURE_CHANGED,
            90.0,
            90.0,
            "measured",
            "a movement of 90° was not counted: the posture changed",
        ),
        (
            AbortReason.UNMEASURED,
            math.nan,
            None,
            "not_measurable",
            "a movement was not counted: data are missing",
        ),
    ],
)
def test_a_movement_broken_off_is_a_fault(
    reason: AbortReason, depth_deg: float, value: float | None, kind: payloads.Kind, text: str
) -> None:
    messages = messages_of()
    messages.tell(output(told(1, 10.0, 0)))
    aborted = Aborted(14 * S, 15 * S, 16 * S, depth_deg, reason)
    fault = only(Channel.FAULT, messages.tell(output(RepetitionAborted(1, aborted))))
    assert fault.sample_time_ms == 1_800_000_016_000.0
    assert fault.event_id is not None
    assert fault.data == payloads.FaultEvent(
        athlete="a1",
        code="repetition_aborted",
        t_ms=1_800_000_016_000.0,
        set=1,
        repetition=1,
        value=value,
        kind=kind,
        text=text,
    )


def test_every_reason_for_breaking_off_has_words() -> None:
    for reason in AbortReason:
        (fault,) = messages_of().tell(output(RepetitionAborted(1, Aborted(0, 1, 2, 20.0, reason))))
        assert isinstance(fault.data, payloads.FaultEvent)


def test_calibrations_add_up() -> None:
    messages = messages_of()
    pelvis = SegmentCalibration(Placement.PELVIS, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.VERTICAL, math.inf)
    thigh = replace(pelvis, placement=Placement.THIGH_LEFT, method=CalibrationMethod.MOUNT, quality_deg=5.0)
    better = replace(pelvis, method=CalibrationMethod.MOVEMENT, quality_deg=2.0)
    answers = [
        messages.tell(output(CalibrationEvent(time_s * S, found)))
        for time_s, found in ((1, pelvis), (2, thigh), (9, better))
    ]
    last = only(Channel.CALIBRATION, answers[-1])
    assert last.data == payloads.Calibration(
        athlete="a1",
        t_ms=1_800_000_009_000.0,
        calibration=[
            payloads.SegmentCalibration(placement="pelvis", method="movement", quality_deg=2.0),
            payloads.SegmentCalibration(placement="thigh_left", method="mount", quality_deg=5.0),
        ],
    )


@pytest.fixture(scope="module")
def deadlifts(tmp_path_factory: pytest.TempPathFactory) -> list[PipelineOutput]:
    """What the pipeline says of eight deadlifts."""
    simulation = simulate("romanian_deadlift", 1)
    path: Path = tmp_path_factory.mktemp("deadlifts") / "deadlifts.parquet"
    write_table(
        path, simulation.trace_columns, {METADATA_KEY: json.dumps(simulation.trace_metadata).encode()}
    )
    trace = read_trace(path)
    mounts = {placement: trace.mount(placement) for placement in trace.sensors}
    pipeline = MotionPipeline(AthleteSetup(mounts, ASKED))
    return [*map(pipeline.push, TraceStream(trace).blocks()), pipeline.flush()]


def test_what_the_pipeline_says_of_a_set_is_what_consumers_accept(deadlifts: list[PipelineOutput]) -> None:
    messages = messages_of()
    sent = [message for answer in deadlifts for message in messages.tell(answer)]
    for message in sent:
        assert message.data is not None
        body = payloads.encode(
            payloads.envelope(
                message.data,
                message_id=message.event_id or "01a31757-3ac0-7000-8000-000000000000",
                sample_time_ms=message.sample_time_ms,
                session="session-1",
                seq=0,
            )
        )
        assert payloads.decode(message.channel, body).data == message.data
    repetitions = [message for message in sent if message.channel is Channel.REPETITION]
    assert len({message.event_id for message in repetitions}) == 8
    last_revisions = {
        m.data.repetition: m.data for m in repetitions if isinstance(m.data, payloads.Repetition)
    }
    assert sorted(last_revisions) == list(range(1, 9))
    assert all(data.final for data in last_revisions.values())
    assert Counter(message.channel for message in sent)[Channel.SET] == len(
        {message.revision for message in sent if message.channel is Channel.SET}
    )


def test_the_live_messages_of_a_set_have_no_seam(deadlifts: list[PipelineOutput]) -> None:
    messages = messages_of()
    live = [data for answer in deadlifts for data in on(Channel.LIVE, messages.tell(answer))]
    assert len(live) > 140  # 77 s, read by the half second
    for before, after in pairwise(live):
        n = max(len(getattr(after, name) or []) for name in ("pelvic_tilt_deg", "hip_flexion_left_deg"))
        first_ms = after.t_ms - (n - 1) * 1000.0 / after.rate_hz
        assert first_ms - before.t_ms == pytest.approx(1000.0 / after.rate_hz, abs=0.01)
