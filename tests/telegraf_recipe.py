"""Reads messages by docs/telegraf.conf as Telegraf does: its MQTT input and its json_v2 parser.

Only what the recipe uses: plain paths and ``.#`` (the length of a list), fields and tags of one message.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sensor_bridge.mqtt.topics import matches

CONFIGURATION = Path(__file__).resolve().parent.parent / "docs" / "telegraf.conf"
INPUTS: list[dict[str, Any]] = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["inputs"][
    "mqtt_consumer"
]

_TYPES = {"int": int, "string": str}
_GO_TIME = "2006-01-02T15:04:05Z07:00"  # Go's way to write RFC 3339; it takes fractions of a second too


@dataclass(frozen=True)
class Point:
    """What is written into the database."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Any]
    time: datetime


def points(topic: str, body: bytes) -> list[Point]:
    """What the recipe makes of one message; nothing where no input listens to its topic."""
    listening = [one for one in INPUTS if any(matches(topic, wanted) for wanted in one["topics"])]
    return [_point(one, parser, topic, json.loads(body)) for one in listening for parser in one["json_v2"]]


def _point(listening: dict[str, Any], parser: dict[str, Any], topic: str, message: dict[str, Any]) -> Point:
    tags: dict[str, str] = {}
    for parsing in listening["topic_parsing"]:
        assert matches(topic, parsing["topic"])
        levels, names = topic.split("/"), parsing["tags"].split("/")
        assert len(levels) == len(names), "Telegraf drops what has another number of levels"
        tags |= {name: level for name, level in zip(names, levels, strict=True) if name != "_"}
    for tag in parser["tag"]:
        value = _at(message, tag["path"])
        assert isinstance(value, str), f"{tag['path']} is no text"
        tags[_name(tag)] = value
    fields: dict[str, Any] = {}
    for field in parser.get("field", ()):
        value = _at(message, field["path"])
        assert isinstance(value, _TYPES[field["type"]]), f"{field['path']} is {value!r}, no {field['type']}"
        fields[_name(field)] = value
    for described in parser["object"]:
        found = _at(message, described["path"])
        for key in described["included_keys"]:
            value = found.get(key)
            assert not isinstance(value, (list, dict)), f"{key} would become points of its own"
            if value is not None:  # Telegraf leaves out null and what is not there; numbers are floats
                fields[key] = value if isinstance(value, (bool, str)) else float(value)
    assert parser["timestamp_format"] == _GO_TIME
    time = datetime.fromisoformat(_at(message, parser["timestamp_path"]))
    return Point(parser["measurement_name"], tags, fields, time)


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("rename", entry["path"].rsplit(".", 1)[-1]))


def _at(message: Any, path: str) -> Any:
    assert re.fullmatch(r"\w+(\.\w+)*(\.#)?", path), f"{path} is more than this reader knows of GJSON"
    for part in path.split("."):
        if part == "#":
            return len(message)
        assert part in message, f"{path} is not there"
        message = message[part]
    return message
