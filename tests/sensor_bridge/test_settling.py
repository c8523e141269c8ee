"""Waiting at the end of a session for what the sensors still have; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firmware_protocol.packets import BulkOpcode, BulkReply, BulkResult, Survey
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.link import LinkPhase, LinkState
from sensor_bridge.ble.samples import SampleRun
from sensor_bridge.healing import Healing

if TYPE_CHECKING:
    import pytest

N_KEPT = 30


def samples(stream_id: int, first: int = 0) -> SampleRun:
    return SampleRun(
        stream_id=stream_id,
        first_sample_index=first,
        device_time_us=10_000 * first,
        sampling_rate_hz=100.0,
        values=np.zeros((10, 6)),
        acc_unit_m_s2=1.0,
        gyr_unit_rad_s=1.0,
    )


def rebooted() -> BackfillPlanner:
    """Plan for a sensor that began a second stream: of the first it may have more than came."""
    planner = BackfillPlanner()
    planner.link_up(can_fetch=True)
    for stream_id in (1, 2):
        planner.note(samples(stream_id))
    return planner


def survey_reply(asked: Survey) -> BulkReply:
    return BulkReply(
        opcode=BulkOpcode.SURVEY,
        tag=asked.tag,
        result=BulkResult.OK,
        pages=0,
        stream_id=asked.stream_id,
        first_sample_index=0,
        end_sample_index=N_KEPT,
        next_stream_id=2,
        capacity_samples=1000,
        stored_samples=N_KEPT,
    )


async def settled_s(planner: BackfillPlanner, phase: LinkPhase) -> float:
    """Settle with one sensor; return how long that took, s."""
    links = {"hip": LinkState("hip", phase)}
    healing = Healing(Path("frames.log"), {}, {"hip": planner}, links, lambda _frame: None, lambda: 0)
    began_s = asyncio.get_running_loop().time()
    await healing.settle()
    return asyncio.get_running_loop().time() - began_s


async def settled_while_it_answers_s(planner: BackfillPlanner, after_s: float) -> float:
    """Settle while the sensor answers a survey late, and loses what it has when it is as late again."""
    loop = asyncio.get_running_loop()

    async def answer() -> None:
        asked = planner.next_request(loop.time())
        assert isinstance(asked, Survey)
        await asyncio.sleep(after_s)
        planner.take(survey_reply(asked), loop.time())
        assert planner.missing == N_KEPT - 10
        await asyncio.sleep(after_s)
        planner.link_up(can_fetch=False)

    answering = asyncio.create_task(answer())
    took_s = await settled_s(planner, LinkPhase.CONNECTED)
    await answering
    return took_s


def test_a_stream_that_was_not_surveyed_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    planner = rebooted()
    assert (planner.missing, planner.n_unanswered) == (0, 1)
    with caplog.at_level(logging.WARNING, logger="sensor_bridge"):
        took_s = run_in_virtual_time(settled_while_it_answers_s(planner, 1.2))
    assert took_s > 2 * 1.2
    assert planner.is_done
    assert caplog.records == []


def test_what_is_left_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sensor_bridge"):
        assert run_in_virtual_time(settled_s(rebooted(), LinkPhase.CONNECTED)) <= 30.0
    (said,) = [record.getMessage() for record in caplog.records]
    assert "0 samples are missing, 1 questions are unanswered; hipline sensors log downloads" in said


def test_a_sensor_that_is_away_is_not_waited_for_but_said(caplog: pytest.LogCaptureFixture) -> None:
    planner = rebooted()
    planner.want(2, 100, 130)
    with caplog.at_level(logging.WARNING, logger="sensor_bridge"):
        assert run_in_virtual_time(settled_s(planner, LinkPhase.LOST)) == 0.0
    (said,) = [record.getMessage() for record in caplog.records]
    assert "30 samples are missing, 1 questions" in said


def test_a_request_that_was_set_aside_counts_as_unanswered() -> None:
    planner = rebooted()
    now_s = 0.0
    while not planner.is_done:
        planner.next_request(now_s)
        now_s += 6.0  # longer than an answer is waited for
    assert planner.n_unanswered == 1
