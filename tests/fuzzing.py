"""What the fuzzing tests share: how long they go on, and bytes that were once in order.

``HIPLINE_FUZZ_FACTOR=20 python -m pytest -k fuzz`` goes on twenty times as long.
"""

from __future__ import annotations

import os
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTOR = int(os.environ.get("HIPLINE_FUZZ_FACTOR", "1"))


def fuzz(max_examples: int) -> settings:
    """So many examples, the same in every run."""
    return settings(
        derandomize=True,
        max_examples=max_examples * FACTOR,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def refused_only_by(error: type[Exception], read: Callable[..., object], *arguments: object) -> bool:
    """Read; tell whether it was refused, which only this error may do, and not without a word."""
    try:
        read(*arguments)
    except error as refusal:
        said = str(refusal)
    else:
        return False
    assert said
    return True


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Change, cut out and put in bytes here and there."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(("change", "cut", "end", "insert", "repeat"))):
            case "change":
                data[position : position + 1] = draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del data[position : position + draw(st.integers(1, 40))]
            case "end":
                del data[position:]
            case "insert":
                data[position:position] = draw(st.binary(max_size=20))
            case _:
                piece = data[position : position + draw(st.integers(1, 40))]
                data[position:position] = piece * draw(st.integers(1, 8))
    return bytes(data)


@contextmanager
def bounded_memory(largest: int) -> Iterator[None]:
    """Require that no more than so many bytes are allocated by Python at any time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < largest, f"{peak} bytes were allocated"
