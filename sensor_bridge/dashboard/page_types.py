"""Write the page's view of payloads and answers: TypeScript types, and the JSON Schema it checks them with.

Run ``python -m sensor_bridge.dashboard.page_types`` after a change of `sensor_bridge.mqtt.payloads` or of
`sensor_bridge.archive.answers`; a test compares the files with what this module would write.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from sensor_bridge.archive.answers import AthleteEntry, Progress, SessionDetail, SessionEntry
from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.payloads import PAYLOADS
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.report.set_pictures import SetPicture

_SHOWN = {
    "live": Channel.LIVE,
    "rep": Channel.REPETITION,
    "set": Channel.SET,
    "fault": Channel.FAULT,
    "note": Channel.NOTE,
    "state": Channel.STATE,
    "sensor": Channel.SENSOR_STATUS,
    "service": Channel.SERVICE_STATUS,
    "response": Channel.RESPONSE,
}
_ANSWERS = (AthleteEntry, SessionEntry, SessionDetail, Progress, SetPicture)
_FOLDER = Path(__file__).parent / "web" / "src"
_REFERENCE = "#/$defs/"
_KEPT = (
    "type",
    "enum",
    "anyOf",
    "items",
    "$ref",
    "properties",
    "required",
    "additionalProperties",
    "default",
)
_WORDS = {"number": "number", "integer": "number", "string": "string", "boolean": "boolean", "null": "null"}


def payload_schema() -> dict[str, Any]:
    """Collect the JSON Schemas of the messages the page shows: types and nesting, no prose and no ranges."""
    payloads = [PAYLOADS[channel] for channel in _SHOWN.values()]
    _, definitions = msgspec.json.schema_components(payloads, ref_template=_REFERENCE + "{name}")
    return {
        "channels": {name: PAYLOADS[channel].__name__ for name, channel in _SHOWN.items()},
        "$defs": {name: _reduced(definition) for name, definition in definitions.items()},
    }


def schema_text() -> str:
    """Return the text of ``payload_schema.json``."""
    return json.dumps(payload_schema(), indent=1) + "\n"


def types_text() -> str:
    """Return the text of ``payloads.ts``."""
    schema = payload_schema()
    parts = [
        _head("payload models"),
        *_interfaces(schema["$defs"]),
    ]
    channels = [f"  {name}: {payload};" for name, payload in schema["channels"].items()]
    parts.append("\n".join(["export interface PayloadByChannel {", *channels, "}\n"]))
    return "\n".join([*parts, *_command_types()])


def archive_types_text() -> str:
    """Return the text of ``archive_types.ts``: what is a payload too is taken from ``payloads.ts``."""
    known = payload_schema()["$defs"]
    _, found = msgspec.json.schema_components(_ANSWERS, ref_template=_REFERENCE + "{name}")
    definitions = {name: _reduced(definition) for name, definition in found.items()}
    bases = {name: _base(definition, known) for name, definition in definitions.items() if name not in known}
    parts = []
    for name, base in bases.items():
        properties = definitions[name]["properties"]
        if base is not None:
            properties = {key: properties[key] for key in properties if key not in known[base]["properties"]}
        parts += _interfaces({f"{name} extends {base}" if base else name: {"properties": properties}})
    used = [name for name in known if re.search(rf"\b{name}\b", "".join(parts))]
    taken = f'import type {{ {", ".join(sorted(used))} }} from "./payloads";\n'
    return "\n".join([_head("archive's answers"), taken, *parts])


def _base(definition: dict[str, Any], known: dict[str, Any]) -> str | None:
    """Find the payload that a definition adds to; None where it is something of its own."""
    fields = definition["properties"].items()
    return next((name for name, payload in known.items() if payload["properties"].items() < fields), None)


def _head(source: str) -> str:
    return f"// Written by `python -m sensor_bridge.dashboard.page_types` from the {source}: do not edit.\n"


def _interfaces(definitions: dict[str, Any]) -> list[str]:
    parts = []
    for name, definition in definitions.items():
        lines = [f"  {key}: {_type(value)};" for key, value in definition["properties"].items()]
        parts.append("\n".join([f"export interface {name} {{", *lines, "}\n"]))
    return parts


def _command_types() -> list[str]:
    """Spell what the page sends: the arguments of each command, optional where they may be left out."""
    _, definitions = msgspec.json.schema_components(
        list(COMMANDS.values()), ref_template=_REFERENCE + "{name}"
    )
    parts = []
    for name, definition in definitions.items():
        lines = [
            f"  {key}{'' if key in definition['required'] else '?'}: {_type(value)};"
            for key, value in definition["properties"].items()
        ]
        parts.append("\n".join([f"export interface {name} {{", *lines, "}\n"]))
    names = [f"  {json.dumps(name)}: {model.__name__};" for name, model in COMMANDS.items()]
    parts.append("\n".join(["export interface ArgumentsByCommand {", *names, "}\n"]))
    return parts


def _reduced(schema: Any) -> Any:
    """Keep what the page's checker understands."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in kept:
        kept["properties"] = {name: _reduced(value) for name, value in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = _reduced(kept[key])
    if "anyOf" in kept:
        kept["anyOf"] = [_reduced(option) for option in kept["anyOf"]]
    return kept


def _type(schema: dict[str, Any]) -> str:
    """Spell a schema as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(word) for word in schema["enum"])
    if schema["type"] == "array":
        return f"Array<{_type(schema['items'])}>"
    if schema["type"] == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return _WORDS[schema["type"]]


def main() -> None:
    """Write all files."""
    (_FOLDER / "archive_types.ts").write_text(archive_types_text(), encoding="utf-8")
    (_FOLDER / "payload_schema.json").write_text(schema_text(), encoding="utf-8")
    (_FOLDER / "payloads.ts").write_text(types_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
