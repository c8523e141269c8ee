"""Whatever is said against the count, and whatever is measured again: the book and its readers agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor_bridge.corrections import corrections
from sensor_bridge.disputes import Disputes
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.told_events import ToldEvents
from tests.sensor_bridge.test_corrections import a_set, book, found, said
from tests.sensor_bridge.test_messages import S, repetition, to_utc_ns

if TYPE_CHECKING:
    from sensor_bridge.outgoing import Outgoing


class Reader:
    """A consumer who keeps the highest revision of each event."""

    def __init__(self) -> None:
        self.kept: dict[str, Outgoing] = {}

    def read(self, messages: list[Outgoing]) -> None:
        for message in messages:
            assert message.event_id is not None
            known = self.kept.get(message.event_id)
            assert known is None or message.revision > known.revision
            self.kept[message.event_id] = message

    def agrees_with(self, written: ToldEvents) -> None:
        standing: dict[int, list[tuple[int, float]]] = {}
        for message in self.kept.values():
            if message.channel is Channel.REPETITION and message.data.status != "withdrawn":
                place = message.data.repetition, message.sample_time_ms
                standing.setdefault(message.data.set, []).append(place)
        for number, places in standing.items():
            in_time = sorted(places, key=lambda place: place[1])
            assert [number for number, _ in in_time] == list(range(1, len(places) + 1))
            assert len(written.standing(number)) == len(places)
        sets = [m.data for m in self.kept.values() if m.channel is Channel.SET and not m.data.withdrawn]
        assert {each.set: each.repetitions for each in sets} == {
            number: len(places) for number, places in standing.items()
        }


REPETITIONS = st.lists(st.booleans(), min_size=1, max_size=5)  # whether each was seen live
DOUBTS = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=6)


@given(sets=st.lists(REPETITIONS, min_size=1, max_size=3), doubts=DOUBTS, late=DOUBTS)
@settings(derandomize=True, max_examples=150, deadline=None, database=None)
def test_readers_end_with_what_stands(sets: Any, doubts: Any, late: Any) -> None:
    done = [
        [1000.0 * number + 10.0 * place for place in range(len(seen))] for number, seen in enumerate(sets, 1)
    ]
    live = [
        [at for at, is_seen in zip(times, seen, strict=True) if is_seen]
        for times, seen in zip(done, sets, strict=True)
    ]
    told = [each for number, times in enumerate(filter(None, live), 1) for each in a_set(number, *times)]
    written, reader = ToldEvents("a1", "session-1", to_utc_ns), Reader()
    for event in told:
        reader.read(written.tell(event, "deadlift"))
    disputed: set[str] = set()
    doubt(written, reader, disputed, doubts)
    reader.agrees_with(written)
    whole = [each for number, times in enumerate(done, 1) for each in a_set(number, *times)]
    reader.read(corrections(written, found(*whole), None))
    reader.agrees_with(written)
    doubt(written, reader, disputed, late)
    reader.read(corrections(written, found(*whole), None))
    reader.agrees_with(written)
    standing = {told.event_id for number in written.numbers() for told in written.standing(number)}
    assert len(standing) == sum(map(len, done)) - len(disputed)
    assert not standing & disputed


def doubt(written: ToldEvents, reader: Reader, disputed: set[str], doubts: Any) -> None:
    """Dispute standing repetitions, and let disputed ones stand again, by their places."""
    disputes = Disputes(written)
    for is_against, place in doubts:
        events = list(written.repetitions.values())
        if not events:
            return
        told = events[place % len(events)]
        if is_against and not told.is_withdrawn:
            reader.read(disputes.dispute(told, "none"))
            disputed.add(told.event_id)
        elif not is_against and told.is_disputed:
            reader.read(disputes.restore(told))
            disputed.remove(told.event_id)


def test_a_missed_repetition_that_is_found_later_keeps_its_id() -> None:
    written = book(*a_set(1, 10.0, 30.0))
    added, messages = Disputes(written).add(repetition(1, 20.0), "deadlift", to_utc_ns)
    assert added is not None
    assert said(messages)[:2] == [(1, 3, 1, "confirmed"), (1, 2, 0, "confirmed")]  # the last first
    corrected = corrections(written, found(*a_set(1, 10.0, 20.0, 30.0)), None)
    assert [each.data.repetition for each in corrected if each.event_id == added.event_id] == [2]
    assert added.event_id == written.repetitions[1, 2].event_id
    assert written.added == []


def test_a_missed_repetition_stays_with_its_set_when_sets_move() -> None:
    written = book(*a_set(1, 10.0, 30.0))
    Disputes(written).add(repetition(1, 20.0), "deadlift", to_utc_ns)
    corrections(written, found(*a_set(1, -90.0), *a_set(2, 10.0, 30.0)), None)
    ((number, added),) = written.added
    assert (number, added.data.set, added.data.repetition) == (2, 2, 2)
    assert written.sets[2].data.repetitions == 3


def test_a_movement_far_from_any_set_is_none_of_it() -> None:
    written = book(*a_set(1, 10.0, 30.0))
    assert Disputes(written).add(repetition(1, 60.0), "deadlift", to_utc_ns) == (None, [])
    assert Disputes(written).add(repetition(1, 31.0), "deadlift", to_utc_ns) == (None, [])  # counted already
    near = repetition(1, 44.0, start_ns=37 * S)
    assert said(Disputes(written).add(near, "deadlift", to_utc_ns)[1])[0] == (1, 3, 0, "confirmed")
