"""JSON Schemas (2020-12) of all messages, made from the models: ``python -m sensor_bridge.mqtt.schemas``.

There is one for each channel and, beside that of all commands, one for each command with its arguments.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.message_properties import schema_id
from sensor_bridge.mqtt.payloads import PAYLOADS, SCHEMA_VERSION, Envelope
from sensor_bridge.mqtt.topics import Channel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(channel: Channel) -> dict[str, Any]:
    """Describe the messages of a channel, envelope included."""
    payload = PAYLOADS[channel]
    (reference,), definitions = msgspec.json.schema_components(
        [Envelope[payload]],  # type: ignore[valid-type]
        ref_template="#/$defs/{name}",
    )
    message = definitions.pop(reference["$ref"].removeprefix("#/$defs/"))
    message["properties"]["v"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": DIALECT,
        "$id": schema_id(channel),
        **message,
        "title": payload.__name__,
        "$defs": definitions,
    }


def command_schema(name: str) -> dict[str, Any]:
    """Describe the messages of one command: as `schema` does all of them, but with this one's arguments.

    Raises
    ------
    KeyError
        There is no such command.
    """
    whole = schema(Channel.COMMAND)
    (reference,), definitions = msgspec.json.schema_components(
        [COMMANDS[name]], ref_template="#/$defs/{name}"
    )
    command = whole["$defs"]["Command"]
    command["properties"]["arguments"] = reference
    command["required"].append("arguments")
    whole["$defs"] |= definitions
    return {**whole, "$id": f"{whole['$id']}:{name}", "title": COMMANDS[name].__name__}


def main() -> None:
    """Write one file a schema into the folder named on the command line, or all of them to stdout."""
    schemas = {channel.name.lower(): schema(channel) for channel in Channel}
    schemas |= {f"command-{name}": command_schema(name) for name in COMMANDS}
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in schemas.items():
            (folder / f"{name}.schema.json").write_text(json.dumps(content, indent=2) + "\n")
    else:
        sys.stdout.write(json.dumps(schemas, indent=2) + "\n")


if __name__ == "__main__":
    main()
