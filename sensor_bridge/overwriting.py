"""Deleted rows of an SQLite file leave the disk: out of the file, and out of its write-ahead log."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

_LONGEST_S: Final = 5.0
_STEP_S: Final = 0.1


def overwrite_deleted(db: sqlite3.Connection) -> None:
    """Write the file anew without what was deleted, and empty its log.

    Parameters
    ----------
    db
        Outside a transaction, opened with ``secure_delete``.

    Raises
    ------
    sqlite3.OperationalError
        The disk refuses, or somebody else reads the old state for longer than a few seconds.
    """
    db.execute("VACUUM")
    until_s = time.monotonic() + _LONGEST_S
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until_s:
            raise sqlite3.OperationalError("database is locked: others still read what was deleted")
        time.sleep(_STEP_S)
