from __future__ import annotations

from sensor_bridge.mqtt.outbox_store import OutgoingEvent
from sensor_bridge.mqtt.unsaved_events import UnsavedEvents


def event(name: str, kind: str = "rep", revision: int = 0) -> OutgoingEvent:
    return OutgoingEvent(name, revision, f"hipline/v1/gym-1/athlete/a1/{kind}", b"{}")


def names(events: UnsavedEvents) -> list[tuple[str, int]]:
    return [(one.event_id, one.revision) for one in events]


def test_events_keep_their_order_and_come_in_once() -> None:
    waiting = UnsavedEvents(10)
    waiting.add([event("b"), event("a")], 1)
    waiting.add([event("b"), event("c")], 2)
    assert names(waiting) == [("b", 0), ("a", 0), ("c", 0)]
    waiting.discard([event("b"), event("unknown")])
    assert names(waiting) == [("a", 0), ("c", 0)]
    assert waiting.n_lost == 0


def test_overtaken_revisions_give_way_first_and_are_no_loss() -> None:
    waiting = UnsavedEvents(3)
    waiting.add([event("a"), event("b", "fault"), event("a", revision=1), event("a", revision=2)], 1)
    assert names(waiting) == [("b", 0), ("a", 2)]
    assert waiting.n_lost == 0
    assert waiting.losses == []


def test_a_repetition_is_the_last_to_give_way() -> None:
    waiting = UnsavedEvents(3)
    waiting.add([event("r1"), event("s1", "set"), event("f1", "fault"), event("n1", "note")], 1)
    assert names(waiting) == [("r1", 0), ("s1", 0), ("n1", 0)]
    waiting.add([event("r2")], 2)
    assert names(waiting) == [("r1", 0), ("n1", 0), ("r2", 0)]
    waiting.add([event("r3")], 3)
    assert names(waiting) == [("n1", 0), ("r2", 0), ("r3", 0)]
    assert [(loss.event_id, loss.at_ms) for loss in waiting.losses] == [("f1", 1), ("s1", 2), ("r1", 3)]
    assert waiting.n_lost == 3
