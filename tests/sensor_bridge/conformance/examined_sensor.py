"""A virtual sensor under examination, in virtual time; wrong ones differ in the bytes they send and get."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import hardware_sim.bleak_backend_client
import hardware_sim.peripheral
from hardware_sim.gatt_table import HIPLINE_TABLE
from hardware_sim.peripheral_gatt import GattServer
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.conformance.examination import chosen_clauses, examine
from sensor_bridge.conformance.verdict import Verdict
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_protocol import gatt

MODEL = SensorModel(ring_capacity_samples=600, flash_capacity_samples=20_000)


@dataclass
class Tampering:
    """What a wrong sensor does to what it sends and gets; by UUID, all of it optional.

    `sent` makes several values, or none, of one that is notified or indicated; it is given the server, too.
    """

    sent: dict[str, Callable[[Any, bytes], list[bytes]]] = field(default_factory=dict)
    read: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    written: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    characteristics: Callable[[tuple[gatt.Characteristic, ...]], tuple[gatt.Characteristic, ...]] = tuple
    services: Callable[[tuple[gatt.Service, ...]], tuple[gatt.Service, ...]] = tuple
    delay_s: float = 0.0
    mtu: int = 247
    requires_pairing: bool = False
    patch: Callable[[Any], None] = lambda _monkeypatch: None


def server_class(tampering: Tampering) -> type[GattServer]:
    class TamperedServer(GattServer):
        def __init__(self, controller, *, reads, writes, **others):
            seen = replace(
                HIPLINE_TABLE,
                services=tampering.services(HIPLINE_TABLE.services),
                characteristics=tampering.characteristics(HIPLINE_TABLE.characteristics),
            )
            for uuid, change in tampering.read.items():
                reads = {**reads, uuid: lambda change=change, read=reads[uuid]: change(read())}
            for uuid, change in tampering.written.items():
                writes = {
                    **writes,
                    uuid: lambda value, change=change, write=writes[uuid]: write(change(value)),
                }
            super().__init__(controller, reads=reads, writes=writes, **(others | {"table": seen}))

        def notify(self, uuid, value):
            for each in tampering.sent.get(uuid, lambda _server, value: [value])(self, value):
                super().notify(uuid, each)

        def indicate(self, uuid, value):
            for each in tampering.sent.get(uuid, lambda _server, value: [value])(self, value):
                if tampering.delay_s:
                    asyncio.get_running_loop().call_later(tampering.delay_s, super().indicate, uuid, each)
                else:
                    super().indicate(uuid, each)

    return TamperedServer


def examined(monkeypatch, *only, tampering=None, mtu=247, model=MODEL, patience_s=10.0, paired=False):
    """Examine a sensor; return its findings by clause."""
    monkeypatch.setattr(hardware_sim.bleak_backend_client, "_PREFERRED_MTU", mtu)
    if tampering is not None:
        monkeypatch.setattr(hardware_sim.peripheral, "GattServer", server_class(tampering))
        tampering.patch(monkeypatch)

    async def examine_it():
        async with VirtualRadio([source("pelvis", 30_000)], radio=QUICK, seed=4, model=model) as radio:
            radio.begin()
            adapter = Adapter(*radio.bleak_backends())
            found = await adapter.find(wish("pelvis"), 5)
            if paired:
                adapter.paired = frozenset({found.sighting.address})
            clauses = chosen_clauses(only)
            return {
                each.clause.id: each async for each in examine(adapter, found, clauses, patience_s=patience_s)
            }

    return run_in_virtual_time(examine_it())


def failed(findings):
    """Ids of the clauses that failed."""
    return {name for name, each in findings.items() if each.verdict is Verdict.FAILED}
