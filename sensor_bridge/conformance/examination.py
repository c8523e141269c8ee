"""Going through the clauses of the protocol page, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol.clauses import CLAUSES, DESTRUCTIVE
from sensor_bridge.ble.bare_link import AttRefusal
from sensor_bridge.conformance import clock, control, description, resuming, stored, streaming
from sensor_bridge.conformance.bench import Bench
from sensor_bridge.conformance.verdict import Finding, NotExaminable, Verdict, Violation
from sensor_bridge.errors import LinkLost, PairingNeeded, UserInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from firmware_protocol.clauses import Clause
    from sensor_bridge.ble.adapter import Adapter, Found

CHECKS: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {
    **description.CHECKS,
    **control.CHECKS,
    **streaming.CHECKS,
    **clock.CHECKS,
    **resuming.CHECKS,
    **stored.CHECKS,
}


def chosen_clauses(ids: Iterable[str]) -> tuple[Clause, ...]:
    """Find clauses by their ids; all that cost the owner nothing where none is named.

    Raises
    ------
    UserInputError
        There is no such clause.
    """
    wanted = set(ids)
    unknown = wanted - {clause.id for clause in CLAUSES}
    if unknown:
        raise UserInputError(
            f"there is no clause {', '.join(sorted(unknown))}; choose from "
            f"{', '.join(clause.id for clause in CLAUSES)}"
        )
    return tuple(each for each in CLAUSES if (each.id in wanted if wanted else each.id not in DESTRUCTIVE))


async def examine(
    adapter: Adapter, found: Found, clauses: Iterable[Clause], *, patience_s: float
) -> AsyncIterator[Finding]:
    """Examine a sensor; yield a finding for each clause as it is made.

    The sensor is left without a stream. A link that is lost fails the clause under examination, and the next
    one begins with a new link.

    Parameters
    ----------
    adapter
        The radio.
    found
        The sensor.
    clauses
        What to examine.
    patience_s
        Longest time that one clause may wait for the sensor, s.

    Raises
    ------
    LinkLost
        No new link came about.
    PairingNeeded
        The sensor takes no command from this computer.
    """
    async with Bench(adapter, found, patience_s) as bench:
        for clause in clauses:
            if not bench.is_connected:
                await bench.connect()
            try:
                await CHECKS[clause.id](bench)
            except Violation as violation:
                yield Finding(clause, Verdict.FAILED, str(violation))
            except NotExaminable as obstacle:
                yield Finding(clause, Verdict.NOT_EXAMINED, str(obstacle))
            except AttRefusal as refusal:
                yield Finding(clause, Verdict.FAILED, f"a request was refused: {refusal}")
            except PairingNeeded:
                raise
            except LinkLost as loss:
                await bench.disconnect()
                yield Finding(clause, Verdict.FAILED, str(loss))
            else:
                yield Finding(clause, Verdict.PASSED)
        await bench.leave()
