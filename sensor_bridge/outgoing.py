"""A message on its way out, before it is wrapped and sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import msgspec

    from sensor_bridge.mqtt.topics import Channel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message before it is wrapped and sent.

    Parameters
    ----------
    channel, ids
        Where it goes.
    sample_time_ms
        UTC in ms of what it tells.
    data
        The payload; None takes back what is retained there.
    event_id, revision
        Of an event; else None and 0.
    """

    channel: Channel
    ids: Mapping[str, str]
    sample_time_ms: float
    data: msgspec.Struct | None
    event_id: str | None = None
    revision: int = 0
