"""An example of each message.

``python -m sensor_bridge.mqtt.examples docs/mqtt.md`` writes them into the page.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sensor_bridge.mqtt.topics import Channel, parse

_FILE = Path(__file__).with_name("examples.json")
_SHOWN = re.compile(r"^`(hipline/v1/\S+)`\n```json\n(.*?)\n```", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A message as it is sent."""

    topic: str
    message: dict[str, Any]

    @property
    def channel(self) -> Channel:
        """The channel of its topic."""
        return parse(self.topic).channel


def examples() -> list[Example]:
    """Read all examples, in the order of the file; those of an event's revisions in theirs."""
    return [Example(**entry) for entry in json.loads(_FILE.read_text(encoding="utf-8"))]


def with_examples(page: str) -> str:
    """Replace each example that a page shows by the one of its topic; several of one topic in their order.

    Raises
    ------
    LookupError
        The page shows a topic, or more messages of it, than there are examples.
    """
    left = examples()

    def next_of(found: re.Match[str]) -> str:
        example = next((one for one in left if one.topic == found[1]), None)
        if example is None:
            raise LookupError(f"there is no further example of {found[1]} in {_FILE.name}")
        left.remove(example)
        return f"`{example.topic}`\n```json\n{json.dumps(example.message, ensure_ascii=False)}\n```"

    return _SHOWN.sub(next_of, page)


def main() -> None:
    """Write the examples into the page named on the command line, or all of them to stdout."""
    if len(sys.argv) > 1:
        page = Path(sys.argv[1])
        page.write_text(with_examples(page.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(_FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
