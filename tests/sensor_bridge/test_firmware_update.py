"""New firmware over the virtual radio: resumed, confirmed, rolled back, refused."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_protocol import gatt
from hardware_sim import peripheral
from hardware_sim.firmware_image import build_image
from hardware_sim.gatt_table import HIPLINE_TABLE
from hardware_sim.peripheral import VirtualPeripheral
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.bonding import PairingLink
from sensor_bridge.ble.connection import connected
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.errors import AdapterFull, CommandRefused, PairingNeeded, UpdateFailed, WrongFirmware
from sensor_bridge.firmware_file import read_firmware
from sensor_bridge.firmware_update import FirmwareUpdate, UpdateProgress
from sensor_bridge.host_clock import HostClock
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

KEY = Ed25519PrivateKey.generate()
SIGNING = SensorModel(update_key=KEY.public_key())


def sensor_radio(model: SensorModel = SIGNING) -> VirtualRadio:
    return VirtualRadio([source()], radio=QUICK, model=model)


def in_virtual_time(scene: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function; it runs where time costs nothing."""

    @functools.wraps(scene)
    def test(*args: object, **kwargs: object) -> None:
        run_in_virtual_time(scene(*args, **kwargs))

    return test


def update_of(
    radio: VirtualRadio,
    path: Path,
    image: bytes,
    tell: Callable[[UpdateProgress], None] | None = None,
    adapter: Adapter | None = None,
) -> FirmwareUpdate:
    path.write_bytes(image)
    return FirmwareUpdate(
        adapter or Adapter(*radio.bleak_backends()),
        wish("pelvis"),
        HostClock(),
        read_firmware(path),
        tell or (lambda _progress: None),
    )


async def version_told(radio: VirtualRadio) -> tuple[int, int, int]:
    adapter = Adapter(*radio.bleak_backends())
    found = await adapter.find(wish("pelvis"), 5)
    async with connect(adapter, found, wish("pelvis"), HostClock(), timeout_s=10) as link:
        return link.info.firmware_version


@in_virtual_time
async def test_an_upload_goes_on_where_a_broken_link_left_it(tmp_path: Path) -> None:
    told: list[UpdateProgress] = []
    async with sensor_radio() as radio:

        def tell(progress: UpdateProgress) -> None:
            if progress.sent > 100_000 and all(each.sent <= 100_000 for each in told):
                radio.drop_link("pelvis")
            told.append(progress)

        image = build_image((1, 1, 0), key=KEY, size=200 * 1024)
        assert await update_of(radio, tmp_path / "new.bin", image, tell).run()
        assert await version_told(radio) == (1, 1, 0)
        await radio.reboot("pelvis")  # it was confirmed: it stays
        assert await version_told(radio) == (1, 1, 0)
    assert any("going on where it broke off" in each.step for each in told)
    sent = [each.sent for each in told]
    assert sent == sorted(sent)  # nothing was sent twice
    assert sent[-1] == len(image)


@in_virtual_time
async def test_what_runs_already_is_left_alone(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        assert not await update_of(radio, tmp_path / "same.bin", build_image((1, 0, 0))).run()


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (build_image((1, 1, 0), key=KEY, boots=False), "did not start on pelvis: it went back to 1.0.0"),
        (build_image((1, 1, 0), key=Ed25519PrivateKey.generate()), "pelvis refused firmware 1.1.0"),
        (build_image((0, 9, 0), key=KEY), "the image is 0.9.0, pelvis runs 1.0.0: older firmware is not"),
    ],
    ids=["crashes", "another signature", "older"],
)
@in_virtual_time
async def test_what_does_not_hold_leaves_the_old_firmware(
    tmp_path: Path, image: bytes, complaint: str
) -> None:
    async with sensor_radio() as radio:
        with pytest.raises(UpdateFailed, match=complaint) as failure:
            await update_of(radio, tmp_path / "bad.bin", image).run()
        assert "\n" not in str(failure.value)
        assert await version_told(radio) == (1, 0, 0)


@in_virtual_time
async def test_firmware_that_is_not_understood_is_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = VirtualPeripheral._info

    def alien(sensor: VirtualPeripheral) -> bytes:
        payload = usual(sensor)
        return payload if sensor.firmware.version == (1, 0, 0) else bytes([0x22]) + payload[1:]

    monkeypatch.setattr(VirtualPeripheral, "_info", alien)
    async with sensor_radio() as radio:
        with pytest.raises(UpdateFailed, match=r"runs but is not understood .* goes back to 1\.0\.0"):
            await update_of(radio, tmp_path / "alien.bin", build_image((1, 1, 0), key=KEY)).run()
        assert await version_told(radio) == (1, 0, 0)


@in_virtual_time
async def test_an_empty_battery_is_charged_first(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        radio.peripherals["pelvis"]._battery_percent = 12
        with pytest.raises(UpdateFailed, match="12 % of its battery left; charge it to 20 %"):
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()


@in_virtual_time
async def test_a_sensor_without_the_service_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(
        HIPLINE_TABLE,
        characteristics=tuple(each for each in HIPLINE_TABLE.characteristics if each.uuid != gatt.SMP_UUID),
    )
    monkeypatch.setattr(peripheral, "GattServer", functools.partial(peripheral.GattServer, table=without))
    async with sensor_radio() as radio:
        with pytest.raises(WrongFirmware, match="it has no SMP service"):
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()


# What an answer, a link or a slot that is missing makes of it ----------------------------------------------

UPLOAD, RESET = (1, 1, 2), (0, 5, 2)  # SMP group, command, operation


@in_virtual_time
async def test_a_long_exchange_of_slots_is_waited_for_though_the_answer_was_lost(tmp_path: Path) -> None:
    restarts: list[asyncio.Task[None]] = []
    async with sensor_radio() as radio:

        def restart() -> None:
            radio.drop_link("pelvis")
            restarts.append(asyncio.create_task(radio.reboot("pelvis", dark_s=40.0)))

        radio.peripherals["pelvis"].firmware.on_reset = restart
        assert await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()
        assert radio.peripherals["pelvis"].firmware._boot_loader.is_confirmed
        assert await version_told(radio) == (1, 1, 0)
    assert len(restarts) == 1


@in_virtual_time
async def test_a_restart_that_was_not_heard_is_asked_for_again(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        firmware = radio.peripherals["pelvis"].firmware
        usual = firmware.on_reset

        def deaf() -> None:
            radio.drop_link("pelvis")
            firmware.on_reset = usual

        firmware.on_reset = deaf
        assert await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()
        assert await version_told(radio) == (1, 1, 0)


@in_virtual_time
async def test_a_trial_beside_an_empty_slot_is_judged(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        loader = radio.peripherals["pelvis"].firmware._boot_loader
        loader.is_confirmed = False
        assert await update_of(radio, tmp_path / "same.bin", build_image((1, 0, 0))).run()
        assert loader.is_confirmed


@in_virtual_time
async def test_a_trial_that_is_not_understood_stays_where_there_is_no_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VirtualPeripheral, "_info", lambda _sensor: b"?")
    async with sensor_radio() as radio:
        loader = radio.peripherals["pelvis"].firmware._boot_loader
        loader.is_confirmed = False
        with pytest.raises(UpdateFailed, match=r"not understood .* pelvis holds no other to go back to$"):
            await update_of(radio, tmp_path / "same.bin", build_image((1, 0, 0))).run()
        assert not loader.is_confirmed


@in_virtual_time
async def test_a_restart_that_is_refused_is_told(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        radio.peripherals["pelvis"].firmware._server._handlers[RESET] = lambda _asked: {"rc": 10}
        with pytest.raises(CommandRefused, match="pelvis: the sensor does not restart"):
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()
        assert await version_told(radio) == (1, 0, 0)


@pytest.mark.parametrize("claimed", [0, 512, 10**6])
@in_virtual_time
async def test_an_upload_that_does_not_get_on_ends(tmp_path: Path, claimed: int) -> None:
    asked: list[object] = []
    async with sensor_radio() as radio:

        def take(request: object) -> dict[str, int]:
            asked.append(request)
            return {"off": claimed}

        radio.peripherals["pelvis"].firmware._server._handlers[UPLOAD] = take
        with pytest.raises(UpdateFailed, match=f"claims to have {claimed} of .*; switch it off") as failure:
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()
        assert "\n" not in str(failure.value)
    assert 1 <= len(asked) < 20


# What only the user can mend -------------------------------------------------------------------------------


@in_virtual_time
async def test_a_sensor_that_wants_pairing_says_so_and_is_updated_once_paired(tmp_path: Path) -> None:
    told: list[UpdateProgress] = []
    image = build_image((1, 1, 0), key=KEY)
    async with sensor_radio(SensorModel(update_key=KEY.public_key(), requires_pairing=True)) as radio:
        adapter = Adapter(*radio.bleak_backends())
        with pytest.raises(PairingNeeded, match=r"paired with: hipline sensors pair pelvis$"):
            await update_of(radio, tmp_path / "new.bin", image, told.append, adapter).run()
        assert not told  # nor was it tried again
        found = await adapter.find(wish("pelvis"), 5)
        async with connected(PairingLink(wish("pelvis"), HostClock()), adapter, found, timeout_s=10):
            pass
        adapter.paired = frozenset({found.sighting.address})
        assert await update_of(radio, tmp_path / "new.bin", image, told.append, adapter).run()
        assert radio.peripherals["pelvis"].firmware.version == (1, 1, 0)


@in_virtual_time
async def test_an_adapter_that_is_full_is_not_a_lost_link(tmp_path: Path) -> None:
    told: list[UpdateProgress] = []
    sources = [source("pelvis"), source("thigh")]
    async with VirtualRadio(sources, radio=QUICK, model=SIGNING, max_connections=1) as radio:
        adapter = Adapter(*radio.bleak_backends())
        found = await adapter.find(wish("thigh"), 5)
        async with connect(adapter, found, wish("thigh"), HostClock(), timeout_s=10):
            update = update_of(
                radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY), told.append, adapter
            )
            with pytest.raises(AdapterFull):
                await update.run()
    assert not told
