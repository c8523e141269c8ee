from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from sensor_bridge.mqtt.command_payloads import COMMANDS, ArgumentError, Command, arguments_of
from sensor_bridge.mqtt.schemas import command_schema

EVENT = "018bcfe5-6800-70ef-9767-b8b58882af76"
GOOD: dict[str, dict[str, Any]] = {
    "start-set": {"athlete": "a1"},
    "end-set": {"athlete": "a1"},
    "prescribe": {
        "athlete": "a1",
        "exercise": "romanian_deadlift",
        "repetitions": 8,
        "sets": None,
        "side": "both",
        "tempo": "5-0-X-0",
        "load_kg": 20,
        "support": False,
    },
    "re-zero": {"athlete": "a1"},
    "identify": {"sensor": "pelvis-1"},
    "not-a-repetition": {"athlete": "a1", "event": EVENT, "text": "picked up the bar"},
    "missed-repetition": {"athlete": "a1", "at_ms": 1_700_000_000_000},
    "note": {"athlete": "a1", "text": "<b>tired</b>"},
    "undo": {"athlete": "a1", "request": "r-17"},
}


def command(arguments: dict[str, Any]) -> Command:
    return Command(request="r-18", reply_to="coach-7", arguments=arguments)


def message(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "v": 1,
        "id": EVENT,
        "ts": "2026-11-21T09:15:30.123Z",
        "session": "s",
        "seq": 0,
        "data": {"request": "r", "reply_to": "c", "arguments": arguments},
    }


def test_there_is_an_example_of_every_command() -> None:
    assert set(GOOD) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_arguments_are_read_as_their_schema_says(name: str) -> None:
    read = arguments_of(name, command(GOOD[name]))
    assert msgspec.structs.asdict(read).items() >= GOOD[name].items()
    checker = jsonschema.Draft202012Validator(command_schema(name))
    checker.check_schema(checker.schema)
    checker.validate(message(name, GOOD[name]))
    assert not checker.is_valid(message(name, {}))
    assert not checker.is_valid(message(name, {**GOOD[name], "more": 1}))


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("start-set", {}, "start-set: Object missing required field `athlete`"),
        ("start-set", {"athlete": "../b"}, "start-set: Expected `str` matching regex"),
        ("start-set", {"athlete": "a1", "force": True}, "start-set: Object contains unknown field `force`"),
        ("start-set", {"athlete": 7}, r"start-set: Expected `str`, got `int` - at `\$.athlete`"),
        ("prescribe", {"athlete": "a1", "repetitions": 0}, "prescribe: Expected `int` >= 1"),
        ("prescribe", {"athlete": "a1", "repetitions": 1e300}, "prescribe: Expected `int"),
        ("prescribe", {"athlete": "a1", "side": "top"}, "prescribe: Invalid enum value 'top'"),
        ("prescribe", {"athlete": "a1", "load_kg": float("nan")}, "prescribe: .*load_kg"),
        ("missed-repetition", {"athlete": "a1", "at_ms": float("inf")}, "missed-repetition: .*at_ms"),
        ("not-a-repetition", {"athlete": "a1", "event": "1"}, "not-a-repetition: .*event"),
        ("note", {"athlete": "a1", "text": "x" * 501}, "note: .*length <= 500"),
        ("reboot", {}, "there is no command reboot: the bridge knows start-set, end-set"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(name: str, arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint) as refusal:
        arguments_of(name, command(arguments))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 250
