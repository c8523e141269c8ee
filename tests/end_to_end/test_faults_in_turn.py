"""One training, and everything fails in turn: no repetition is lost, and each fault is told.

The virtual athlete does one long set over the virtual radio. Meanwhile the coach loses the Wi-Fi, her browser
falls asleep, the wall clock jumps, the broker dies, loses its memory, passwords and rules, and the disk fills
up. With ``HIPLINE_FAULTS=full`` in the environment the absences are as long as docs/reliability.md says: that
takes a quarter of an hour.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.sync_api import expect

from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.mqtt.outbox_store import OutboxStore
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.virtual_radio import rehearse
from tests.cut_network import CutNetwork
from tests.end_to_end.conftest import (
    Observer,
    hipline_processes,
    start_virtual_sensors,
    wait_until,
)
from tests.end_to_end.test_crash import samples_logged
from tests.end_to_end.training import SLOW_MACHINE_S, Training, configuration, page_of, standing, wait_for
from tests.mosquitto_broker import ACCESS, Mosquitto, require_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.realtime]

IS_FULL = os.environ.get("HIPLINE_FAULTS") == "full"
REPETITIONS, LOWERING_S = (190, 2.5) if IS_FULL else (16, 1.5)
WITHOUT_WIFI_S, ASLEEP_S, WITHOUT_BROKER_S = (60.0, 600.0, 60.0) if IS_FULL else (4.0, 4.0, 4.0)
SEED = 11
LONG_SET = f"""
exercise = "romanian_deadlift"
repetitions = {REPETITIONS}
lead_in_s = 3.0
lead_out_s = 8.0
[tempo]
eccentric_s = {LOWERING_S}
bottom_s = 0.3
concentric_s = 1.0
top_s = 0.7
"""
HOUR_S = 3600
NOTHING_FITS = 4096  # bytes a file may have


@pytest.fixture(scope="module")
def wall_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the library that lets a process see another wall clock."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed: apt install gcc libc6-dev")
    library = tmp_path_factory.mktemp("clock") / "wall_clock.so"
    source = Path(__file__).with_name("wall_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory, wall_clock: Path) -> Iterator[Training]:
    """Do the set, break one thing after the other, and mend it."""
    require_mosquitto()
    folder = tmp_path_factory.mktemp("training")
    (folder / "mosquitto").mkdir()
    broker = Mosquitto(folder / "mosquitto")
    broker.start()
    shift = folder / "shift"
    shift.write_text("0")
    with ExitStack() as stack:
        stack.callback(broker.stop)
        hipline = stack.enter_context(hipline_processes())
        page_wifi, broker_wifi = stack.enter_context(CutNetwork()), stack.enter_context(CutNetwork())
        broker_wifi.target = broker.websocket_port
        observer = Observer(broker)
        stack.callback(observer.close)
        sensors = start_virtual_sensors(hipline, folder, LONG_SET, seed=SEED, simulating_s=600.0)
        config = configuration(folder, broker, sensors, broker_wifi.port)
        bridge = hipline(
            "run",
            "--config",
            str(config),
            environment={"LD_PRELOAD": str(wall_clock), "WALL_CLOCK": str(shift)},
        )
        bridge.says("Dashboard: ", 60)
        url = re.search(r"Dashboard: (\S+)", bridge.said)[1]  # type: ignore[index]
        page_wifi.target = int(re.search(r":(\d+)/", url)[1])  # type: ignore[index]
        page = stack.enter_context(page_of(url.replace(f":{page_wifi.target}/", f":{page_wifi.port}/")))
        done = Training(folder, broker, bridge, observer, page, url)
        page.on("response", lambda answer: done.answers.append(f"{answer.status} {answer.url}"))

        wait_until(lambda: len(observer.repetitions()) >= 1, "a repetition", 60)
        done.shows_all("nothing")
        with done.fault("Wi-Fi"), done.fault("clock"):
            page_wifi.cut()
            broker_wifi.cut()
            shift.write_text(str(HOUR_S))
            done.goes_on(1, WITHOUT_WIFI_S)
            done.banners["Wi-Fi"] = page.get_by_role("alert").inner_text()
            page_wifi.mend()
            broker_wifi.mend()
        done.shows_all("Wi-Fi")

        page.evaluate("() => { window.longest_beat_ms = 0; }")
        browser = page.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
        pids = [process["id"] for process in browser.send("SystemInfo.getProcessInfo")["processInfo"]]
        with done.fault("asleep"):
            shift.write_text(str(-HOUR_S))
            with _stopped(pids):
                broker_wifi.cut()  # ten minutes are longer than any connection lives
                done.goes_on(1, ASLEEP_S)
                broker_wifi.mend()
        shift.write_text("0")
        done.shows_all("asleep")
        done.longest_beat_ms = page.evaluate("() => window.longest_beat_ms")

        with done.fault("broker"):
            broker.stop()
            done.goes_on(2, WITHOUT_BROKER_S)
            broker.start()
        done.everybody_knows(done.ends_ms().keys())
        done.revisions = [(event.id, event.data.revision) for event in observer.envelopes(Channel.REPETITION)]

        with done.fault("state lost"):
            broker.kill()
            (broker.folder / "mosquitto.db").unlink(missing_ok=True)
            broker.passwords["bridge"] = "another"
            broker.grant(ACCESS)
            broker.start()
        with done.fault("password"):
            bridge.says("refused 'gym-1-bridge'")
            done.goes_on(1)
            broker.stop()
            broker.passwords["bridge"] = "correct-horse"
            broker.grant(f"{ACCESS}\nuser bridge\ntopic deny hipline/v1/gym-1/athlete/anna/rep\n")
            broker.start()
        with done.fault("rules"):
            done.goes_on(1)
            wait_until(
                lambda: "put aside" in str(observer.envelopes(Channel.SERVICE_STATUS)[-1]), "the alarm", 30
            )
            broker.stop()
            broker.grant(ACCESS)
            broker.start()
            done.is_quiet()
        done.shows_all("rules")

        unlimited = resource.RLIM_INFINITY
        with done.fault("disk"):
            resource.prlimit(bridge.process.pid, resource.RLIMIT_FSIZE, (NOTHING_FITS, unlimited))
            done.goes_on(2)
            done.shows_all("disk")
            told = page.get_by_test_id("bridge-alarms")
            expect(told).to_contain_text("free some space on the disk", timeout=SLOW_MACHINE_S * 1000)
            done.banners["disk"] = told.inner_text()
            resource.prlimit(bridge.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
            done.is_quiet()

        sensors.finished(90)
        wait_for(lambda: len(done.ends_ms()) >= REPETITIONS, "all repetitions")
        done.shows_all("the end")
        latecomer = Observer(broker, name="latecomer")
        stack.callback(latecomer.close)
        due = {Channel.STATE: 1, Channel.SENSOR_STATUS: 3, Channel.SERVICE_STATUS: 1}
        wait_until(
            lambda: all(len(latecomer.envelopes(channel)) >= count for channel, count in due.items()),
            "what is retained",
            SLOW_MACHINE_S,
        )
        done.retained = {channel: latecomer.envelopes(channel) for channel in due}
        assert bridge.stop() == 0, bridge.said
        (session,) = (path.name for path in (folder / "data" / "sessions").iterdir())
        done.archived = msgspec.to_builtins(ArchiveReader(folder / "data").session(session, "anna"))
        _, _, truth = rehearse(str(sensors.scenario_path), SEED, None)
        done.true_eccentric_s = [each["eccentric_s"] for each in truth["repetitions"]]
        yield done


@contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_no_repetition_is_lost_and_none_is_told_as_another(training: Training) -> None:
    repetitions = standing(training.archived)
    assert [(each["set"], each["repetition"]) for each in repetitions] == [
        (1, number) for number in range(1, REPETITIONS + 1)
    ]
    assert all(each["final"] for each in repetitions)
    assert [each["eccentric_s"] for each in repetitions] == pytest.approx(training.true_eccentric_s, abs=0.25)
    assert training.shown["the end"] == REPETITIONS


def test_a_coach_without_wifi_is_told_and_misses_nothing(training: Training) -> None:
    assert len(training.in_window("Wi-Fi")) >= 1
    assert "trying again" in training.banners["Wi-Fi"]
    assert training.shown["Wi-Fi"] > training.shown["nothing"]
    answered = [answer for answer in training.answers if "/api/v1/sessions/" in answer]
    assert answered
    assert all(answer.startswith("200 ") for answer in answered)


def test_a_browser_that_slept_shows_the_present_and_misses_nothing(training: Training) -> None:
    assert training.longest_beat_ms > (ASLEEP_S - 1.0) * 1000  # it did sleep
    assert len(training.in_window("asleep")) >= 1
    assert training.shown["asleep"] > training.shown["Wi-Fi"]


def test_a_wall_clock_that_jumps_an_hour_is_not_seen(training: Training) -> None:
    assert len(training.in_window("clock")) >= 1  # by the clock of this test, which did not jump
    repetitions = standing(training.archived)
    starts_ms = [each["eccentric_start_ms"] for each in repetitions]
    assert all(
        after - before == pytest.approx(LOWERING_S * 1000 + 2000, abs=700)
        for before, after in pairwise(starts_ms)
    )
    assert [each["id"] for each in repetitions] == sorted(each["id"] for each in repetitions)
    lives_ms = [event.data.t_ms for event in training.observer.envelopes(Channel.LIVE)]
    assert all(0 < after - before < HOUR_S * 100 for before, after in pairwise(lives_ms))


def test_what_happens_without_a_broker_is_told_afterwards_in_order(training: Training) -> None:
    missed = {each["id"] for each in training.in_window("broker")}
    assert len(missed) >= 2
    assert missed <= {event_id for event_id, _ in training.revisions}
    for event_id in missed:
        revisions = [revision for told, revision in training.revisions if told == event_id]
        assert revisions == sorted(revisions)
    first_told = list(dict.fromkeys(event_id for event_id, _ in training.revisions))
    assert first_told == sorted(first_told)  # an id begins with its time
    # What was live meanwhile is gone.
    began_ms, ended_ms = training.windows_ms["broker"]
    lives_ms = [event.data.t_ms for event in training.observer.envelopes(Channel.LIVE)]
    assert not [t_ms for t_ms in lives_ms if began_ms + 1000 < t_ms < ended_ms - 1000]


def test_a_broker_that_lost_its_state_gets_all_that_is_retained_anew(training: Training) -> None:
    state = training.retained[Channel.STATE][-1].data
    assert state.last_repetition.repetition == REPETITIONS
    assert len({event.data.sensor for event in training.retained[Channel.SENSOR_STATUS]}) == 3
    assert training.retained[Channel.SERVICE_STATUS][-1].data.state == "online"


def test_a_wrong_password_is_told_in_the_terminal_and_costs_nothing(training: Training) -> None:
    assert len(training.in_window("password")) >= 1
    assert training.bridge.said.count("refused 'gym-1-bridge'") == 1


def test_rules_that_forbid_repetitions_are_an_alarm_and_cost_nothing(training: Training) -> None:
    assert len(training.in_window("rules")) >= 1
    assert any("put aside" in alarm and "Not authorized" in alarm for alarm in training.alarms["rules"])
    with OutboxStore(training.folder / "data" / "outbox.sqlite") as outbox:
        assert outbox.dead_letters() == outbox.queues() == outbox.given_up() == []


def test_with_a_full_disk_live_goes_on_and_all_is_written_afterwards(training: Training) -> None:
    assert len(training.in_window("disk")) >= 2
    assert training.banners["disk"].startswith("The bridge says: ")
    said = " ".join(training.alarms["disk"])
    assert "wait in memory, not logged: free some space on the disk" in said
    assert "the outbox cannot be written" in said
    assert "in memory only" in training.bridge.said
    began_ms, ended_ms = training.windows_ms["disk"]
    lives_ms = [event.data.t_ms for event in training.observer.envelopes(Channel.LIVE)]
    assert sum(began_ms <= t_ms <= ended_ms for t_ms in lives_ms) > 10
    # Frames that the disk refused were logged later: nothing is missing in the log.
    (log_path,) = (training.folder / "data" / "sessions").glob("*/frames.log")
    logged = samples_logged(log_path)
    assert len(logged) == 3
    for ranges in logged.values():
        assert all(one.stop == following.start for one, following in pairwise(ranges))
