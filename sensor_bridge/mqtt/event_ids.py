"""Names for what happened that come out the same when a recording is analysed again. Pure.

An id is a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, the rest from a SHA-256 of what identifies the
event. Nothing random is in it, so that a bridge that was killed and re-reads its frame log publishes under
the same ids, and consumers drop what they already have.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

_VERSION_7 = 0x7
_RFC_9562_VARIANT = 0b10


def event_id(
    sample_time_ms: float,
    *,
    session: str,
    athlete: str,
    kind: str,
    set_number: int,
    repetition: int | None = None,
) -> str:
    """Name an event.

    Parameters
    ----------
    sample_time_ms
        UTC in ms since 1970 of the event in its FIRST revision; later revisions keep that id.
    session, athlete, kind, set_number, repetition
        What tells the event from all others; `repetition` is None for events of a whole set.
    """
    key = (session, athlete, kind, str(set_number), "" if repetition is None else str(repetition))
    return _uuid7(sample_time_ms, key)


def message_id(sample_time_ms: float, *, session: str, topic: str, seq: int) -> str:
    """Name a message that is no event (live, status): unique by its topic and place in the sequence."""
    return _uuid7(sample_time_ms, (session, topic, str(seq)))


def _uuid7(time_ms: float, key: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\x1f".join(key).encode()).digest()
    rand = int.from_bytes(digest[:10], "big")
    value = (round(time_ms) & (2**48 - 1)) << 80
    value |= _VERSION_7 << 76
    value |= (rand >> 68 & 0xFFF) << 64
    value |= _RFC_9562_VARIANT << 62
    value |= rand & (2**62 - 1)
    return str(UUID(int=value))
