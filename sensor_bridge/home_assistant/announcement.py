"""Tells Home Assistant who is there, and takes back what an earlier start told."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from sensor_bridge.mqtt.retained import RetainedBoard

log = logging.getLogger(__name__)


@contextmanager
def announced_to_home_assistant(
    board: RetainedBoard, wanted: Mapping[str, Mapping[str, Any]], memory: Path
) -> Iterator[None]:
    """Keep on the broker what Home Assistant shall know, and nothing else of ours.

    Parameters
    ----------
    board
        Where retained messages are put.
    wanted
        Payload by topic; empty where discovery is off.
    memory
        The file that remembers what was told: Home Assistant keeps a device until its topic is cleared.
    """
    told = _read(memory)
    _remember(memory, told.union(wanted), told)
    for topic in sorted(told.difference(wanted)):
        board.put(topic, b"")
    for topic, payload in wanted.items():
        board.put(topic, msgspec.json.encode(payload))
    try:
        yield
    finally:
        left = {topic for topic in told.difference(wanted) if board.is_waiting(topic)}
        _remember(memory, left.union(wanted), told.union(wanted))


def forget_announcements(memory: Path, names: Collection[str]) -> int:
    """Take athletes and sensors, by id, out of what is remembered; return how many topics named them."""
    told = _read(memory)
    theirs = {topic for topic in told if topic.rpartition("/config")[0].rpartition("/")[2] in names}
    _remember(memory, told - theirs, told)
    return len(theirs)


def _read(memory: Path) -> set[str]:
    try:
        told = json.loads(memory.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s): what it told Home Assistant stays there", memory, error)
        return set()
    return {topic for topic in told if isinstance(topic, str)} if isinstance(told, list) else set()


def _remember(memory: Path, topics: set[str], before: set[str]) -> None:
    if topics == before:
        return
    if topics:
        write_private(memory, json.dumps(sorted(topics)).encode())
    else:
        memory.unlink(missing_ok=True)
