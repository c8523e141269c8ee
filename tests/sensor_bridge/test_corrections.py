"""What is said anew when sets were measured again: matched by time, under the ids that were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.pipeline_output import PipelineOutput, RepetitionAborted, SetEvent
from analytics.repetitions import Aborted
from analytics.turning_points import AbortReason
from sensor_bridge.corrections import corrections, matched
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.remeasuring import Remeasured
from sensor_bridge.told_events import ToldEvents
from tests.sensor_bridge.test_messages import S, repetition, summary, to_utc_ns, told

if TYPE_CHECKING:
    from analytics.pipeline_output import PipelineEvent
    from sensor_bridge.outgoing import Outgoing


def a_set(number: int, *close_s: float, is_final: bool = True) -> list[PipelineEvent]:
    events: list[PipelineEvent] = [
        told(place, at, 0, final=True, set_number=number) for place, at in enumerate(close_s, 1)
    ]
    held = summary(number, repetitions=len(close_s), is_final=is_final)
    return [*events, SetEvent(type(held)(**_spanning(held, close_s)), 0)]


def _spanning(held: Any, close_s: tuple[float, ...]) -> dict[str, Any]:
    fields = {name: getattr(held, name) for name in held.__dataclass_fields__}
    return fields | {"start_ns": round((close_s[0] - 7) * S), "end_ns": round(close_s[-1] * S)}


def book(*events: PipelineEvent) -> ToldEvents:
    """Tell events as they came live."""
    written = ToldEvents("a1", "session-1", to_utc_ns)
    for event in events:
        written.tell(event, "deadlift")
    return written


def found(*events: PipelineEvent) -> Remeasured:
    analysis = Analysis()
    analysis.add(PipelineOutput(events=events))
    return Remeasured(analysis, to_utc_ns, {})


def said(messages: list[Outgoing], channel: Channel = Channel.REPETITION) -> list[tuple[int, int, int, str]]:
    """List (set, repetition, revision, status) of each message about a repetition."""
    return [
        (each.data.set, each.data.repetition, each.revision, each.data.status)
        for each in messages
        if each.channel is channel
    ]


def test_nothing_is_said_where_nothing_differs() -> None:
    events = a_set(1, 10.0, 20.0)
    assert corrections(book(*events), found(*events), 1) == []


def test_a_repetition_found_later_pushes_the_others_on_and_keeps_their_ids() -> None:
    written = book(*a_set(1, 10.0, 30.0))
    before = {place: each.event_id for place, each in written.repetitions.items()}
    messages = corrections(written, found(*a_set(1, 10.0, 20.0, 30.0)), 1)
    assert said(messages) == [(1, 3, 1, "confirmed"), (1, 2, 0, "confirmed")]  # the last first
    after = {place: each.event_id for place, each in written.repetitions.items()}
    assert (after[1, 1], after[1, 3]) == (before[1, 1], before[1, 2])
    assert after[1, 2] not in before.values()
    (of_set,) = [each for each in messages if each.channel is Channel.SET]
    assert (of_set.revision, of_set.data.repetitions) == (1, 3)


def test_what_was_none_is_withdrawn() -> None:
    movement = RepetitionAborted(1, Aborted(31 * S, 32 * S, 33 * S, 20.0, AbortReason.UNMEASURED))
    written = book(*a_set(1, 10.0, 20.0, 28.0), movement, *a_set(2, 60.0))
    messages = corrections(written, found(*a_set(1, 10.0, 20.0)), 2)
    assert sorted(said(messages)) == [(1, 3, 1, "withdrawn"), (2, 1, 1, "withdrawn")]
    taken_back: dict[Any, Any] = {
        each.channel: each.data for each in messages if getattr(each.data, "withdrawn", False)
    }
    assert set(taken_back) == {Channel.SET, Channel.FAULT}
    assert taken_back[Channel.SET].set == 2
    assert written.last_repetition().repetition == 2


def test_two_sets_that_a_hole_had_made_of_one_are_one_again() -> None:
    written = book(*a_set(1, 10.0, 20.0), *a_set(2, 50.0, 60.0))
    messages = corrections(written, found(*a_set(1, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)), 2)
    assert sorted(said(messages)) == [
        (1, 3, 0, "confirmed"),
        (1, 4, 0, "confirmed"),
        (1, 5, 1, "confirmed"),
        (1, 6, 1, "confirmed"),
    ]
    assert sum(each.channel is Channel.SET and each.data.withdrawn for each in messages) == 1
    # The next set of the pipeline is its third, and the second that people know of.
    (message,) = written.tell(told(1, 100.0, 0, set_number=3), "deadlift")
    assert (message.data.set, written.shift) == (2, -1)


def test_a_set_found_later_renumbers_what_was_told_meanwhile_of_the_next() -> None:
    written = book(*a_set(1, 10.0), told(1, 200.0, 0, set_number=2))
    name = written.repetitions[2, 1].event_id
    messages = corrections(written, found(*a_set(1, 10.0), *a_set(2, 100.0)), 1)
    assert (2, 1, 0, "confirmed") in said(messages)
    assert (3, 1, 1, "confirmed") in said(messages)
    assert written.repetitions[3, 1].event_id == name
    (message,) = written.tell(told(1, 200.0, 1, final=True, set_number=2), "deadlift")
    assert (message.event_id, message.revision, message.data.set) == (name, 2, 3)


def test_while_a_set_is_under_way_on_second_sight_nothing_is_corrected() -> None:
    written = book(*a_set(1, 10.0, 30.0))
    under_way = found(*a_set(1, 10.0, 20.0, 30.0, is_final=False))
    assert corrections(written, under_way, 1) == []
    assert sorted(written.repetitions) == [(1, 1), (1, 2)]


def test_a_second_correction_goes_on_from_the_first() -> None:
    written = book(*a_set(1, 10.0, 40.0))
    corrections(written, found(*a_set(1, 10.0, 20.0, 40.0)), 1)
    whole = found(*a_set(1, 10.0, 20.0, 30.0, 40.0))
    assert said(corrections(written, whole, None)) == [(1, 4, 2, "confirmed"), (1, 3, 0, "confirmed")]
    assert corrections(written, whole, None) == []


def test_a_repetition_measured_otherwise_says_so_under_its_id() -> None:
    written = book(*a_set(1, 10.0))
    events = a_set(1, 10.0)
    other = repetition(1, 10.2, eccentric_s=5.1)
    events[0] = type(events[0])(other, 0, True, events[0].angles)
    (message,) = [
        each for each in corrections(written, found(*events), 1) if each.channel is Channel.REPETITION
    ]
    assert (message.revision, message.data.eccentric_s) == (1, 5.1)


SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)), max_size=8).map(
    lambda drawn: [(float(start), float(start + length)) for start, length in drawn]
)


@given(told_spans=SPANS, found_spans=SPANS)
@settings(derandomize=True, max_examples=100, deadline=None, database=None)
def test_spans_are_matched_one_to_one_and_only_where_they_overlap(told_spans: Any, found_spans: Any) -> None:
    pairs = matched(told_spans, found_spans)
    used = [place for place in pairs if place is not None]
    assert len(pairs) == len(found_spans)
    assert len(set(used)) == len(used)
    for (start, end), place in zip(found_spans, pairs, strict=True):
        if place is not None:
            assert min(end, told_spans[place][1]) > max(start, told_spans[place][0])


@given(spans=SPANS)
@settings(derandomize=True, max_examples=50, deadline=None, database=None)
def test_what_did_not_move_is_matched_with_itself(spans: Any) -> None:
    apart = [(10.0 * place, 10.0 * place + 1.0 + end - start) for place, (start, end) in enumerate(spans)]
    apart = [(start, min(end, start + 9.0)) for start, end in apart]
    assert matched(apart, apart) == list(range(len(apart)))
