"""A frame log without some of its sensors: what remains of a session when an athlete is forgotten."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from sensor_bridge.recording.frame_log import FrameLogWriter, held, read_frame_log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path


def rewrite_without(
    path: Path,
    sensor_ids: Collection[str],
    metadata: Mapping[str, Any],
    *,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Write a log anew without the frames of some sensors; the old one is replaced in one step.

    Parameters
    ----------
    path
        The log.
    sensor_ids
        Whose frames are left out; damaged stretches, which might be theirs, are too.
    metadata
        What the header says from now on.
    on_progress
        Told of the frames read so far, now and then.

    Returns
    -------
    int
        Frames left out.

    Raises
    ------
    FrameLogInUse
        A bridge is writing to it.
    RecordingError
        It is no frame log.
    BridgeError
        The disk refuses; the old log is as it was.
    """
    fresh = path.with_name(path.name + ".new")
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(path))
        before = path.stat()
        stack.callback(lambda: fresh.unlink(missing_ok=True))
        fresh.unlink(missing_ok=True)
        left_out = 0
        with FrameLogWriter(fresh, metadata) as log:
            for number, frame in enumerate(read_frame_log(path)):
                if frame.sensor_id in sensor_ids:
                    left_out += 1
                else:
                    log.append(frame)
                if on_progress is not None and number % 1000 == 0:
                    on_progress(number)
        os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))  # an old session is not to be gone on in
        fresh.replace(path)
    return left_out
