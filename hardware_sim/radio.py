"""The virtual radio: sensors that play recordings, the air, and a Bluetooth adapter for the real bleak."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from bumble import hci

from hardware_sim.bleak_backend import BumbleAdapter
from hardware_sim.bonds import BondStore
from hardware_sim.controller import RadioController
from hardware_sim.errors import HardwareSimError
from hardware_sim.host_faults import HostFaults
from hardware_sim.peripheral import VirtualPeripheral, address_of
from hardware_sim.peripheral_stream import PlayedSource
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.radio_link import RadioLink
from hardware_sim.sensor_model import SensorModel
from hardware_sim.vendor_peripheral import VendorPeripheral
from hardware_sim.vendors import FIRMWARES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from hardware_sim.recording_source import SampleSource

_REBOOT_S: Final = 0.3
_WATCHDOG_S: Final = 0.5
_FAREWELL_S: Final = 0.1


class VirtualRadio:
    """Sensors on the air, as an async context manager.

    Time begins for all sensors together: when each has got a Start, or at `begin`. From then on sample k of a
    source is made when as much true time has passed as lies between it and the first one.

    Parameters
    ----------
    sources
        What the sensors play, one sensor each.
    seed
        For everything random: losses, scatter of the signal, battery, stream numbers.
    radio
        Conditions for every sensor; `set_conditions` changes one.
    model
        What kind of sensor they are.
    names
        Advertised name by sensor id; without one a sensor is called "Hipline" and its id.
    kinds
        Kind of each sensor that is not Hipline's, by sensor id: a key of `hardware_sim.vendors.FIRMWARES`.
    shared_clock
        True where the time stamps of all sources are readings of one clock (the columns of a recording): then
        a source that begins later is played later. False where each sensor has its own.
    max_connections
        Connections the adapter holds.
    has_adapter
        False where only adapters of other processes are to use the air.
    """

    def __init__(
        self,
        sources: Sequence[SampleSource],
        *,
        seed: int = 0,
        radio: RadioConditions | None = None,
        model: SensorModel | None = None,
        names: Mapping[str, str] | None = None,
        kinds: Mapping[str, str] | None = None,
        shared_clock: bool = False,
        max_connections: int = 20,
        has_adapter: bool = True,
    ) -> None:
        if not sources:
            raise HardwareSimError("a virtual radio needs at least one source to play")
        if len({source.sensor_id for source in sources}) < len(sources):
            raise HardwareSimError("two sources have the same sensor_id; rename one")
        self.peripherals: dict[str, VirtualPeripheral] = {}
        self.playback_begun = asyncio.Event()
        self.vendor_peripherals: dict[str, VendorPeripheral] = {}
        self.playback_finished = asyncio.Event()
        self._sources = tuple(sources)
        self._random = random.Random(seed)
        self._seed = seed
        self._conditions = radio or RadioConditions()
        self._model = model or SensorModel()
        self._names = dict(names or {})
        self._kinds = dict(kinds or {})
        self._shared_clock = shared_clock
        self._max_connections = max_connections
        self._has_adapter = has_adapter
        self._bonds = BondStore()  # a host keeps them when it starts anew
        self._link: RadioLink | None = None
        self._adapter: BumbleAdapter | None = None
        self._chip: RadioController | None = None
        self._begun = False
        self._end_timer: asyncio.TimerHandle | None = None
        self._fades: set[asyncio.TimerHandle] = set()
        self._restarts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._link = RadioLink(self._conditions, self._seed)
        first_us = min(int(source.device_time_us[0]) for source in self._sources)
        for source in self._sources:
            sensor_id = source.sensor_id
            delay_s = (int(source.device_time_us[0]) - first_us) / 1e6 if self._shared_clock else 0.0
            played, controller = PlayedSource(source, delay_s), RadioController(sensor_id, self._link)
            if sensor_id in self._kinds:
                self.vendor_peripherals[sensor_id] = VendorPeripheral(
                    played,
                    controller,
                    FIRMWARES[self._kinds[sensor_id]](source),
                    name=self._names.get(sensor_id),
                    on_progress=self._progress,
                )
                continue
            self.peripherals[sensor_id] = VirtualPeripheral(
                played,
                controller,
                model=self._model,
                name=self._names.get(sensor_id, f"Hipline {sensor_id}"),
                first_stream_id=self._random.randint(1, 0xFFFF),
                battery_percent=self._random.randint(60, 100),
                on_progress=self._progress,
            )
            self.peripherals[sensor_id].firmware.on_reset = partial(self._restart, sensor_id)
        for peripheral in self._all:
            await peripheral.power_on()
        if self._has_adapter:
            await self._new_host()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for timer in (self._end_timer, *self._fades):
            if timer is not None:
                timer.cancel()
        for restart in self._restarts:
            restart.cancel()
        for peripheral in self._all:
            peripheral.power_off()
        if self._adapter is not None:
            await self._adapter.close()
        if self._link is not None:
            self._link.close()
        await asyncio.sleep(0)  # let cancelled indications end inside this loop

    # The host's side -------------------------------------------------------------------------------------

    def bleak_backends(self) -> tuple[type[BaseBleakClient], type[BaseBleakScanner]]:
        """Backends for ``BleakClient(..., backend=)`` and ``BleakScanner(..., backend=)``."""
        if self._adapter is None:
            raise HardwareSimError(
                "this radio has no adapter: open it with 'async with' and has_adapter=True"
            )
        return self._adapter.backends()

    def new_controller(self, name: str, **hci_ends: Any) -> RadioController:
        """Add a radio chip for a host."""
        return RadioController(name, self._air, max_connections=self._max_connections, **hci_ends)

    async def replace_host(self) -> None:
        """Cut the host's power, and switch on another: ask for its backends.

        Nobody says goodbye: the sensors find out by silence, and cannot be connected to before that.
        """
        if self._chip is not None:
            self._chip.host = None  # what becomes of its links is told to nobody
            self._air.abandon(self._chip)
            self._air.remove_controller(self._chip)
        await self._new_host()

    # Time ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Let the playback begin now, whoever is listening."""
        if self._begun:
            return
        self._begun = True
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for peripheral in self._all:
            peripheral.begin(now_s)
        self.playback_begun.set()
        ends_s = (peripheral.ends_at_s for peripheral in self._all)
        self._end_timer = loop.call_at(max(end_s for end_s in ends_s if end_s is not None), self._progress)

    def _progress(self) -> None:
        if not self._begun:
            if all(peripheral.is_streaming for peripheral in self._all):
                self.begin()
        elif all(peripheral.is_finished for peripheral in self._all):
            self.playback_finished.set()

    # What happens to sensors -----------------------------------------------------------------------------

    def set_conditions(self, sensor_id: str, conditions: RadioConditions) -> None:
        """Change what the air does to one sensor, at once."""
        self._air.set_conditions(address_of(sensor_id), conditions)

    def set_in_range(self, sensor_id: str, *, in_range: bool) -> None:
        """Carry a sensor out of range, or back."""
        self._air.set_in_range(address_of(sensor_id), in_range=in_range)

    def fade(self, sensor_id: str, fade_db: float, duration_s: float) -> None:
        """Weaken one sensor's signal for a while (a body in the way)."""
        self._air.set_fade(address_of(sensor_id), fade_db)
        timer = asyncio.get_running_loop().call_later(
            duration_s, self._air.set_fade, address_of(sensor_id), 0.0
        )
        self._fades.add(timer)

    def drop_link(self, sensor_id: str) -> None:
        """Break a sensor's link; both ends see a supervision timeout at once."""
        self._air.break_links(address_of(sensor_id), hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    async def hang_up(self, sensor_id: str) -> None:
        """Let a sensor end its link."""
        await self.peripherals[sensor_id].disconnect()

    async def forget_bonds(self, sensor_id: str) -> None:
        """Let a sensor lose the keys of every pairing; the host still has its own."""
        await self.peripherals[sensor_id].forget_bonds()

    async def reboot(self, sensor_id: str, *, dark_s: float = _REBOOT_S, is_foreseen: bool = False) -> None:
        """Reset a sensor: it falls silent, forgets, and comes back; the host notices by the silence.

        Parameters
        ----------
        sensor_id
            The sensor.
        dark_s
            How long it is off, s.
        is_foreseen
            Whether it could write its RAM to flash before, as with a battery that runs empty.
        """
        address = address_of(sensor_id)
        self._air.set_in_range(address, in_range=False)
        self._air.abandon(self.peripherals[sensor_id].controller)
        self.peripherals[sensor_id].forget_everything(is_foreseen=is_foreseen)
        await asyncio.sleep(dark_s)
        if not self.peripherals[sensor_id].firmware.boot():
            await asyncio.sleep(_WATCHDOG_S)
            self.peripherals[sensor_id].firmware.boot()  # what was on trial has gone: this is what ran before
        self._air.set_in_range(address, in_range=True)

    def _restart(self, sensor_id: str) -> None:
        """Let a sensor that was told to boot anew do so, once its answer is out."""
        restart = asyncio.get_running_loop().create_task(self._reboot_soon(sensor_id))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _reboot_soon(self, sensor_id: str) -> None:
        await asyncio.sleep(_FAREWELL_S)
        await self.reboot(sensor_id)

    # ------------------------------------------------------------------------------------------------------

    @property
    def _all(self) -> tuple[VirtualPeripheral | VendorPeripheral, ...]:
        return (*self.peripherals.values(), *self.vendor_peripherals.values())

    @property
    def _air(self) -> RadioLink:
        if self._link is None:
            raise HardwareSimError("the radio is off: open it with 'async with' first")
        return self._link

    async def _new_host(self) -> None:
        self._chip = self.new_controller("adapter")
        self._adapter = await BumbleAdapter.on_controller(self._chip, self._bonds)
        self._adapter.pass_on = HostFaults(self._air.conditions, self._air.random).pass_on
