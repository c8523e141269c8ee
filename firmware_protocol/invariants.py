"""Checks that packets make of their own fields."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TypeVar

EnumT = TypeVar("EnumT", bound=IntEnum)


def check_integer(name: str, value: int, low: int, high: int) -> None:
    """Refuse what is not an integer from ``low`` to ``high``."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low} to {high}, not {value}")


def check_member(name: str, value: IntEnum, kind: type[IntEnum]) -> None:
    """Refuse what is not a member of ``kind``."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {value!r}")


def check_choice(name: str, values: tuple[EnumT, ...], kind: type[EnumT]) -> None:
    """Refuse what is not a tuple of members of ``kind``, ascending, at least one."""
    if not isinstance(values, tuple):
        raise TypeError(f"{name} must be a tuple, not {type(values).__name__}")
    for value in values:
        check_member(name, value, kind)
    if not values or list(values) != sorted(set(values)):
        raise ValueError(f"{name} must name at least one {kind.__name__}, each once, in ascending order")


def to_grid(name: str, value: float, steps_per_unit: float, low: int, high: int) -> float:
    """Return the value the wire can hold that is nearest to ``value``."""
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value}")
    steps = round(value * steps_per_unit)
    if not low <= steps <= high:
        raise ValueError(
            f"{name} must be {low / steps_per_unit:g} to {high / steps_per_unit:g}, not {value:g}"
        )
    return steps / steps_per_unit
