from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.errors import UserInputError
from sensor_bridge.mqtt.outbox_store import EventState, GivenUp, OutboxStore, OutgoingEvent, StoreFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1_000_000


def event(number: int, revision: int = 0, body: bytes = b"{}") -> OutgoingEvent:
    return OutgoingEvent(f"id-{number}", revision, "hipline/v1/gym-1/athlete/a1/rep", body)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[OutboxStore]:
    opened = OutboxStore(path, max_bytes=MEGABYTE)
    yield opened
    opened.close()


def test_events_are_listed_in_order_of_arrival(store: OutboxStore) -> None:
    assert store.insert([event(2), event(1), event(3)]) == 3
    assert [stored.event for stored in store.pending(10)] == [event(2), event(1), event(3)]
    assert [stored.event for stored in store.pending(1)] == [event(2)]


def test_storing_an_event_again_does_nothing_whatever_became_of_it(store: OutboxStore) -> None:
    store.insert([event(1), event(2), event(3)])
    store.mark_delivered(1)
    store.mark_refused(2, "Not authorized")
    assert store.insert([event(1), event(2), event(3, body=b"other")]) == 0
    assert [stored.event for stored in store.pending(10)] == [event(3)]


def test_a_revision_is_an_event_of_its_own(store: OutboxStore) -> None:
    assert store.insert([event(1), event(1, revision=1)]) == 2


def test_everything_is_still_there_after_reopening(path: Path) -> None:
    first = OutboxStore(path, max_bytes=MEGABYTE)
    first.insert([event(1), event(2), event(3)])
    first.mark_delivered(1)
    first.mark_refused(2, "Not authorized")
    first.close()
    second = OutboxStore(path, max_bytes=MEGABYTE)
    assert [stored.event for stored in second.pending(10)] == [event(3)]
    assert [(letter.event, letter.reason) for letter in second.dead_letters()] == [
        (event(2), "Not authorized")
    ]
    assert [second.count(state) for state in EventState] == [1, 1, 1, 0]
    second.close()


def test_writes_survive_a_power_cut(store: OutboxStore) -> None:
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    store.insert([event(1)])
    store.mark_delivered(1)  # this one need not: the event would go out once more
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_dead_letters_come_alive_again_in_their_place(store: OutboxStore) -> None:
    store.insert([event(1), event(2)])
    store.mark_refused(1, "Not authorized")
    assert store.revive(EventState.REFUSED) == 1
    assert [stored.event for stored in store.pending(10)] == [event(1), event(2)]
    assert store.dead_letters() == []


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (1, 1), (4, 4), (5, 4)])
def test_pruning_forgets_only_the_oldest_delivered(store: OutboxStore, keep: int, left: int) -> None:
    store.insert([event(n) for n in range(1, 7)])
    for position in (1, 2, 4, 5):
        store.mark_delivered(position)
    store.mark_refused(3, "Not authorized")
    store.prune(keep=keep)
    assert store.count(EventState.DELIVERED) == left
    assert store.count(EventState.PENDING) == 1
    assert store.count(EventState.REFUSED) == 1


def test_a_full_store_says_so_and_keeps_what_it_has(path: Path) -> None:
    store = OutboxStore(path, max_bytes=100_000)
    store.insert([event(1)])
    with pytest.raises(StoreFull, match=r"the outbox is full: all of its 0\.1 MB wait"):
        store.insert([event(n, body=b"x" * 1000) for n in range(2, 200)])
    assert [stored.event for stored in store.pending(10)] == [event(1)]
    store.insert([event(2)])
    assert store.count(EventState.PENDING) == 2
    store.close()


def test_a_second_process_is_kept_out(path: Path, store: OutboxStore) -> None:
    store.insert([event(1)])
    with pytest.raises(
        UserInputError, match=r"outbox.sqlite cannot be used .*another hipline process uses it"
    ):
        OutboxStore(path, max_bytes=MEGABYTE)


def test_a_file_that_is_no_outbox_is_left_alone(path: Path) -> None:
    path.write_text("my diary" * 1000)
    with pytest.raises(UserInputError, match="move the file away"):
        OutboxStore(path, max_bytes=MEGABYTE)
    assert path.read_text() == "my diary" * 1000


def test_a_file_of_a_later_format_is_left_alone(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 3")
    database.close()
    with pytest.raises(UserInputError, match="format 3 is not 2"):
        OutboxStore(path, max_bytes=MEGABYTE)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"nowhere/outbox.sqlite cannot be opened .* check its folder"):
        OutboxStore(tmp_path / "nowhere" / "outbox.sqlite", max_bytes=MEGABYTE)


def test_an_outbox_of_the_first_format_goes_on(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE event (position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL,"
        " revision INTEGER NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,"
        " state INTEGER NOT NULL DEFAULT 0, reason TEXT, UNIQUE (event_id, revision));"
        "CREATE INDEX event_by_state ON event (state, position); PRAGMA user_version = 1;"
    )
    topic = event(1).topic
    rows = [("id-1", 0, topic, b"{}", 0, None), ("id-2", 0, topic, b"{}", 2, "Not authorized")]
    database.executemany(
        "INSERT INTO event (event_id, revision, topic, body, state, reason) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    database.commit()
    database.close()
    with OutboxStore(path) as store:
        store.date(1000)
        assert [stored.event for stored in store.pending(10)] == [event(1)]
        assert [letter.event for letter in store.dead_letters()] == [event(2)]
        assert [queue.oldest_ms for queue in store.queues()] == [1000]


def test_what_waits_too_long_is_put_aside_and_not_thrown_away(store: OutboxStore) -> None:
    store.insert([event(1)], since_ms=1000)
    store.insert([event(2)], since_ms=2000)
    store.insert([event(3)])  # nobody knows since when
    assert store.expire(2000, "no broker") == 1
    (letter,) = store.dead_letters()
    assert (letter.event, letter.state, letter.reason, letter.since_ms) == (
        event(1),
        EventState.EXPIRED,
        "no broker",
        1000,
    )
    assert store.revive(EventState.EXPIRED) == 1
    store.date(5000)
    assert store.expire(5000, "no broker") == 1  # only the second: the others wait from now on
    assert [stored.event for stored in store.pending(10)] == [event(1), event(3)]


def test_a_clock_set_back_does_not_let_events_wait_for_ever(store: OutboxStore) -> None:
    hour_ms = 3_600_000
    store.insert([event(1)], since_ms=10 * hour_ms)
    store.date(9 * hour_ms)
    assert store.queues()[0].oldest_ms == 9 * hour_ms


def test_overtaken_revisions_give_way_and_nothing_else_does(store: OutboxStore) -> None:
    store.insert([event(1), event(2), event(1, 1), event(1, 2), event(3, 1), event(3, 0)])
    store.mark_delivered(4)
    assert store.drop_superseded() == 2  # of event 1 what was delivered last does not count
    assert [(stored.event.event_id, stored.event.revision) for stored in store.pending(10)] == [
        ("id-2", 0),
        ("id-1", 1),
        ("id-3", 1),
    ]


def test_one_of_each_topic_is_tried_and_then_all_of_it(store: OutboxStore) -> None:
    def of(number: int, topic: str) -> OutgoingEvent:
        return OutgoingEvent(f"id-{number}", 0, topic, b"{}")

    store.insert([of(1, "t/rep"), of(2, "t/set"), of(3, "t/rep"), of(4, "t/rep")])
    for position in (1, 2, 3, 4):
        store.mark_refused(position, "Not authorized")
    assert store.revive_probes() == {1, 2}
    assert [stored.position for stored in store.pending(10)] == [1, 2]
    assert store.revive_topic("t/rep") == 2
    assert [stored.position for stored in store.pending(10)] == [1, 2, 3, 4]


def test_others_may_look_and_send_again_while_one_publishes(path: Path, store: OutboxStore) -> None:
    store.insert([event(1), event(2)], since_ms=1000)
    store.mark_refused(1, "Not authorized")
    before = store.changes_by_others()
    with OutboxStore(path, is_owner=False) as visitor:
        assert [letter.event for letter in visitor.dead_letters()] == [event(1)]
        assert [(queue.waiting, queue.oldest_ms) for queue in visitor.queues()] == [(1, 1000)]
        assert store.changes_by_others() == before
        visitor.revive(EventState.REFUSED)
    assert store.changes_by_others() != before
    assert store.count(EventState.PENDING) == 2


def test_what_there_was_no_room_for_stays_known_by_name(path: Path, store: OutboxStore) -> None:
    loss = GivenUp("id-1", 0, "t/rep", 1000)
    store.note_given_up([loss])
    with OutboxStore(path, is_owner=False) as visitor:
        assert visitor.given_up() == [loss]


def test_the_fill_is_told(path: Path) -> None:
    with OutboxStore(path, max_bytes=MEGABYTE) as store:
        assert store.fill() < 0.05
        store.insert([event(n, body=b"x" * 10_000) for n in range(50)])
        assert 0.5 < store.fill() < 0.7
        for position in range(1, 51):
            store.mark_delivered(position)
        assert store.fill() < 0.2
