"""Supervisors over the real bleak API and the virtual radio, in virtual time."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager

import numpy as np
import pytest

from firmware_protocol.codec import decode_status, decode_time_reply
from hardware_sim.peripheral import SensorModel, address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.link import FrameKind, LinkPhase
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.errors import BluetoothUnavailable
from tests.sensor_bridge.ble.radio_bench import (
    QUICK,
    Listener,
    clock_of_the_loop,
    in_virtual_time,
    source,
    wish,
)


@asynccontextmanager
async def supervised(radio, *wishes, resume_point=None):
    """Run a supervisor a wish; afterwards nothing may be left."""
    before = asyncio.all_tasks()
    adapter, lock = Adapter(*radio.bleak_backends()), asyncio.Lock()
    listeners = {each.sensor_id: Listener() for each in wishes}
    tasks = [
        asyncio.create_task(
            SensorSupervisor(
                each,
                adapter,
                lock,
                listeners[each.sensor_id].frames.append,
                listeners[each.sensor_id].states.append,
                resume_point,
                clock=clock_of_the_loop(),
                backoff=Backoff(first_s=0.1, longest_s=0.5, generator=random.Random(1)),
            ).run()
        )
        for each in wishes
    ]
    try:
        yield listeners
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert not adapter.is_scanning
        assert not any(each.is_connected for each in radio.peripherals.values())
        assert asyncio.all_tasks() - before == set()
        for listener in listeners.values():
            assert listener.states[-1].phase is LinkPhase.STOPPED


def assert_all_there(listener, played):
    samples = listener.samples()
    assert sorted(samples) == list(range(len(played)))
    assert np.array_equal(np.array([samples[index] for index in range(len(played))]), played.counts)


@in_virtual_time
async def test_three_sensors_stream_every_sample_unchanged():
    sources = [source(name, 150, seed=seed) for seed, name in enumerate(("pelvis", "left", "right"))]
    async with (
        VirtualRadio(sources, radio=QUICK) as radio,
        supervised(radio, *(wish(each.sensor_id) for each in sources)) as listeners,
    ):
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        await asyncio.sleep(0.1)
        for played in sources:
            listener = listeners[played.sensor_id]
            assert_all_there(listener, played)
            frames = listener.data()
            assert {each.n_samples for each in frames} == {10}
            assert [each.device_time_us for each in frames] == list(range(1_000_000, 2_500_000, 100_000))
            health = listener.states[-1].health
            assert (health.received, health.lost, health.duplicated, health.dropped) == (150, 0, 0, 0)
            assert (health.rejected, health.reconnects) == (0, 0)
            state = listener.states[-1]
            assert state.firmware == "1.0.0"
            assert (state.sampling_rate_hz, state.health.connection_interval_ms) == (100.0, 7.5)


@in_virtual_time
async def test_samples_arrive_when_they_were_made():
    played = source(n=100)
    async with VirtualRadio([played], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as listeners:
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        frames = [each for each in listeners["pelvis"].frames if each.kind is FrameKind.DATA]
        arrival_s = np.array([each.arrival_ns for each in frames]) / 1e9
        device_s = np.array([each.device_time_us for each in listeners["pelvis"].data()]) / 1e6
        lateness_s = arrival_s - device_s
        lateness_s -= lateness_s.min()
        assert np.median(lateness_s) < 0.02
        assert np.all(np.diff(arrival_s) > 0)


@pytest.mark.parametrize("how", ["drop", "hang up", "out of range"])
@in_virtual_time
async def test_a_lost_link_costs_no_sample(how):
    played = source(n=220)
    async with VirtualRadio([played], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as listeners:
        listener = listeners["pelvis"]
        await listener.reaches(lambda it: len(it.data()) >= 4)
        if how == "drop":
            radio.drop_link("pelvis")
        elif how == "hang up":
            await radio.hang_up("pelvis")
        else:
            radio.set_in_range("pelvis", in_range=False)
            await asyncio.sleep(0.7)
            radio.set_in_range("pelvis", in_range=True)
        await listener.is_connected(times=2)
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        await asyncio.sleep(0.1)
        assert_all_there(listener, played)
        health = listener.states[-1].health
        assert (health.received, health.lost, health.reconnects) == (220, 0, 1)
        assert LinkPhase.LOST in listener.phases()


@in_virtual_time
async def test_a_reboot_begins_a_new_stream():
    played = source(n=500)
    async with VirtualRadio([played], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as listeners:
        listener = listeners["pelvis"]
        await listener.reaches(lambda it: len(it.data()) >= 5)
        await radio.reboot("pelvis")
        await listener.is_connected(times=2)
        await listener.reaches(lambda it: len({each.stream_id for each in it.data()}) == 2)
        first, second = (
            [each for each in listener.data() if each.stream_id == stream_id]
            for stream_id in dict.fromkeys(each.stream_id for each in listener.data())
        )
        assert first[0].first_sample_index == second[0].first_sample_index == 0
        assert second[0].device_time_us < first[-1].device_time_us


@in_virtual_time
async def test_a_stream_that_stops_on_a_living_link_is_noticed():
    played = source(n=300)
    async with VirtualRadio([played], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as listeners:
        listener = listeners["pelvis"]
        await listener.reaches(lambda it: len(it.data()) >= 5)
        radio.peripherals["pelvis"].freeze(1.6)
        await listener.is_connected(times=2)
        assert "no samples for" in next(
            each.reason for each in listener.states if each.phase is LinkPhase.LOST
        )
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        await asyncio.sleep(0.1)
        assert_all_there(listener, played)


@in_virtual_time
async def test_the_end_of_a_recording_is_no_silence():
    async with VirtualRadio([source(n=60)], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as told:
        await asyncio.wait_for(radio.playback_finished.wait(), 5)
        await asyncio.sleep(1.5)
        assert told["pelvis"].phases() == [LinkPhase.SCANNING, LinkPhase.CONNECTING, LinkPhase.CONNECTED]


@in_virtual_time
async def test_waiting_for_the_other_sensors_is_no_silence():
    sources = [source("pelvis", 60), source("left", 60)]
    async with VirtualRadio(sources, radio=QUICK) as radio, supervised(radio, wish("pelvis")) as told:
        await told["pelvis"].is_connected()
        await asyncio.sleep(1.5)
        assert told["pelvis"].phases()[-1] is LinkPhase.CONNECTED
        assert told["pelvis"].data() == []
        radio.begin()
        await told["pelvis"].reaches(lambda it: len(it.data()) == 6)


@in_virtual_time
async def test_a_bad_air_costs_time_but_no_sample():
    bad = RadioConditions(connection_interval_ms=7.5, packet_error_rate=0.3, advertising_loss=0.3)
    played = source(n=100)
    async with VirtualRadio([played], radio=bad, seed=3) as radio, supervised(radio, wish("pelvis")) as told:
        await asyncio.wait_for(radio.playback_finished.wait(), 15)
        await asyncio.sleep(0.1)
        assert_all_there(told["pelvis"], played)


@in_virtual_time
async def test_what_the_host_loses_is_counted():
    leaky = RadioConditions(connection_interval_ms=7.5, host_loss=0.2)
    played = source(n=200)
    async with (
        VirtualRadio([played], radio=leaky, seed=5) as radio,
        supervised(radio, wish("pelvis")) as told,
    ):
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        await asyncio.sleep(0.1)
        health = told["pelvis"].states[-1].health
        there = len(told["pelvis"].samples())
        assert 100 <= there < 200
        last = max(told["pelvis"].samples())
        assert health.received == there
        assert health.lost == last + 1 - there


@in_virtual_time
async def test_a_queue_that_runs_over_is_told_by_the_sensor():
    played = source(n=200)
    async with (
        VirtualRadio([played], radio=QUICK, model=SensorModel(queue_frames=2)) as radio,
        supervised(radio, wish("pelvis", batch=2)) as told,
    ):
        listener = told["pelvis"]
        await listener.reaches(lambda it: len(it.data()) >= 5)
        radio.fade("pelvis", 34.5, 1.0)  # the signal just reaches: nine of ten packets have to be sent again
        await asyncio.wait_for(radio.playback_finished.wait(), 12)
        await asyncio.sleep(0.1)
        statuses = [decode_status(each.payload) for each in listener.frames if each.kind is FrameKind.STATUS]
        overflow = statuses[-1].overflow_count
        assert overflow > 0
        assert listener.states[-1].overflow_count == overflow
        assert listener.states[-1].health.lost == 2 * overflow
        assert any(each.gap_before for each in listener.data())


@in_virtual_time
async def test_clock_exchanges_bracket_the_sensor_clock():
    async with VirtualRadio([source(n=120)], radio=QUICK) as radio, supervised(radio, wish("pelvis")) as told:
        listener = told["pelvis"]
        times = lambda it: [each for each in it.frames if each.kind is FrameKind.TIME]  # noqa: E731
        await listener.reaches(lambda it: len(times(it)) >= 10)
        offsets_s, trips_s = [], []
        for each in times(listener):
            reply = decode_time_reply(each.payload)
            arrival_s = each.arrival_ns / 1e9
            offsets_s.append((reply.host_send_us / 1e6 + arrival_s) / 2 - reply.device_receive_us / 1e6)
            trips_s.append(arrival_s - reply.host_send_us / 1e6)
        best = int(np.argmin(trips_s))
        assert 0 < trips_s[best] < 0.05
        frame, decoded = next(
            (each, data)
            for each, data in zip(
                (each for each in listener.frames if each.kind is FrameKind.DATA),
                listener.data(),
                strict=True,
            )
        )
        made_s = decoded.device_time_us / 1e6 + 0.09 + offsets_s[best]  # the frame's last sample, host clock
        assert -trips_s[best] / 2 < frame.arrival_ns / 1e9 - made_s < 0.1
        await asyncio.wait_for(radio.playback_finished.wait(), 12)


@in_virtual_time
async def test_a_wrong_firmware_is_named_and_not_used():
    wrong = SensorModel(protocol_version=2)
    async with (
        VirtualRadio([source()], radio=QUICK, model=wrong) as radio,
        supervised(radio, wish("pelvis")) as told,
    ):
        await told["pelvis"].reaches(lambda it: LinkPhase.LOST in it.phases())
        reason = next(each.reason for each in told["pelvis"].states if each.phase is LinkPhase.LOST)
        assert "protocol version 2" in reason
        assert "this program version 1" in reason
        assert told["pelvis"].data() == []


@in_virtual_time
async def test_two_sensors_of_one_name_are_told_apart_by_address():
    sources = [source("pelvis", 100, seed=1), source("left", 100, seed=2)]
    names = {"pelvis": "clip", "left": "clip"}
    async with VirtualRadio(sources, radio=QUICK, names=names) as radio:
        async with supervised(radio, wish("pelvis"), wish("left")) as told:
            await asyncio.wait_for(radio.playback_finished.wait(), 12)
            await asyncio.sleep(0.1)
            for played in sources:
                assert_all_there(told[played.sensor_id], played)
        async with supervised(radio, wish("pelvis", address=None, name="clip")) as told:
            await told["pelvis"].reaches(lambda it: LinkPhase.LOST in it.phases())
            reason = next(each.reason for each in told["pelvis"].states if each.phase is LinkPhase.LOST)
            assert reason.startswith("2 sensors are called 'clip'")
            assert address_of("left") in reason


@in_virtual_time
async def test_a_restarted_bridge_goes_on_where_it_was_told_to():
    played = source(n=250)
    async with VirtualRadio([played], radio=QUICK) as radio:
        async with supervised(radio, wish("pelvis")) as told:
            await told["pelvis"].reaches(lambda it: len(it.data()) >= 6)
        before = told["pelvis"]
        first = before.data()[0]
        point = (first.stream_id, max(before.samples()) + 1)
        async with supervised(radio, wish("pelvis"), resume_point=lambda: point) as told:
            await asyncio.wait_for(radio.playback_finished.wait(), 12)
            await asyncio.sleep(0.1)
            after = told["pelvis"]
            assert min(after.samples()) == point[1]
            assert sorted({*before.samples(), *after.samples(first.stream_id)}) == list(range(250))
            assert after.states[-1].health.lost == 0


@in_virtual_time
async def test_a_sensor_that_is_not_there_does_not_keep_others_waiting():
    sources = [source("pelvis", 100), source("left", 100)]
    async with VirtualRadio(sources, radio=QUICK) as radio:
        radio.set_in_range("left", in_range=False)
        async with supervised(radio, wish("pelvis"), wish("left")) as told:
            await told["pelvis"].is_connected()
            assert told["left"].states[-1].phase is LinkPhase.SCANNING
            radio.set_in_range("left", in_range=True)
            await told["left"].is_connected()
            await asyncio.wait_for(radio.playback_finished.wait(), 12)


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.12, 0.2, 0.3, 0.45, 0.6])
@in_virtual_time
async def test_cancelling_at_any_moment_leaves_nothing(after_s, caplog):
    caplog.set_level(logging.ERROR)
    async with VirtualRadio([source()], radio=QUICK) as radio:
        async with supervised(radio, wish("pelvis")):
            await asyncio.sleep(after_s)
        async with supervised(radio, wish("pelvis")) as told:  # and the adapter can still be used
            await told["pelvis"].is_connected()
    assert caplog.records == []


@in_virtual_time
async def test_a_missing_adapter_is_said_once_where_a_person_sees_it(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="sensor_bridge")
    adapter = Adapter()

    async def fail(_sensor, _timeout_s, **_how):
        raise BluetoothUnavailable("Bluetooth cannot be used")

    monkeypatch.setattr(adapter, "find", fail)
    listener = Listener()
    task = asyncio.create_task(
        SensorSupervisor(
            wish("pelvis"),
            adapter,
            asyncio.Lock(),
            listener.frames.append,
            listener.states.append,
            backoff=Backoff(first_s=0.01, longest_s=0.01),
        ).run()
    )
    async with asyncio.timeout(5):
        while len(caplog.records) < 3:  # noqa: ASYNC110 - the log has no event to wait for
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [record.levelname for record in caplog.records[:3]] == ["WARNING", "INFO", "INFO"]
    assert {record.getMessage() for record in caplog.records} == {"Bluetooth cannot be used"}
