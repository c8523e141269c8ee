"""An event loop whose clock jumps to the next timer: hours of radio in seconds, the same in every run.

Of the libraries that do this, looptime lets real time pass as well, and async-solipsism has a licence (GPL)
that a simulator which is shipped in the wheel cannot take on.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

from hardware_sim.errors import HardwareSimError, NothingLeftToHappen

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Executor

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class _Leap(selectors.BaseSelector):
    """Waits for nothing: where the loop would sleep, its clock moves on instead.

    Files can be registered, because asyncio does so with its own wake-up socket, but are never looked at.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeftToHappen(
                "every task waits and no timer runs: something is awaited that never comes"
            )
        if timeout > 0.0:
            self.now_s += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits. Its time begins at 0 s and moves only from timer to timer.

    There is no outside: threads, sockets and pipes would need real time.

    Raises
    ------
    NothingLeftToHappen
        From whatever runs the loop, when all of it would wait for ever.
    """

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Return the virtual time, s."""
        return self._leap.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> Future[_T]:
        """Refuse: while a thread works, virtual time would run away from it."""
        del executor, func, args
        raise HardwareSimError("there are no threads in virtual time; call it directly")


def run_in_virtual_time(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in virtual time, as `asyncio.run` does in real time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
