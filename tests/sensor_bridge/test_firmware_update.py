"""New firmware over the virtual radio: resumed, confirmed, rolled back, refused."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_protocol import gatt
from hardware_sim import peripheral
from hardware_sim.firmware_image import build_image
from hardware_sim.gatt_table import HIPLINE_TABLE
from hardware_sim.peripheral import VirtualPeripheral
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.errors import UpdateFailed, WrongFirmware
from sensor_bridge.firmware_file import read_firmware
from sensor_bridge.firmware_update import FirmwareUpdate, UpdateProgress
from sensor_bridge.host_clock import HostClock
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.realtime

KEY = Ed25519PrivateKey.generate()
SIGNING = SensorModel(update_key=KEY.public_key())


def sensor_radio(model: SensorModel = SIGNING) -> VirtualRadio:
    return VirtualRadio([source()], radio=QUICK, model=model)


def update_of(
    radio: VirtualRadio, path: Path, image: bytes, tell: Callable[[UpdateProgress], None] | None = None
) -> FirmwareUpdate:
    path.write_bytes(image)
    return FirmwareUpdate(
        Adapter(*radio.bleak_backends()),
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
async def test_what_does_not_hold_leaves_the_old_firmware(
    tmp_path: Path, image: bytes, complaint: str
) -> None:
    async with sensor_radio() as radio:
        with pytest.raises(UpdateFailed, match=complaint) as failure:
            await update_of(radio, tmp_path / "bad.bin", image).run()
        assert "\n" not in str(failure.value)
        assert await version_told(radio) == (1, 0, 0)


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


async def test_an_empty_battery_is_charged_first(tmp_path: Path) -> None:
    async with sensor_radio() as radio:
        radio.peripherals["pelvis"]._battery_percent = 12
        with pytest.raises(UpdateFailed, match="12 % of its battery left; charge it to 20 %"):
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()


async def test_a_sensor_without_the_service_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(
        HIPLINE_TABLE,
        characteristics=tuple(each for each in HIPLINE_TABLE.characteristics if each.uuid != gatt.SMP_UUID),
    )
    monkeypatch.setattr(peripheral, "GattServer", functools.partial(peripheral.GattServer, table=without))
    async with sensor_radio() as radio:
        with pytest.raises(WrongFirmware, match="it has no SMP service"):
            await update_of(radio, tmp_path / "new.bin", build_image((1, 1, 0), key=KEY)).run()
