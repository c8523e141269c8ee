"""Files that only their owner may read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sensor_bridge.errors import BridgeError

if TYPE_CHECKING:
    from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place, whole or not at all, with mode 0600 from its first byte on.

    Raises
    ------
    BridgeError
        It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)  # opened anew, so that it has the right mode from the start
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(path)
    except OSError as error:
        raise BridgeError(f"{path}: cannot be written: {error.strerror}") from error
