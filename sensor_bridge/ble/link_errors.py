"""What bleak and the Bluetooth systems below it raise, said as what went wrong and how to mend it."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING, Final

from bleak.exc import BleakCharacteristicNotFoundError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import BleakOutOfConnectionSlotsError

from sensor_bridge.errors import AdapterFull, BondLost, BridgeError, LinkLost, PairingNeeded, WrongFirmware

if TYPE_CHECKING:
    from collections.abc import Generator

# ATT errors of a peer that wants an encrypted link and has no key for it (Core 5.4, Vol 3, Part F, 3.4.1.1).
_UNENCRYPTED: Final = frozenset({0x05, 0x08, 0x0C, 0x0F})
# The same in the words of BlueZ, CoreBluetooth and WinRT, who give no code.
_BOND_WORDS: Final = (
    "authenticationfailed",
    "authentication failure",
    "authentication is insufficient",
    "encryption is insufficient",
    "insufficient authentication",
    "insufficient encryption",
    "key missing",
    "key_missing",
    "key-missing",
    "removed pairing information",
    "mic failure",
)
_FULL_WORDS: Final = (
    "connection_limit_exceeded",
    "connection limit exceeded",
    "concurrent-connection-limit",
    "available connection",
    "connection slot",
)


@contextlib.contextmanager
def link_errors(sensor_id: str, family: str, *, is_paired: bool = False) -> Generator[None]:
    """Translate what the radio library raises inside the block; our own errors pass.

    Parameters
    ----------
    sensor_id
        Whose link it is.
    family
        What the sensor is meant to be: ``Hipline sensor``.
    is_paired
        Whether the configuration says that this computer is paired with it.

    Raises
    ------
    BondLost
        One side has forgotten the key that the other still wants.
    PairingNeeded
        They were never paired, and the sensor asks for it.
    AdapterFull
        The adapter holds no more links.
    WrongFirmware
        A characteristic is missing.
    LinkLost
        Anything else: no answer, no link.
    """
    try:
        yield
    except BridgeError:
        raise
    except TimeoutError as error:
        raise LinkLost(f"{sensor_id}: the sensor does not answer") from error
    except (BleakError, OSError, EOFError) as error:
        raise _translated(sensor_id, family, error, is_paired=is_paired) from error


def bond_lost(sensor_id: str, who: str) -> BondLost:
    """Say that the two share no key any more, and what to do."""
    return BondLost(f"{sensor_id}: {who}; pair them again: {_pair_command(sensor_id)}")


def _pair_command(sensor_id: str) -> str:
    return f"hipline sensors pair {shlex.quote(sensor_id)}"


def _translated(sensor_id: str, family: str, error: Exception, *, is_paired: bool) -> BridgeError:
    if isinstance(error, BleakCharacteristicNotFoundError):
        return WrongFirmware(
            f"{sensor_id}: it lacks characteristic {error.char_specifier}; is it a {family}?"
        )
    said = str(error) or type(error).__name__
    folded = said.lower()
    is_unencrypted = isinstance(error, BleakGATTProtocolError) and error.args[0] in _UNENCRYPTED
    if is_unencrypted or any(words in folded for words in _BOND_WORDS):
        if is_paired:
            return bond_lost(sensor_id, "the sensor has forgotten this computer, or was exchanged")
        return PairingNeeded(
            f"{sensor_id}: the sensor takes commands only from a computer it is paired with: "
            f"{_pair_command(sensor_id)}"
        )
    if isinstance(error, BleakOutOfConnectionSlotsError) or any(words in folded for words in _FULL_WORDS):
        return AdapterFull(
            f"{sensor_id}: this Bluetooth adapter holds no more links; switch off a sensor nobody wears, or "
            "use an adapter that holds more (cheap ones 3 to 5, most 7 to 11)"
        )
    return LinkLost(f"{sensor_id}: {said}")
