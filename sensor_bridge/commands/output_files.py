"""Where a command may write, looked at before the work begins; and writing there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_outputs(outputs: Iterable[Path | None], *, source: str | Path) -> None:
    """Refuse places that cannot be written to, or that would cost the user another file.

    Parameters
    ----------
    outputs
        The files to be written; None where one was not asked for.
    source
        What they are made from.

    Raises
    ------
    RecordingError
        A place is a folder or lies in none, is the source itself, or is named twice.
    """
    taken = {Path(source).resolve(): f"that is {source} itself, which would be lost: name another file"}
    for path in outputs:
        if path is None:
            continue
        if path.is_dir():
            raise RecordingError(f"{path}: is a folder: name a file in it")
        if not path.parent.is_dir():
            raise RecordingError(f"{path}: there is no folder {path.parent} to write it to")
        place = path.resolve()
        if place in taken:
            raise RecordingError(f"{path}: cannot be written: {taken[place]}")
        taken[place] = "it is named for two results: give each its own file"


def write_output(path: Path, content: bytes) -> None:
    """Write a file that was asked for.

    Raises
    ------
    RecordingError
        It cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written: {error.strerror}") from error
