"""The Bluetooth adapter: listening for sensors, no longer than somebody waits for one."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bleak import BleakScanner
from bleak.exc import BleakError

from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers import recognise
from sensor_bridge.ble.link import SensorSettings, Sighting
from sensor_bridge.errors import BluetoothUnavailable, SensorNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

_NAMESAKE_WAIT_S: Final = 0.5  # a name is no address: time in which another of that name may be heard
_PACE_S: Final = 0.5
_SPARING_LISTEN_S: Final = 2.5  # two advertisements of a sensor that advertises once a second
_SPARING_REST_S: Final = 7.5


@dataclass(frozen=True, slots=True)
class Found:
    """A sensor that was heard, with what is needed to connect to it.

    Parameters
    ----------
    sighting
        What was heard.
    device
        The radio library's handle.
    """

    sighting: Sighting
    device: BLEDevice

    @property
    def is_bonded(self) -> bool | None:
        """Whether this computer holds a key of it; None where the system does not tell (BlueZ does)."""
        properties = self.device.details.get("props") if isinstance(self.device.details, dict) else None
        if not isinstance(properties, dict):
            return None
        told = properties.get("Bonded", properties.get("Paired"))
        return None if told is None else bool(told)


class _Search:
    """One sensor somebody waits for."""

    def __init__(self, sensor: SensorSettings, address: str | None, *, is_sparing: bool) -> None:
        self.is_sparing = is_sparing
        self._address = None if address is None else address.upper()
        self._name = sensor.name or sensor.sensor_id
        self._kind = sensor.kind
        self._namesakes: dict[str, Found] = {}
        self.what = sensor.address or f"'{self._name}'"
        self.found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    def hear(self, found: Found) -> None:
        """Take one sighting."""
        if self.found.done() or (self._kind is None and found.sighting.kind is None):
            return
        if self._address is not None:
            if found.sighting.address.upper() == self._address:
                self.found.set_result(found)
        elif found.sighting.name == self._name:
            if not self._namesakes:
                asyncio.get_running_loop().call_later(_NAMESAKE_WAIT_S, self._decide)
            self._namesakes[found.sighting.address] = found

    def _decide(self) -> None:
        if self.found.done():
            return
        if len(self._namesakes) == 1:
            self.found.set_result(*self._namesakes.values())
            return
        heard = ", ".join(
            f"{each.sighting.address} ({each.sighting.rssi_dbm} dBm)"
            for each in sorted(self._namesakes.values(), key=lambda each: -each.sighting.rssi_dbm)
        )
        self.found.set_exception(
            SensorNotFound(
                f"{len(self._namesakes)} sensors are called '{self._name}': {heard}; "
                "give the address of the right one in the configuration"
            )
        )


class Adapter:
    """One Bluetooth adapter of this machine, or a virtual one.

    One process uses an adapter at a time, it makes one connection at a time, and it does not scan while it
    connects: Linux Bluetooth stacks fail at more. While sensors stream, one that has been away for long is
    looked for only now and then: a radio that listens for advertisements misses connection events.

    Parameters
    ----------
    client_backend, scanner_backend
        Bleak backends; None for those of this system.

    Attributes
    ----------
    paired
        Addresses of the sensors that are talked to over an encrypted link only, upper case.
    """

    def __init__(
        self,
        client_backend: type[BaseBleakClient] | None = None,
        scanner_backend: type[BaseBleakScanner] | None = None,
    ) -> None:
        self.client_backend = client_backend
        self.paired: frozenset[str] = frozenset()
        self._scanner_backend = scanner_backend
        self._scanner: BleakScanner | None = None
        self._scan_lock = asyncio.Lock()
        self._searches: set[_Search] = set()
        self._quiet = 0
        self._streams = 0

    def is_paired(self, found: Found) -> bool:
        """Tell whether this computer is meant to be paired with a sensor."""
        return found.sighting.address.upper() in self.paired

    @property
    def is_scanning(self) -> bool:
        """True while the radio listens for sensors."""
        return self._scanner is not None

    async def scan(self, duration_s: float) -> list[Found]:
        """Listen for sensors that a driver knows, for a while.

        Parameters
        ----------
        duration_s
            How long.

        Returns
        -------
        list[Found]
            Each sensor once, the strongest signal first.

        Raises
        ------
        BluetoothUnavailable
            There is no adapter, or it may not be used.
        """
        heard: dict[str, Found] = {}

        def note(device: BLEDevice, data: AdvertisementData) -> None:
            sighting = _sighting(device, data)
            if sighting.kind is not None:
                heard[device.address] = Found(sighting, device)

        scanner = self._new_scanner(note)
        with _bluetooth_errors():
            async with scanner:
                await asyncio.sleep(duration_s)
        return sorted(heard.values(), key=lambda found: -found.sighting.rssi_dbm)

    async def find(
        self,
        sensor: SensorSettings,
        timeout_s: float,
        *,
        address: str | None = None,
        is_sparing: bool = False,
    ) -> Found:
        """Listen until one sensor is heard.

        Several searches share one scan.

        Parameters
        ----------
        sensor
            Whom to wait for.
        timeout_s
            How long.
        address
            Where it is known to be; None: what the settings say.
        is_sparing
            Listen only now and then while others stream.

        Returns
        -------
        Found
            The sensor.

        Raises
        ------
        SensorNotFound
            It was not heard, or several answer to its name.
        BluetoothUnavailable
            There is no adapter, or it may not be used.
        """
        search = _Search(sensor, address or sensor.address, is_sparing=is_sparing)
        self._searches.add(search)
        try:
            async with asyncio.timeout(timeout_s):
                while not search.found.done():
                    await self._follow_demand()
                    await asyncio.wait([search.found], timeout=_PACE_S)
                return search.found.result()
        except TimeoutError:
            raise SensorNotFound(
                f"sensor {search.what} was not heard for {timeout_s:g} s; is it charged, on and near?"
            ) from None
        finally:
            self._searches.discard(search)
            search.found.cancel()
            await asyncio.shield(self._follow_demand())

    @contextlib.asynccontextmanager
    async def quiet(self) -> AsyncGenerator[None]:
        """Pause scanning, to connect; searches go on afterwards."""
        self._quiet += 1
        try:
            await self._follow_demand()
            yield
        finally:
            self._quiet -= 1
            await asyncio.shield(self._follow_demand())

    @contextlib.contextmanager
    def streaming(self) -> Generator[None]:
        """Know that a sensor streams inside the block."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def _is_wanted(self) -> bool:
        """Whether to listen now: who searches sparingly does so for a moment in each period."""
        if self._quiet:
            return False
        period_s = _SPARING_LISTEN_S + _SPARING_REST_S
        is_resting = self._streams and asyncio.get_running_loop().time() % period_s > _SPARING_LISTEN_S
        return any(not (search.is_sparing and is_resting) for search in self._searches)

    async def _follow_demand(self) -> None:
        """Start or stop listening as needed."""
        async with self._scan_lock:
            is_wanted = self._is_wanted()
            if is_wanted and self._scanner is None:
                scanner = self._new_scanner(self._heard)
                try:
                    with _bluetooth_errors():
                        await scanner.start()
                except asyncio.CancelledError:
                    await _stop(scanner)  # it may have begun all the same
                    raise
                self._scanner = scanner
            elif not is_wanted and self._scanner is not None:
                scanner, self._scanner = self._scanner, None
                await _stop(scanner)

    def _new_scanner(self, callback: Any) -> BleakScanner:
        options: dict[str, Any] = {}
        if self._scanner_backend is not None:
            options["backend"] = self._scanner_backend
        with _bluetooth_errors():
            return BleakScanner(callback, **options)

    def _heard(self, device: BLEDevice, data: AdvertisementData) -> None:
        if not self._searches:
            return
        found = Found(_sighting(device, data), device)
        for search in tuple(self._searches):
            search.hear(found)


def _sighting(device: BLEDevice, data: AdvertisementData) -> Sighting:
    name = data.local_name or device.name
    said = Advertisement(name, frozenset(data.service_uuids), frozenset(data.manufacturer_data))
    return Sighting(device.address, name, data.rssi, recognise(said))


async def _stop(scanner: BleakScanner) -> None:
    with contextlib.suppress(BleakError, OSError):  # it has stopped one way or the other
        await scanner.stop()


@contextlib.contextmanager
def _bluetooth_errors() -> Any:
    try:
        yield
    except (BleakError, OSError) as error:
        raise BluetoothUnavailable(
            f"Bluetooth cannot be used ({str(error) or type(error).__name__}); "
            "is the adapter there, switched on and allowed for this user?"
        ) from error
