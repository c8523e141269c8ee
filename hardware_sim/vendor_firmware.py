"""What a virtual sensor of another vendor has to know: table, answers, payloads. No radio, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.gatt_table import GattTable


@dataclass(frozen=True, slots=True)
class Sent:
    """One value on its way to the host; whether it is notified or indicated, the table says.

    Parameters
    ----------
    uuid
        Its characteristic.
    value
        Its bytes.
    """

    uuid: str
    value: bytes


class VendorFirmware(Protocol):
    """One vendor's firmware, playing a source at the rate that the source has."""

    @property
    def name(self) -> str:
        """What it advertises as its name."""

    @property
    def table(self) -> GattTable:
        """What a host sees."""

    @property
    def batch(self) -> int:
        """Samples that are sent together."""

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Characteristics that can be read."""

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take what the host writes, return the answers."""

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether samples are to be sent, given the host's subscriptions."""

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode the samples of the source at positions `first` to before `end`."""

    def forget_host(self) -> None:
        """Stop: the link is gone."""
