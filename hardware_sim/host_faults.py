"""What a host's Bluetooth stack does to notifications after the radio has delivered them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_protocol.gatt import BULK_UUID
from firmware_protocol.packets import PacketType

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from hardware_sim.radio_conditions import RadioConditions


class HostFaults:
    """Loses notifications; damages, doubles and disorders pages of BULK.

    Only pages can bear the latter three: they carry a checksum, a number and the range they belong to. Live
    frames rely on the link layer, which keeps order and bits.

    Parameters
    ----------
    conditions
        Tells the conditions of the sensor at an address.
    generator
        Where chance comes from.
    """

    def __init__(self, conditions: Callable[[str], RadioConditions], generator: random.Random) -> None:
        self._conditions = conditions
        self._random = generator
        self._held_back: dict[str, bytes] = {}

    def pass_on(self, address: str, uuid: str, value: bytes) -> list[bytes]:
        """Return what of a notification reaches the program, in order."""
        conditions = self._conditions(address)
        if self._strikes(conditions.host_loss):
            return []
        if uuid != BULK_UUID:
            return [value]
        if value[0] & 0x0F == PacketType.BULK_PAGE and self._strikes(conditions.page_corruption):
            place = self._random.randrange(len(value))
            value = (
                value[:place] + bytes([value[place] ^ 1 << self._random.randrange(8)]) + value[place + 1 :]
            )
        values = [value, value] if self._strikes(conditions.page_duplication) else [value]
        if address in self._held_back:
            return [*values, self._held_back.pop(address)]
        if self._strikes(conditions.page_reordering):
            self._held_back[address] = values.pop()
        return values

    def _strikes(self, share: float) -> bool:
        return share > 0.0 and self._random.random() < share
