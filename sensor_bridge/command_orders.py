"""What commands order of a pipeline: live, and again where the session is measured anew. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.orders import Prescribed, SetEnds, ZeroAnew
from sensor_bridge.mqtt.command_payloads import EndSet, Prescribe, ReZero, StartSet, Undo
from sensor_bridge.prescribed import prescription_of

if TYPE_CHECKING:
    from analytics.orders import Order
    from sensor_bridge.config import PrescriptionConfig
    from sensor_bridge.given_command import GivenCommand


class CommandOrders:
    """Turns commands into orders, one after the other.

    Parameters
    ----------
    prescription
        What is asked at the start.
    """

    def __init__(self, prescription: PrescriptionConfig | None) -> None:
        self.prescription = prescription
        self._asked_by: tuple[str, str] | None = None
        self._before: dict[tuple[str, str], PrescriptionConfig | None] = {}

    def order(self, given: GivenCommand, at_ns: int) -> Order | None:
        """Return what a command orders; None where it leaves the pipeline alone.

        Parameters
        ----------
        given
            The next command.
        at_ns
            When it came, on the timeline of the samples, integer ns; 0 before there is one.

        Raises
        ------
        ArgumentError
            One line: what is wrong with what is prescribed.
        """
        match given.arguments:
            case StartSet() | EndSet():
                return SetEnds(at_ns)
            case ReZero():
                return ZeroAnew(at_ns)
            case Prescribe() as asked:
                wanted = prescription_of(asked)
                self._before[given.key] = self.prescription
                return self._ask(wanted, given.key, at_ns)
            case Undo(request=request) if self._asked_by == (given.by, request):
                return self._ask(self._before[given.by, request], None, at_ns)
        return None

    def _ask(self, wanted: PrescriptionConfig | None, by: tuple[str, str] | None, at_ns: int) -> Prescribed:
        self.prescription, self._asked_by = wanted, by
        return Prescribed(at_ns, None if wanted is None else wanted.prescription())
