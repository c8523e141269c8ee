from __future__ import annotations

import pytest
from bleak.exc import BleakCharacteristicNotFoundError, BleakDBusError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import BleakOutOfConnectionSlotsError

from sensor_bridge.ble.link_errors import link_errors
from sensor_bridge.errors import AdapterFull, BondLost, CommandRefused, LinkLost, PairingNeeded, WrongFirmware


@pytest.mark.parametrize(
    ("raised", "told", "words"),
    [
        (BleakGATTProtocolError(0x05), PairingNeeded, "is paired with: hipline sensors pair hip"),
        (BleakGATTProtocolError(0x0F), PairingNeeded, "is paired with: hipline sensors pair hip"),
        (BleakOutOfConnectionSlotsError("no slot"), AdapterFull, "holds no more links"),
        (BleakError("hip: [HCI] CONNECTION_LIMIT_EXCEEDED_ERROR"), AdapterFull, "switch off a sensor"),
        (
            BleakCharacteristicNotFoundError("f603"),
            WrongFirmware,
            "lacks .* f603; is it a Hipline",
        ),
        (BleakGATTProtocolError(0x0E), LinkLost, "Unlikely Error"),
        (BleakError("disconnected"), LinkLost, "hip: disconnected"),
        (BrokenPipeError(), LinkLost, "hip: BrokenPipeError"),
        (TimeoutError(), LinkLost, "does not answer"),
        (EOFError(), LinkLost, "EOFError"),
    ],
)
def test_each_error_says_who_it_was_and_what_to_do(
    raised: Exception, told: type[Exception], words: str
) -> None:
    with pytest.raises(told, match=words) as caught, link_errors("hip", "Hipline sensor"):
        raise raised
    assert type(caught.value) is told
    assert str(caught.value).startswith("hip: ")


@pytest.mark.parametrize(
    "raised",
    [
        BleakGATTProtocolError(0x05),
        BleakGATTProtocolError(0x0F),
        BleakDBusError("org.bluez.Error.AuthenticationFailed", ["Failed"]),
        BleakError("Peer removed pairing information"),
        BleakError("HCI_Error(hci/PIN_OR_KEY_MISSING_ERROR [0x6])"),
    ],
)
def test_a_sensor_that_is_paired_has_lost_its_bond(raised: Exception) -> None:
    words = "^hip: the sensor has forgotten this computer, .*; pair them again: hipline sensors pair hip$"
    with pytest.raises(BondLost, match=words), link_errors("hip", "Hipline sensor", is_paired=True):
        raise raised


def test_our_own_errors_pass() -> None:
    for ours in (LinkLost("gone"), CommandRefused("no")):
        with pytest.raises(type(ours)) as caught, link_errors("hip", "Hipline sensor"):
            raise ours
        assert caught.value is ours
