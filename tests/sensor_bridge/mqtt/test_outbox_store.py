from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.errors import UserInputError
from sensor_bridge.mqtt.outbox_store import EventState, OutboxStore, OutgoingEvent, StoreFull

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
    store.mark_delivered([1])
    store.mark_dead(2, "Not authorized")
    assert store.insert([event(1), event(2), event(3, body=b"other")]) == 0
    assert [stored.event for stored in store.pending(10)] == [event(3)]


def test_a_revision_is_an_event_of_its_own(store: OutboxStore) -> None:
    assert store.insert([event(1), event(1, revision=1)]) == 2


def test_everything_is_still_there_after_reopening(path: Path) -> None:
    first = OutboxStore(path, max_bytes=MEGABYTE)
    first.insert([event(1), event(2), event(3)])
    first.mark_delivered([1])
    first.mark_dead(2, "Not authorized")
    first.close()
    second = OutboxStore(path, max_bytes=MEGABYTE)
    assert [stored.event for stored in second.pending(10)] == [event(3)]
    assert [(letter.event, letter.reason) for letter in second.dead_letters()] == [
        (event(2), "Not authorized")
    ]
    assert {state: second.count(state) for state in EventState} == dict.fromkeys(EventState, 1)
    second.close()


def test_writes_survive_a_power_cut(store: OutboxStore) -> None:
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_dead_letters_come_alive_again_in_their_place(store: OutboxStore) -> None:
    store.insert([event(1), event(2)])
    store.mark_dead(1, "Not authorized")
    assert store.revive() == 1
    assert [stored.event for stored in store.pending(10)] == [event(1), event(2)]
    assert store.dead_letters() == []


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (1, 1), (4, 4), (5, 4)])
def test_pruning_forgets_only_the_oldest_delivered(store: OutboxStore, keep: int, left: int) -> None:
    store.insert([event(n) for n in range(1, 7)])
    store.mark_delivered([1, 2, 4, 5])
    store.mark_dead(3, "Not authorized")
    store.prune(keep=keep)
    assert store.count(EventState.DELIVERED) == left
    assert store.count(EventState.PENDING) == 1
    assert store.count(EventState.DEAD) == 1


def test_a_full_store_says_so_and_keeps_what_it_has(path: Path) -> None:
    store = OutboxStore(path, max_bytes=100_000)
    store.insert([event(1)])
    with pytest.raises(StoreFull, match="the outbox cannot be written: database or disk is full"):
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
    database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(UserInputError, match="format 2 is not 1"):
        OutboxStore(path, max_bytes=MEGABYTE)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"nowhere/outbox.sqlite cannot be opened .* check its folder"):
        OutboxStore(tmp_path / "nowhere" / "outbox.sqlite", max_bytes=MEGABYTE)
