"""JSON Schemas (2020-12) of all messages, made from the models: ``python -m sensor_bridge.mqtt.schemas``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from sensor_bridge.mqtt.payloads import PAYLOADS, SCHEMA_VERSION, Envelope
from sensor_bridge.mqtt.topics import ROOT, Channel

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
        "$id": f"urn:{ROOT.replace('/', ':')}:{channel.name.lower()}",
        **message,
        "title": payload.__name__,
        "$defs": definitions,
    }


def main() -> None:
    """Write one file a channel into the folder named on the command line, or all of them to stdout."""
    schemas = {channel.name.lower(): schema(channel) for channel in Channel}
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in schemas.items():
            (folder / f"{name}.schema.json").write_text(json.dumps(content, indent=2) + "\n")
    else:
        sys.stdout.write(json.dumps(schemas, indent=2) + "\n")


if __name__ == "__main__":
    main()
