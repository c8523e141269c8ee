"""What has to be there before the first sample is measured, and what is said where that takes a while."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
from typing import TYPE_CHECKING, Final

from analytics.pipeline_setup import prepare_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_SILENT_S: Final = 2.0


def prepare_to_measure() -> None:
    """Load the measuring code, or compile it after an installation; safe in a thread.

    Samples that come meanwhile would have to wait: do it first.
    """
    with _told_if_slow():
        prepare_pipeline()


@contextlib.contextmanager
def imports_spared_from_collection() -> Iterator[None]:
    """Keep the garbage collector out of what has been imported: to walk through it takes 0.2 s."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _told_if_slow() -> Iterator[None]:
    timer = threading.Timer(
        _SILENT_S,
        log.warning,
        ("getting the measuring code ready; after an installation that takes a quarter of a minute, once",),
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
