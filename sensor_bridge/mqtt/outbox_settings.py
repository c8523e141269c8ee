"""How much waits in an outbox, for how long, and what went through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """Where events wait and for how long.

    Attributes
    ----------
    path
        The SQLite file.
    max_bytes
        Space granted to the file.
    keep_delivered
        Names of delivered events kept, so that analysing a recording again does not send them again.
    memory_events
        How many events wait in memory while the file takes none.
    expire_after_s
        An event that no broker took for so long is put aside.
    retry_refused_s
        After so long it is tried whether the broker takes now what it refused.
    low_disk_bytes
        An alarm tells when the disk has less space than this.
    """

    path: Path
    max_bytes: int = 256 * 1024 * 1024
    keep_delivered: int = 20_000
    memory_events: int = 10_000
    expire_after_s: float = 30 * DAY_S
    retry_refused_s: float = 60.0
    low_disk_bytes: int = 200_000_000


@dataclass(slots=True)
class OutboxCounts:
    """What went through since the start; `unsaved` is what waits in memory only, the disk being full."""

    stored: int = 0
    delivered: int = 0
    dead: int = 0
    unsaved: int = 0
