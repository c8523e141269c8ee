"""The broker is killed in mid-set and comes back: events wait on the disk, live goes on."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.mqtt.topics import Channel
from tests.end_to_end.conftest import wait_until, write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import HiplineProcess, Observer, VirtualSensors
    from tests.mosquitto_broker import Mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.realtime]

OUTAGE_S = 7.0
LONGEST_BACKOFF_S = 5.0
SLOW_MACHINE_S = 15.0


def test_what_happens_without_a_broker_is_told_afterwards(
    hipline: Callable[..., HiplineProcess],
    virtual_sensors: Callable[..., VirtualSensors],
    mosquitto: Mosquitto,
    observer: Observer,
    tmp_path: Path,
) -> None:
    sensors = virtual_sensors(seed=5)
    bridge = hipline("run", "--config", str(write_config(tmp_path, broker=mosquitto, sensors=sensors)))

    wait_until(lambda: len(observer.repetitions()) == 1, "a repetition", 40)
    wait_until(lambda: observer.phase == "eccentric", "the second lowering", 30)
    mosquitto.kill()
    n_live = len(observer.envelopes(Channel.LIVE))
    time.sleep(OUTAGE_S)
    assert len(observer.repetitions()) == 1
    mosquitto.start()
    wait_until(
        lambda: len(observer.envelopes(Channel.LIVE)) > n_live + 10,
        "live again",
        LONGEST_BACKOFF_S + 3.0 + SLOW_MACHINE_S,
    )
    wait_until(lambda: len(observer.repetitions()) >= 2, "what happened meanwhile", SLOW_MACHINE_S)

    sensors.finished(40)
    wait_until(lambda: len(observer.repetitions()) == 4, "all repetitions", 30)
    assert bridge.stop() == 0, bridge.said
    wait_until(lambda: observer.service_state == "offline", "the end", 30)

    repetitions = observer.repetitions()
    assert [(told.set, told.repetition) for told in repetitions.values()] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    events = observer.envelopes(Channel.REPETITION)
    assert {event.id for event in events} == set(repetitions)
    assert all(told.final and told.status == "confirmed" for told in repetitions.values())
    # In the order they happened: a repetition's revisions never go back.
    for event_id in repetitions:
        revisions = [event.data.revision for event in events if event.id == event_id]
        assert revisions == sorted(revisions)
    # What was live during the outage is gone, and what is retained is up to date.
    live_ms = [event.data.t_ms for event in observer.envelopes(Channel.LIVE)]
    holes_s = [(after - before) / 1000 for before, after in pairwise(live_ms)]
    assert OUTAGE_S - 1.0 < max(holes_s) < OUTAGE_S + LONGEST_BACKOFF_S + 3.0 + SLOW_MACHINE_S
    assert observer.envelopes(Channel.STATE)[-1].data.last_repetition.repetition == 4
