"""Loops over single samples, compiled to machine code.

Compiling takes seconds and happens once: the machine code is kept beside the source, or in the user's cache
folder where that may not be written to. Where neither may be, every process compiles anew. Modules that use
this are imported when the first sample is near, never at start-up: numba itself takes half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numba import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike

_Function = TypeVar("_Function", bound="Callable[..., Any]")

# What mypy cannot follow into compiled code: records, and arrays of them.
Record: TypeAlias = Any


def read(dtype: DTypeLike, dimensions: int = 1) -> Any:
    """Type of an array that is only read, however it lies in memory."""
    return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "A", readonly=True)


def written(dtype: DTypeLike, dimensions: int = 1) -> Any:
    """Type of a contiguous array that is written to."""
    return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C")


def compiled(*arguments: Any) -> Callable[[_Function], _Function]:
    """Compile a function of arrays and numbers for arguments of these types.

    Named here, not taken from the first call, the types are all there ever are: nothing is compiled in the
    middle of a set. A function that only compiled ones call needs none, and stands before them.
    """

    def decorate(function: _Function) -> _Function:
        def compile_it(*, cache: bool) -> Any:
            # Division by zero gives inf, as in numpy. Nothing is reordered or fused: results do not depend on
            # how many samples are taken at once.
            return numba.njit(arguments or None, cache=cache, error_model="numpy")(function)

        try:
            return cast("_Function", compile_it(cache=True))
        except RuntimeError:
            # No folder can be written to.
            return cast("_Function", compile_it(cache=False))

    return decorate
