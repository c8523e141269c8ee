"""One process at a time publishes from an outbox."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from sensor_bridge.errors import UserInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK_SUFFIX = ".lock"
_LONGEST_WAIT_S = 0.5


@contextlib.contextmanager
def ownership(path: Path) -> Iterator[None]:
    """Own the outbox at `path` inside the block: two publishers of one would break its order.

    Raises
    ------
    UserInputError
        Another process owns it, or there is no such folder.
    """
    try:
        # A lock of SQLite's on a file that stays empty: it works on every system and ends with the process.
        lock = sqlite3.connect(
            path.with_name(path.name + _LOCK_SUFFIX), isolation_level=None, timeout=_LONGEST_WAIT_S
        )
    except sqlite3.OperationalError as error:
        raise UserInputError(f"the outbox {path} cannot be opened ({error}): check its folder") from error
    with contextlib.closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            raise UserInputError(f"the outbox {path} cannot be used ({error}): {mend(error)}") from error
        yield


def mend(error: sqlite3.DatabaseError) -> str:
    """Say what a person does about an error of SQLite."""
    text = str(error)
    if "locked" in text:
        return "another hipline process uses it, stop that one"
    if "full" in text or "disk I/O" in text:
        return "free some space on the disk"
    return "move the file away to start with an empty one"
