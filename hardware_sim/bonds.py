"""Bonds of the virtual radio: the keys that each end keeps of a pairing, and how it pairs.

LE Secure Connections, Just Works: a clip has neither display nor keys
(Core Specification, Vol 3, Part H, 2.3.5).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from bumble.keys import MemoryKeyStore, PairingKeys
from bumble.pairing import PairingConfig, PairingDelegate

from hardware_sim.errors import HardwareSimError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bumble.device import Connection

_PRIVATE = 0o600


class BondStore(MemoryKeyStore):
    """Keys by the address of the other end; kept in a file where one is given, as a system keeps its own.

    Parameters
    ----------
    path
        The file; None keeps them in memory only.

    Raises
    ------
    HardwareSimError
        The file holds something else.
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._path = path
        if path is None or not path.exists():
            return
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            self.all_keys = {name: PairingKeys.from_dict(keys) for name, keys in entries.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HardwareSimError(f"{path} holds no bonds of the virtual radio: delete it") from error

    def holds(self, address: str) -> bool:
        """Tell whether there is a bond with this address, written as bleak writes it."""
        return self._name(address) is not None

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Keep the keys of a pairing."""
        await super().update(name, keys)
        self._save()

    async def delete(self, name: str) -> None:
        """Forget the keys of a pairing."""
        await super().delete(name)
        self._save()

    async def forget(self, address: str) -> None:
        """Forget the bond with this address; none is fine."""
        name = self._name(address)
        if name is not None:
            await self.delete(name)

    async def forget_all(self) -> None:
        """Forget every bond."""
        self.all_keys.clear()
        self._save()

    def _name(self, address: str) -> str | None:
        return next((name for name in self.all_keys if name.split("/")[0].upper() == address.upper()), None)

    def _save(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        entries = {name: keys.to_dict() for name, keys in self.all_keys.items()}
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entries, file, default=int)
        part.replace(self._path)


def pairing(*, is_accepted: bool) -> Callable[[Connection], PairingConfig]:
    """Pair without anything to show or to type, by Secure Connections; or accept no pairing at all."""

    class Delegate(PairingDelegate):
        """Neither display nor keys."""

        async def accept(self) -> bool:
            """Tell whether another end may pair with this one."""
            return is_accepted

    config = PairingConfig(
        sc=True,
        mitm=False,
        bonding=True,
        delegate=Delegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )
    return lambda _connection: config
