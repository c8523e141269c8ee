"""The contract as an AsyncAPI 3 document: ``python -m sensor_bridge.mqtt.asyncapi [FILE]``.

Everything in it comes from what the bridge itself sends by: channels and their delivery, payload models,
commands and their arguments. It is told from the side of the bridge: what it sends, and what it receives.

The payloads stand in AsyncAPI's own schema format, which every tool reads. The models use only what means the
same there and in JSON Schema 2020-12; `sensor_bridge.mqtt.schemas` writes the latter.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.examples import Example, examples
from sensor_bridge.mqtt.message_properties import CONTENT_TYPE, SCHEMA_PROPERTY, schema_id
from sensor_bridge.mqtt.payloads import PAYLOADS, SCHEMA_VERSION
from sensor_bridge.mqtt.schemas import command_schema, schema
from sensor_bridge.mqtt.settings import MqttSettings
from sensor_bridge.mqtt.topics import DELIVERY, ROOT, Channel

ASYNCAPI_VERSION = "3.0.0"

_BINDING = "0.2.0"  # of AsyncAPI's MQTT bindings
_DEFINITION = "#/$defs/"
_COMPONENT = "#/components/schemas/"

_ROLES = {
    "gym": ("the gym, as configured", "gym-1"),
    "athlete": ("pseudonym of the athlete", "a1"),
    "sensor": ("id of the sensor", "pelvis-1"),
    "service": ("the service; the bridge is `bridge`", "bridge"),
    "client": ("`reply_to` of the command", "coach-7"),
}

_SUMMARIES = {
    Channel.SERVICE_STATUS: "online, or offline by last will; alarms",
    Channel.RESPONSE: "the answer to a command",
    Channel.SENSOR_STATUS: "link, battery and losses of a sensor",
    Channel.LIVE: "angles of the last moments",
    Channel.REPETITION: "a repetition, and each revision of it",
    Channel.SET: "a set, and each revision of it",
    Channel.FAULT: "a moment that went wrong",
    Channel.NOTE: "what a person said",
    Channel.STATE: "the whole picture of an athlete, for late joiners",
    Channel.PRESCRIPTION: "what was asked for",
    Channel.CALIBRATION: "how the sensors sit",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One channel of the document: a channel of ours, or one command of its channel."""

    channel: Channel
    name: str
    template: str
    message: str
    summary: str
    schema: dict[str, Any]
    examples: list[Example]


def document() -> dict[str, Any]:
    """Describe servers, channels, operations and messages."""
    entries = _entries()
    schemas: dict[str, Any] = {}
    for entry in entries:
        whole = {key: value for key, value in entry.schema.items() if key not in {"$schema", "$id", "$defs"}}
        schemas[f"{entry.message}Message"] = _in_components(whole)
        for name, definition in entry.schema["$defs"].items():
            schemas[name] = _in_components(definition)
    status = next(entry for entry in entries if entry.channel is Channel.SERVICE_STATUS)
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": f"urn:{ROOT.replace('/', ':')}",
        "info": {
            "title": "Hipline",
            "version": str(SCHEMA_VERSION),
            "description": "What the bridge of a gym publishes over MQTT, and the commands it takes.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": _servers(status.examples[0]),
        "channels": {entry.name: _channel(entry) for entry in entries},
        "operations": dict(_operation(entry) for entry in entries if entry.channel is not Channel.RESPONSE),
        "components": {
            "messages": {entry.message: _message(entry) for entry in entries},
            "schemas": schemas,
            "parameters": {
                role: {"description": f"{meaning}; 1 to 63 of a-z, 0-9 and -", "examples": [example]}
                for role, (meaning, example) in _ROLES.items()
            },
            "securitySchemes": {
                "token": {"type": "userPassword", "description": "a user of the broker and its token"}
            },
        },
    }


def _entries() -> list[_Entry]:
    shown = examples()
    entries = [
        _Entry(
            channel,
            channel.name.lower(),
            channel.value,
            PAYLOADS[channel].__name__,
            summary,
            schema(channel),
            [one for one in shown if one.channel is channel],
        )
        for channel, summary in _SUMMARIES.items()
    ]
    for command, arguments in COMMANDS.items():
        message = f"{arguments.__name__}Command"
        described = _replaced(command_schema(command), f'"{_DEFINITION}Command"', f'"{_DEFINITION}{message}"')
        described["$defs"][message] = described["$defs"].pop("Command")
        entries.append(
            _Entry(
                Channel.COMMAND,
                f"command_{command}",
                Channel.COMMAND.value.replace("{name}", command),
                message,
                str(arguments.__doc__),
                described,
                [one for one in shown if one.topic.endswith(f"/cmd/{command}")],
            )
        )
    return entries


def _servers(status: Example) -> dict[str, Any]:
    security = [{"$ref": "#/components/securitySchemes/token"}]
    client = MqttSettings(client_id="")
    will = {
        "topic": f"{ROOT}/{{gym}}/{Channel.SERVICE_STATUS.value.format(service='bridge')}",
        "qos": 1,
        "retain": True,
        "message": json.dumps(status.message | {"data": status.message["data"] | {"state": "offline"}}),
    }
    bindings = {"mqtt": {"keepAlive": client.keepalive_s, "lastWill": will, "bindingVersion": _BINDING}}
    return {
        "embedded": {
            "host": "127.0.0.1:{port}",
            "protocol": "mqtt",
            "protocolVersion": "3.1.1",
            "description": "The bridge's own broker: for this machine, also over WebSocket.",
            "variables": {"port": {"default": "1883", "description": "mqtt.tcp_port of the configuration"}},
            "security": security,
            "bindings": bindings,
        },
        "external": {
            "host": "{host}:{port}",
            "protocol": "secure-mqtt",
            "protocolVersion": "5.0",
            "description": "A broker of your own, such as mosquitto; 3.1.1 does as well.",
            "variables": {
                "host": {"default": "localhost", "description": "mqtt.host of the configuration"},
                "port": {"default": "8883", "description": "mqtt.port of the configuration"},
            },
            "security": security,
            "bindings": bindings,
        },
    }


def _channel(entry: _Entry) -> dict[str, Any]:
    address = f"{ROOT}/{{gym}}/{entry.template}"
    return {
        "address": address,
        "summary": entry.summary,
        "messages": {entry.message: {"$ref": f"#/components/messages/{entry.message}"}},
        "parameters": {
            role: {"$ref": f"#/components/parameters/{role}"} for role in re.findall(r"{(\w+)}", address)
        },
    }


def _operation(entry: _Entry) -> tuple[str, dict[str, Any]]:
    how = DELIVERY[entry.channel]
    binding: dict[str, Any] = {"qos": how.qos, "retain": how.retain, "bindingVersion": _BINDING}
    if how.expiry_s is not None:
        binding["messageExpiryInterval"] = how.expiry_s
    action = "receive" if entry.channel is Channel.COMMAND else "send"
    operation = {
        "action": action,
        "channel": {"$ref": f"#/channels/{entry.name}"},
        "messages": [{"$ref": f"#/channels/{entry.name}/messages/{entry.message}"}],
        "bindings": {"mqtt": binding},
    }
    if entry.channel is Channel.COMMAND:
        answer = f"#/channels/{Channel.RESPONSE.name.lower()}"
        answering = f"{answer}/messages/{PAYLOADS[Channel.RESPONSE].__name__}"
        operation["reply"] = {"channel": {"$ref": answer}, "messages": [{"$ref": answering}]}
    return f"{action}_{entry.name}", operation


def _message(entry: _Entry) -> dict[str, Any]:
    binding: dict[str, Any] = {
        "payloadFormatIndicator": 1,
        "contentType": CONTENT_TYPE,
        "bindingVersion": _BINDING,
    }
    message: dict[str, Any] = {
        "name": entry.message,
        "title": entry.message,
        "summary": entry.summary,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "description": "user properties, on MQTT 5 only",
            "properties": {SCHEMA_PROPERTY: {"type": "string", "const": schema_id(entry.channel)}},
        },
        "payload": {"$ref": f"{_COMPONENT}{entry.message}Message"},
        "bindings": {"mqtt": binding},
        "examples": [
            {"name": f"{entry.message}{n}", "payload": one.message} for n, one in enumerate(entry.examples, 1)
        ],
    }
    if entry.channel in {Channel.COMMAND, Channel.RESPONSE}:
        message["correlationId"] = {
            "location": "$message.payload#/data/request",
            "description": "the answer carries the `request` of its command",
        }
        binding["correlationData"] = {
            "type": "string",
            "description": "on MQTT 5, if any: returned as it came",
        }
    if entry.channel is Channel.COMMAND:
        binding["responseTopic"] = {
            "type": "string",
            "description": f"on MQTT 5, if any: below {ROOT}/{{gym}}, {Channel.RESPONSE.value}",
        }
    return message


def _in_components(described: dict[str, Any]) -> dict[str, Any]:
    return _replaced(described, f'"{_DEFINITION}', f'"{_COMPONENT}')


def _replaced(described: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    replaced: dict[str, Any] = json.loads(json.dumps(described).replace(old, new))
    return replaced


def main() -> None:
    """Write the document to the file named on the command line, or to stdout."""
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
