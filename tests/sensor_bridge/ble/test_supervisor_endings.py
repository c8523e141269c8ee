"""How a supervised link ends or falls silent; in virtual time, or with a link of a few lines."""

from __future__ import annotations

import asyncio
import logging

import pytest

from hardware_sim.radio import VirtualRadio
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.link import LinkPhase
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.errors import LinkLost
from sensor_bridge.host_clock import HostClock
from tests.sensor_bridge.ble.radio_bench import QUICK, Listener, source, wish


def supervisor_of(listener, adapter):
    loop = asyncio.get_running_loop()
    return SensorSupervisor(
        wish("pelvis"),
        adapter,
        asyncio.Lock(),
        listener.frames.append,
        listener.states.append,
        clock=HostClock(lambda: 0, lambda: round(loop.time() * 1e9)),
    )


async def _play_and_wait(listener, wait_s):
    async with VirtualRadio([source(n=100)], radio=QUICK) as radio:
        run = asyncio.create_task(supervisor_of(listener, Adapter(*radio.bleak_backends())).run())
        await radio.playback_finished.wait()
        await asyncio.sleep(wait_s)
        run.cancel()
        await asyncio.wait([run])


def test_a_sensor_that_has_stopped_is_said_once_and_left_connected(caplog):
    listener = Listener()
    with caplog.at_level(logging.WARNING, logger="sensor_bridge"):
        run_in_virtual_time(_play_and_wait(listener, 60.0))
    assert listener.phases() == [
        LinkPhase.SCANNING,
        LinkPhase.CONNECTING,
        LinkPhase.CONNECTED,
        LinkPhase.STOPPED,
    ]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("pelvis: it has stopped sending")
    assert listener.states[-2].reason == said
    assert listener.states[-1].reason == ""


def test_a_short_rest_is_no_stop(caplog):
    listener = Listener()
    with caplog.at_level(logging.WARNING, logger="sensor_bridge"):
        run_in_virtual_time(_play_and_wait(listener, 5.0))
    assert caplog.records == []
    assert {state.reason for state in listener.states} == {""}


class _LinkCancelledWhileItFails:
    """Its clock fails; whoever runs the supervisor cancels it while the other tasks are being ended."""

    info = None
    has_flash = False
    frame_s = 0.1
    dropped = 0

    async def start(self, _resume):
        return 1

    async def keep_time(self):
        raise LinkLost("pelvis: the link was lost")

    async def ask_flash(self, _request):
        raise AssertionError("it has no flash")

    async def frames(self):
        supervised = asyncio.current_task()
        assert supervised is not None
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            supervised.cancel()
        yield


async def test_a_cancel_is_obeyed_while_a_link_is_failing(monkeypatch):
    listener = Listener()
    supervisor = supervisor_of(listener, Adapter())
    connected = 0

    async def connect(_stack):
        nonlocal connected
        connected += 1
        return _LinkCancelledWhileItFails()

    monkeypatch.setattr(supervisor, "_connect", connect)
    run = asyncio.create_task(supervisor.run())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run, 10)
    assert connected == 1
    assert listener.phases() == [LinkPhase.CONNECTED, LinkPhase.STOPPED]
