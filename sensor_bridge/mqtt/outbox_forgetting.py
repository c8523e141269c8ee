"""Takes an athlete out of an outbox, whatever became of the events; the disk keeps no trace. Blocking."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.outbox_ownership import mend
from sensor_bridge.mqtt.outbox_store import StoreFull
from sensor_bridge.overwriting import overwrite_deleted

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_WAIT_S = 5.0


def forget_in_outbox(path: Path, athlete: str) -> int:
    """Delete all that was ever told of an athlete; return the number of rows.

    Raises
    ------
    StoreFull
        The disk refuses, or another process is writing.
    """
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=_LONGEST_WAIT_S)) as db:
            db.execute("PRAGMA secure_delete = ON")
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            deleted = sum(
                db.execute(f"DELETE FROM {table} WHERE topic GLOB ?", (f"*/athlete/{athlete}/*",)).rowcount  # noqa: S608 - our own names
                for table in sorted(tables & {"event", "given_up"})
            )
            overwrite_deleted(db)
    except sqlite3.DatabaseError as error:
        raise StoreFull(f"the outbox {path} cannot be overwritten: {mend(error)}") from error
    return deleted
