"""Bonds between this computer and sensors: made and forgotten on purpose, never on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bleak import BleakClient
from bleak.exc import BleakDeviceNotFoundError

from firmware_protocol.gatt import SERVICE_UUID
from sensor_bridge.ble.connection import SensorConnection
from sensor_bridge.ble.link_errors import link_errors
from sensor_bridge.errors import BluetoothUnavailable, LinkLost

if TYPE_CHECKING:
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import SensorSettings
    from sensor_bridge.host_clock import HostClock


class PairingLink:
    """A link on which nothing is done but pairing; for `sensor_bridge.ble.connection.connected`.

    Parameters
    ----------
    sensor
        With whom.
    clock
        For arrival times.
    """

    def __init__(self, sensor: SensorSettings, clock: HostClock) -> None:
        self.sensor = sensor
        self._connection = SensorConnection(sensor.sensor_id, clock, "Hipline sensor")

    async def open(self, adapter: Adapter, found: Found) -> None:
        """Connect and pair.

        Raises
        ------
        LinkLost
            The sensor, or the system, does not pair; or no connection came about.
        """
        await self._connection.open(adapter, found, [SERVICE_UUID])
        try:
            await self._connection.pair()
        except LinkLost as error:
            reason = str(error).removeprefix(f"{self.sensor.sensor_id}: ")
            raise LinkLost(
                f"{self.sensor.sensor_id}: does not pair ({reason}); hold its button until it blinks, and "
                "try again; firmware that asks for no pairing needs none"
            ) from error

    async def close(self) -> None:
        """End the link; the bond stays."""
        await self._connection.close()


async def forget_bond(adapter: Adapter, sensor_id: str, address: str) -> None:
    """Make this computer forget a sensor; the sensor need not be there. No bond is fine.

    Parameters
    ----------
    adapter
        The radio.
    sensor_id
        What to call the sensor in messages.
    address
        Where it is.

    Raises
    ------
    BluetoothUnavailable
        This system lets no program do it.
    LinkLost
        It refused.
    """
    options: dict[str, Any] = {}
    if adapter.client_backend is not None:
        options["backend"] = adapter.client_backend
    try:
        with link_errors(sensor_id, "Hipline sensor"):
            try:
                await BleakClient(address, **options).unpair()
            except BleakDeviceNotFoundError:
                return
    except NotImplementedError as error:
        raise BluetoothUnavailable(
            f"{sensor_id}: this system lets no program end a pairing: "
            f"remove {address} in its Bluetooth settings"
        ) from error
