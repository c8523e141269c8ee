from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor_bridge.mqtt.event_ids import event_id, message_id

REPETITION = {"session": "s1", "athlete": "a1", "kind": "rep", "set_number": 1, "repetition": 2}


def test_an_event_has_the_same_id_in_every_run_and_release() -> None:
    assert event_id(1_700_000_000_000.4, **REPETITION) == "018bcfe5-6800-70ef-9767-b8b58882af76"


def test_all_that_identifies_an_event_changes_its_id() -> None:
    others = [
        event_id(1_700_000_000_001.0, **REPETITION),
        *(
            event_id(1_700_000_000_000.0, **{**REPETITION, **change})
            for change in (
                {"session": "s2"},
                {"athlete": "a2"},
                {"kind": "fault"},
                {"set_number": 2},
                {"repetition": 3},
                {"repetition": None},
            )
        ),
    ]
    assert len({event_id(1_700_000_000_000.0, **REPETITION), *others}) == 8


def test_neighbouring_parts_of_the_key_do_not_run_together() -> None:
    one = event_id(0.0, session="ab", athlete="c", kind="rep", set_number=1)
    other = event_id(0.0, session="a", athlete="bc", kind="rep", set_number=1)
    assert one != other


@given(st.floats(0, 2**47), st.integers(0, 99), st.none() | st.integers(1, 99))
def test_ids_are_uuids_of_version_7_with_the_sample_time(
    time_ms: float, number: int, rep: int | None
) -> None:
    made = UUID(event_id(time_ms, session="s", athlete="a", kind="rep", set_number=number, repetition=rep))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == round(time_ms)


def test_ids_sort_by_time() -> None:
    early, late = (event_id(t, **REPETITION) for t in (1_700_000_000_000.0, 1_700_000_000_500.0))
    assert early < late


@pytest.mark.parametrize("change", [{"topic": "y"}, {"seq": 2}, {"session": "s2"}])
def test_messages_that_are_no_events_differ_too(change: dict[str, object]) -> None:
    first = {"session": "s1", "topic": "x", "seq": 1}
    assert message_id(5.0, **first) != message_id(5.0, **{**first, **change})
    assert message_id(5.0, **first) == message_id(5.0, **first)
