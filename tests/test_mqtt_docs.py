"""The MQTT page says what the code does: topics, fields, types, units, examples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from analytics.exercises import Exercise
from analytics.form import FaultCode
from sensor_bridge.mqtt import payloads, topics
from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.examples import with_examples
from sensor_bridge.mqtt.message_properties import properties_of
from sensor_bridge.mqtt.schemas import command_schema, schema
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.mqtt.users import gym_users, user_names

if TYPE_CHECKING:
    from enum import StrEnum

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "mqtt.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"^`(hipline/v1/\S+)`\n```json\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)

UNITS = {
    "_ms": "ms",
    "_s": "s",
    "_deg": "°",
    "_hz": "Hz",
    "_percent": "%",
    "_dbm": "dBm",
}


def rows(markdown: str) -> list[list[str]]:
    """Read the cells of all tables in a text, without their headings."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set("".join(row)) <= set("- :")][1:]


def structs() -> dict[str, dict[str, Any]]:
    """Collect the schema of every model that is on the wire, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for channel in Channel:
        found |= schema(channel)["$defs"]
    return found


def type_of(described: dict[str, Any]) -> str:
    """Write the type of a field as the page does."""
    if "anyOf" in described:
        return " or ".join(type_of(one) for one in described["anyOf"])
    if "$ref" in described:
        return f"[{described['$ref'].rsplit('/', 1)[1]}](#{described['$ref'].rsplit('/', 1)[1].lower()})"
    if "enum" in described:
        return " ".join(f"`{word}`" for word in described["enum"])
    if described["type"] == "array":
        inner = type_of(described["items"])
        return f"list of ({inner})" if " or " in inner else f"list of {inner}"
    if described["type"] == "object":
        inner = described.get("additionalProperties", {})
        return f"object of ({type_of(inner)})" if " or " in type_of(inner) else f"object of {type_of(inner)}"
    return str(described["type"])


def unit_of(field: str) -> str:
    """Read the unit off a field's name."""
    return next((unit for suffix, unit in UNITS.items() if field.endswith(suffix)), "")


def documented_fields(name: str) -> dict[str, tuple[str, str]]:
    return {field.strip("`"): (type_, unit) for field, type_, unit, _ in rows(SECTIONS[name])}


@pytest.mark.parametrize("name", sorted(structs()))
def test_every_field_is_documented_with_its_type_and_unit(name: str) -> None:
    fields = structs()[name]["properties"]
    expected = {field: (type_of(described), unit_of(field)) for field, described in fields.items()}
    if name == "Repetition":
        expected = {field: how for field, how in expected.items() if field not in payloads.MEASURES}
        measures = dict(documented_fields("Measures").items())
        assert measures == {name: ("number or null", unit_of(name)) for name in payloads.MEASURES}
    assert documented_fields(name) == expected


def test_no_model_is_documented_that_is_not_there() -> None:
    assert set(SECTIONS) == set(structs()) | {"Measures"}


def test_the_topic_table_is_how_messages_are_sent() -> None:
    table = rows(PAGE.split("## Topics")[1].split("\n## ")[0])
    told = {topic.strip("`"): (int(qos), retained, payload) for topic, qos, retained, payload, *_ in table}
    expected = {}
    for channel in Channel:
        how = topics.DELIVERY[channel]
        topic = re.sub(r"{(\w+)}", r"<\1>", channel.value)
        retained = "yes" if how.retain else "outbox" if how.is_event else "no"
        name = payloads.PAYLOADS[channel].__name__
        expected[topic] = (how.qos, retained, f"[{name}](#{name.lower()})")
    assert told == expected


def test_the_table_of_commands_is_what_the_bridge_takes() -> None:
    told: dict[str, dict[str, tuple[str, bool]]] = {}
    name = ""
    for command, argument, type_, need, _ in rows(PAGE.split("## Commands")[1].split("\n## ")[0]):
        name = command.strip("`") or name
        told.setdefault(name, {})[argument.strip("`")] = (type_, need == "required")
    expected = {}
    for command in COMMANDS:
        arguments = command_schema(command)["$defs"][COMMANDS[command].__name__]
        expected[command] = {
            field: (type_of(described), field in arguments["required"])
            for field, described in arguments["properties"].items()
        }
    assert told == expected


def test_there_is_an_example_of_every_channel() -> None:
    assert {topics.parse(topic).channel for topic, _ in EXAMPLES} == set(Channel)


def test_the_examples_are_those_of_the_asyncapi_document() -> None:
    assert with_examples(PAGE) == PAGE, "run python -m sensor_bridge.mqtt.examples docs/mqtt.md"
    with pytest.raises(LookupError, match="no further example of hipline/v1/gym-1/athlete/a1/live"):
        with_examples(PAGE * 2)


@pytest.mark.parametrize(("topic", "body"), EXAMPLES, ids=[topic for topic, _ in EXAMPLES])
def test_examples_are_valid_messages(topic: str, body: str) -> None:
    channel = topics.parse(topic).channel
    payloads.decode(channel, body)
    jsonschema.Draft202012Validator(schema(channel)).validate(json.loads(body))


def test_the_example_of_a_withdrawn_repetition_keeps_its_id() -> None:
    told = [json.loads(body) for topic, body in EXAMPLES if topics.parse(topic).channel is Channel.REPETITION]
    assert len(told) == 2
    first, withdrawn = told
    assert first["id"] == withdrawn["id"]
    assert (first["data"]["revision"], withdrawn["data"]["revision"]) == (0, 1)
    assert withdrawn["data"]["status"] == "withdrawn"


@pytest.mark.parametrize(("heading", "codes"), [("Exercise codes", Exercise), ("Fault codes", FaultCode)])
def test_the_codes_are_all_listed(heading: str, codes: type[StrEnum]) -> None:
    paragraph = re.search(rf"^{heading}.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert paragraph is not None
    assert {str(code) for code in codes} <= set(re.findall(r"`(\w+)`", paragraph[0]))


def test_the_envelope_table_is_the_envelope() -> None:
    table = rows(PAGE.split("## Envelope")[1].split("\n## ")[0])
    assert [row[0].strip("`") for row in table] == list(payloads.Envelope.__struct_fields__)


def test_the_table_of_mqtt_5_is_what_is_sent() -> None:
    section = PAGE.split("## MQTT 5")[1].split("\n## ")[0]
    expiring = {topic.strip("`"): value for name, topic, value in rows(section) if name == "message expiry"}
    assert expiring == {
        re.sub(r"{(\w+)}", r"<\1>", channel.value): f"{topics.DELIVERY[channel].expiry_s} s"
        for channel in Channel
        if topics.DELIVERY[channel].expiry_s is not None
    }
    told = properties_of(Topics("gym-1").live("a1"))
    assert f"`{told.content_type}`, 1 (UTF-8)" in section
    ((name, value),) = told.user
    assert f"user property `{name}`" in section
    assert value == schema(Channel.LIVE)["$id"] == "urn:hipline:v1:live"


def test_the_rules_for_mosquitto_are_those_of_the_embedded_broker() -> None:
    (rules,) = re.findall(r"^```\n(user bridge\n.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    told = {}
    for block in rules.split("\n\n"):
        user, *lines = block.strip().splitlines()
        granted = [line.removeprefix("topic ").split(" ", 1) for line in lines]
        told[user.removeprefix("user ")] = (
            {topic for how, topic in granted if how in {"write", "readwrite"}},
            {topic for how, topic in granted if how in {"read", "readwrite"}},
        )
    names = user_names(["a1"])
    users = gym_users(Topics("gym-1"), dict.fromkeys(names, ""), {"a1": ["pelvis-1"]})
    assert told == {user.name: (set(user.publish), set(user.read)) for user in users}
