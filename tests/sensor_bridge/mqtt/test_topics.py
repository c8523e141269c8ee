from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sensor_bridge.mqtt import topics
from sensor_bridge.mqtt.topics import Channel, Topics

BUILT = {
    "service_status": (lambda t: t.service_status("bridge"), "hipline/v1/gym-1/svc/bridge/status"),
    "command": (lambda t: t.command("bridge", "identify"), "hipline/v1/gym-1/svc/bridge/cmd/identify"),
    "response": (lambda t: t.response("bridge", "coach-7"), "hipline/v1/gym-1/svc/bridge/rsp/coach-7"),
    "sensor_status": (lambda t: t.sensor_status("s1"), "hipline/v1/gym-1/sensor/s1/status"),
    "live": (lambda t: t.live("a1"), "hipline/v1/gym-1/athlete/a1/live"),
    "repetition": (lambda t: t.repetition("a1"), "hipline/v1/gym-1/athlete/a1/rep"),
    "set": (lambda t: t.set("a1"), "hipline/v1/gym-1/athlete/a1/set"),
    "fault": (lambda t: t.fault("a1"), "hipline/v1/gym-1/athlete/a1/fault"),
    "note": (lambda t: t.note("a1"), "hipline/v1/gym-1/athlete/a1/note"),
    "state": (lambda t: t.state("a1"), "hipline/v1/gym-1/athlete/a1/state"),
    "prescription": (lambda t: t.prescription("a1"), "hipline/v1/gym-1/athlete/a1/prescription"),
    "calibration": (lambda t: t.calibration("a1"), "hipline/v1/gym-1/athlete/a1/calibration"),
}


@pytest.mark.parametrize("name", BUILT)
def test_topics_are_built_and_read_back(name: str) -> None:
    build, expected = BUILT[name]
    assert build(Topics("gym-1")) == expected
    address = topics.parse(expected)
    assert address.gym == "gym-1"
    assert address.channel.name.lower() == name
    assert Topics(address.gym).topic(address.channel, **address.ids) == expected


def test_every_channel_is_built_by_name_and_has_a_way_of_delivery() -> None:
    assert {name.upper() for name in BUILT} == set(Channel.__members__)
    assert set(topics.DELIVERY) == set(Channel)


def test_only_live_is_sent_without_acknowledgement_and_only_pictures_are_retained() -> None:
    assert {c for c, d in topics.DELIVERY.items() if d.qos == 0} == {Channel.LIVE}
    assert {c for c, d in topics.DELIVERY.items() if d.is_event} == {
        Channel.REPETITION,
        Channel.SET,
        Channel.FAULT,
        Channel.NOTE,
    }
    assert not any(d.retain for d in topics.DELIVERY.values() if d.is_event)


def test_filters_for_subscribers() -> None:
    assert Topics("gym-1").every(Channel.LIVE) == "hipline/v1/gym-1/athlete/+/live"
    assert Topics("gym-1").every(Channel.COMMAND) == "hipline/v1/gym-1/svc/+/cmd/+"
    assert Topics("gym-1").everything == "hipline/v1/gym-1/#"


@pytest.mark.parametrize("bad", ["", "Ada", "a b", "a/b", "a+", "#", "a.b", "-a", "ä", "a\n", "a" * 64])
def test_identifiers_that_may_not_stand_in_a_topic(bad: str) -> None:
    assert not topics.is_valid_id(bad)
    with pytest.raises(ValueError, match=r"athlete .* may hold only a-z, 0-9 and '-'"):
        Topics("gym-1").live(bad)
    with pytest.raises(ValueError, match=r"gym .* may hold only"):
        Topics(bad)


def test_a_missing_identifier_is_named() -> None:
    with pytest.raises(ValueError, match=r"LIVE needs the identifiers \['athlete'\], got \[\]"):
        Topics("gym-1").topic(Channel.LIVE)


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "hipline/v1/gym-1",
        "hipline/v2/gym-1/athlete/a1/live",
        "hipline/v1/gym-1/athlete/a1/live/x",
        "hipline/v1/gym-1/athlete/A1/live",
        "hipline/v1/gym-1/athlete/+/live",
        "$SYS/broker/uptime",
    ],
)
def test_foreign_topics_are_refused(foreign: str) -> None:
    with pytest.raises(topics.UnknownTopic):
        topics.parse(foreign)


@pytest.mark.parametrize(
    ("topic", "topic_filter", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/+", True),
        ("a/b", "+/+", True),
        ("a/b", "#", True),
        ("a/b", "a/#", True),
        ("a", "a/#", True),
        ("a/b/c", "a/#", True),
        ("a/b", "a/b/+", False),
        ("a/b", "+", False),
        ("a/b", "a/b#", False),
        ("a/b", "#/b", False),
        ("a/", "a/+", True),
        ("/a", "+/a", True),
        ("$SYS/x", "#", False),
        ("$SYS/x", "+/x", False),
        ("$SYS/x", "$SYS/#", True),
        ("a/+", "a/+", False),
        ("a/#", "#", False),
        ("", "#", False),
    ],
)
def test_matching_table_of_mqtt_3_1_1_section_4_7(topic: str, topic_filter: str, expected: bool) -> None:
    assert topics.matches(topic, topic_filter) is expected


@pytest.mark.parametrize(
    ("granted", "requested", "expected"),
    [
        ("gym/+", "gym/#", False),
        ("gym/+", "gym/+", True),
        ("gym/#", "gym/+/live", True),
        ("gym/#", "gym/#", True),
        ("gym/#", "gym", True),
        ("gym/#", "#", False),
        ("gym/#", "+/x", False),
        ("gym/a", "gym/+", False),
        ("gym/+/x", "gym/#", False),
        ("gym/+/#", "gym/#", False),
        ("gym/#", "gym/+x", False),
        ("#", "$SYS/#", False),
        ("#", "#", True),
    ],
)
def test_a_subscription_must_be_covered_by_what_was_granted(
    granted: str, requested: str, expected: bool
) -> None:
    assert topics.covers(granted, requested) is expected


LEVELS = ["", "a", "b"]
SMALL_TOPICS = [
    "/".join(levels) for n in (1, 2, 3, 4) for levels in itertools.product(["", "a", "b", "c"], repeat=n)
]
FILTERS = st.builds(
    lambda levels, tail: "/".join([*levels, *tail]),
    st.lists(st.sampled_from([*LEVELS, "+"]), max_size=3),
    st.sampled_from([[], ["#"]]),
).filter(bool)


def reference_match(topic: str, topic_filter: str) -> bool:
    """Section 4.7 read as a regular expression, apart from the code under test."""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*")
    pattern = ".*" if pattern == r"\#" else re.sub(r"/\\#$", "(/.*)?", pattern)
    return re.fullmatch(pattern, topic) is not None


@given(st.sampled_from([t for t in SMALL_TOPICS if t]), FILTERS)
def test_matching_agrees_with_the_standard(topic: str, topic_filter: str) -> None:
    assert topics.matches(topic, topic_filter) is reference_match(topic, topic_filter)


@given(FILTERS, FILTERS)
def test_a_filter_covers_another_exactly_when_it_matches_all_of_its_topics(
    granted: str, requested: str
) -> None:
    # "+/#" and "#" match the same topics; refusing to see that errs on the safe side.
    assume((granted, requested) != ("+/#", "#"))
    wanted = [topic for topic in SMALL_TOPICS if reference_match(topic, requested)]
    assert topics.covers(granted, requested) is all(reference_match(topic, granted) for topic in wanted)


@given(st.text(max_size=20))
def test_no_text_makes_matching_fail(text: str) -> None:
    assert topics.covers("#", text) in {True, False}
    assert topics.is_valid_id(text) is bool(re.fullmatch("[a-z0-9][a-z0-9-]*", text))
