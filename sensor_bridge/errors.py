"""What can go wrong at the bridge, by who has to act.

::

    BridgeError
    ├── UserInputError            the user mends it: exit code 2, one line, no traceback
    │   ├── ConfigError           a setting: which file, which key, what to write instead
    │   └── RecordingError        a recording that cannot be read: which file, where, why
    ├── BluetoothUnavailable      this machine has no Bluetooth, or it is off or forbidden
    ├── SensorNotFound            no such sensor is advertising (also ConnectionError)
    ├── LinkLost                  the link to a sensor ended or never came up (also ConnectionError)
    │   ├── AdapterFull           the adapter holds no more links
    │   ├── BondLost              they were paired, and one side has forgotten the other
    │   └── PairingNeeded         the sensor takes commands from a computer it is paired with only
    ├── WrongFirmware             the sensor speaks a protocol version this bridge does not
    ├── CommandRefused            the sensor understood a command and said no
    ├── UpdateFailed              the sensor runs the firmware it had before
    ├── BrokerUnavailable         nobody answers at the broker's address (also ConnectionError)
    └── BrokerRefused             the broker answered and said no

Third-party exceptions are translated at the one file that knows the library; nothing else crosses.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class BridgeError(Exception):
    """Root of everything the bridge raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 1


class UserInputError(BridgeError):
    """The user's input is wrong; the message is one line that says what, where and how to mend it."""

    exit_code = 2


class ConfigError(UserInputError):
    """A setting is unknown, ill-typed or out of range."""


class RecordingError(UserInputError):
    """A recording cannot be read as what it claims to be."""


class BluetoothUnavailable(BridgeError):
    """There is no Bluetooth adapter, or it is switched off, or we may not use it."""


class SensorNotFound(BridgeError, ConnectionError):
    """No sensor of that name or address was heard."""


class LinkLost(BridgeError, ConnectionError):
    """The link to a sensor ended, went silent, or could not be made."""


class AdapterFull(LinkLost):
    """The adapter has as many links as it can hold."""


class BondLost(LinkLost):
    """Sensor and computer were paired, and one of them has lost the key."""


class PairingNeeded(LinkLost):
    """The sensor takes commands only from a computer it is paired with, and this one is not."""


class WrongFirmware(BridgeError):
    """The sensor's protocol version is not one this bridge speaks."""


class CommandRefused(BridgeError):
    """The sensor answered a command with a result other than OK."""


class UpdateFailed(BridgeError):
    """New firmware was not taken, or did not hold; the message says which, and what runs now."""


class BrokerUnavailable(BridgeError, ConnectionError):
    """Nobody answers at the broker's address."""


class BrokerRefused(BridgeError):
    """The broker answered and refused the client (credentials, access, protocol)."""


@contextlib.contextmanager
def first_to_blame() -> Iterator[None]:
    """Raise a group of errors made on purpose as its first: a person reads one line."""
    try:
        yield
    except BaseExceptionGroup as group:
        ours, others = group.split(BridgeError)
        if ours is None or others is not None:
            raise
        first: BaseException = ours
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
