"""The bridge: one task group from radio to broker.

A frame's way: stamped by the link, written to the frame log, queued, measured, published. After a crash the
log is read first: the measurements stand where they stood, and the events go out under the ids they had.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from firmware_protocol.errors import ProtocolError
from sensor_bridge.alarms import bridge_alarms
from sensor_bridge.announcement import announced, announcement_path
from sensor_bridge.archive.catching_up import catch_up
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.session_archive import SessionArchive
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backfilling import Backfilling
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import FrameKind, LinkPhase, LinkState
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.command_desk import CommandDesk
from sensor_bridge.errors import ConfigError, first_to_blame
from sensor_bridge.healing import Healing
from sensor_bridge.home_assistant.gym import with_home_assistant
from sensor_bridge.host_clock import HostClock
from sensor_bridge.intake import Intake
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.forgotten import clear_when_possible
from sensor_bridge.mqtt.outbox import Outbox
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.status import ServiceStatusPublisher
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import SERVICE
from sensor_bridge.mqtt_access import MqttAccess, open_broker
from sensor_bridge.network_access import network_access
from sensor_bridge.page import open_page
from sensor_bridge.prescribed import PrescriptionStore, with_prescriptions
from sensor_bridge.publisher import Publisher, outbox_emptied
from sensor_bridge.readiness import imports_spared_from_collection, prepare_to_measure
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.sensor_calibrations import from_metadata, read_calibrations
from sensor_bridge.recording.session import create_session, session_to_go_on_with
from sensor_bridge.sensor_report import WornSensor, log_metadata, sensor_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.adapter import Adapter
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.config import Config
    from sensor_bridge.recording.session import Session
    from sensor_bridge.remeasuring import Remeasured

log = logging.getLogger(__name__)

_STATUS_PERIOD_S = 1.0
_LONGEST_FAREWELL_S = 10.0


@dataclass(slots=True)
class Bridge:
    """A running bridge, as those see it who wait for its end.

    Parameters
    ----------
    dashboard_url
        What opens the page for the coach: the address with the token behind its ``#``, which browsers do not
        send; None where it is not served.
    broker
        Where the messages go.
    session
        The running session.
    links
        Last report on each sensor's link.
    """

    dashboard_url: str | None
    broker: MqttAccess
    session: Session
    links: dict[str, LinkState] = field(default_factory=dict)


class _Run:
    """The state of one run, shared by its tasks."""

    def __init__(
        self,
        config: Config,
        bridge: Bridge,
        publisher: Publisher,
        client: MqttClient,
        prescriptions: PrescriptionStore,
        intake: Intake,
        status: ServiceStatusPublisher,
        clock: HostClock,
        archive: SessionArchive,
        watch: Callable[[str, PipelineOutput], None] | None,
        on_remeasured: Callable[[str, Remeasured], None] | None,
    ) -> None:
        def note(athlete_id: str, output: PipelineOutput) -> None:
            archive.take_angles(athlete_id, output)
            if watch is not None:
                watch(athlete_id, output)

        def note_again(athlete_id: str, remeasured: Remeasured) -> None:
            archive.take_again(athlete_id, remeasured)
            if on_remeasured is not None:
                on_remeasured(athlete_id, remeasured)

        self.bridge = bridge
        self.publisher = publisher
        self.intake = intake
        self.status = status
        self.clock = clock
        self.batch = config.streaming.batch
        self.sensors = {
            sensor.id: WornSensor(athlete, sensor, config.streaming, config.layouts)
            for athlete in config.athletes
            for sensor in athlete.sensors
        }
        self.planners = {sensor_id: BackfillPlanner() for sensor_id in self.sensors}
        # Those of the header: read again, the log gives the same numbers.
        calibrations = from_metadata(bridge.session.metadata.get("calibrations"))
        self.sessions = {
            athlete.id: AthleteSession(athlete, bridge.session.session_id, note, calibrations)
            for athlete in config.athletes
        }
        for athlete_id, session in self.sessions.items():
            archive.follow(athlete_id, session.to_utc_ns)
        self.healing = Healing(
            bridge.session.frame_log_path,
            self.sessions,
            self.planners,
            bridge.links,
            intake.take,
            clock.now_ns,
            calibrations=calibrations,
            on_remeasured=note_again,
            wants_whole=on_remeasured is not None,
            is_log_whole=lambda: intake.is_log_whole,
        )
        self.supervisors: dict[str, SensorSupervisor] = {}
        self.desk = CommandDesk(
            SERVICE,
            bridge.session.session_id,
            publisher.topics,
            client,
            self.sessions,
            lambda sensor_id, duration_s: self.supervisors[sensor_id].identify(duration_s),
            intake.take,
            clock.now_ns,
            prescriptions,
        )

    async def begin(self) -> None:
        now_ms = self.clock.now_ms()
        for session in self.sessions.values():
            await self.publisher.publish(session.begin(now_ms))

    async def read_log_again(self) -> int:
        """Bring the sessions to where they stood when the bridge was cut off; return the frames read."""
        n_frames = last_ns = 0
        decoders = {sensor_id: FrameDecoder() for sensor_id in self.sensors}
        told = {sensor_id: Backfilling(planner) for sensor_id, planner in self.planners.items()}
        for frame in read_frame_log(self.bridge.session.frame_log_path):
            if frame.sensor_id in self.sensors:
                with contextlib.suppress(ProtocolError):  # counted where it is measured
                    told[frame.sensor_id].take(frame, decoders[frame.sensor_id].push(frame))
                await self.measure(frame, live=False)
                n_frames += 1
                last_ns = max(last_ns, frame.arrival_ns)
            if n_frames % 100 == 0:
                await asyncio.sleep(0)
        self.clock.not_before(last_ns)
        return n_frames

    async def measure(self, frame: ReceivedFrame, *, live: bool = True) -> None:
        if frame.kind is FrameKind.HEALED:
            messages = await self.healing.corrections(frame)
        elif frame.kind is FrameKind.COMMAND:
            messages = self.desk.obey(frame, is_live=live)
        else:
            messages = self.sessions[self.sensors[frame.sensor_id].athlete.id].take(frame)
        await self.publisher.publish(messages, live=live)

    async def measure_all(self) -> None:
        async for frame in self.intake.frames():
            await self.measure(frame)

    async def report_sensors(self) -> None:
        while True:
            await self.tell_sensors()
            await asyncio.sleep(_STATUS_PERIOD_S)

    async def tell_sensors(self) -> None:
        self.intake.log_unlogged()
        now_ms = self.clock.now_ms()
        for sensor_id, worn in self.sensors.items():
            link = self.bridge.links.get(sensor_id, LinkState(sensor_id, LinkPhase.SCANNING))
            await self.publisher.publish([sensor_status(worn, link, self.quality(sensor_id), now_ms)])
        for code, text in bridge_alarms(
            dropped=self.intake.dropped,
            unlogged=self.intake.unlogged,
            never_logged=self.intake.never_logged,
            late_samples=sum(session.late_samples for session in self.sessions.values()),
            links=self.bridge.links.values(),
            batch=self.batch,
        ).items():
            self.status.set_alarm(code, text)

    def quality(self, sensor_id: str) -> SensorQuality:
        return self.sessions[self.sensors[sensor_id].athlete.id].quality(sensor_id)

    async def finish(self) -> None:
        for frame in self.intake.rest():
            await self.measure(frame)
        for session in self.sessions.values():
            await self.publisher.publish(session.finish())
        await self.publisher.publish(await self.healing.finish())
        await self.tell_sensors()


async def run_bridge(
    config: Config,
    adapter: Adapter,
    until: Callable[[Bridge], Awaitable[None]],
    *,
    watch: Callable[[str, PipelineOutput], None] | None = None,
    on_remeasured: Callable[[str, Remeasured], None] | None = None,
) -> dict[str, SensorQuality]:
    """Run the bridge until `until` returns, then end the session in order.

    Parameters
    ----------
    config
        Who wears what, and where messages go.
    adapter
        The radio.
    until
        Called once everything runs; when it returns the bridge ends. When this task is cancelled the session
        stays open, and the next start goes on in it.
    watch
        Told what each athlete's pipeline says, on the pipeline's own timeline.
    on_remeasured
        Told of each athlete's session that was measured again, with samples fetched later.

    Returns
    -------
    dict[str, SensorQuality]
        What became of each sensor's samples.

    Raises
    ------
    BridgeError
        Something is wrong that a person has to mend.
    """
    clock = HostClock()
    topics = Topics(config.gym)
    try:
        config.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # measurements of people
    except OSError as error:
        raise ConfigError(
            f"data_folder: {config.data_folder} cannot be made: {error.strerror}: choose another"
        ) from error
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(imports_spared_from_collection())
        network = network_access(config)
        access = await stack.enter_async_context(open_broker(config, topics, network))
        stack.enter_context(announced(access, config.gym, announcement_path(config.data_folder)))
        reader = ArchiveReader(config.data_folder)
        page = await stack.enter_async_context(open_page(config, access, reader, network))
        metadata = log_metadata(config, read_calibrations(config.data_folder))
        prescriptions = PrescriptionStore(config.data_folder, config)
        unfinished = session_to_go_on_with(config.data_folder, metadata)
        session = unfinished or create_session(
            config.data_folder,
            {**metadata, "clock": clock.origin, "prescribed": prescriptions.overrides()},
        )
        clock.go_on(session.metadata.get("clock"))
        config = with_prescriptions(config, session.metadata.get("prescribed", {}))
        status = ServiceStatusPublisher(
            topics.service_status(SERVICE),
            version=version("hipline"),
            session=session.session_id,
            now_ms=clock.now_ms,
        )
        client = await stack.enter_async_context(
            MqttClient(access.bridge_settings(f"{config.gym}-{SERVICE}", status.will))
        )
        outbox = await stack.enter_async_context(
            Outbox(config.outbox.settings(config.data_folder), client, status.set_alarm, clock.now_ms)
        )
        board = stack.enter_context(with_home_assistant(config, RetainedBoard(client, status.set_alarm)))
        archive = await stack.enter_async_context(
            SessionArchive(config.data_folder, session, status.set_alarm)
        )
        archive.begin({athlete.id: athlete.name for athlete in config.athletes})
        frame_log = stack.enter_context(session.open_log())
        bridge = Bridge(page, access, session)
        await asyncio.to_thread(prepare_to_measure)
        run = _Run(
            config,
            bridge,
            Publisher(topics, session.session_id, client, outbox, board, archive),
            client,
            prescriptions,
            Intake(frame_log),
            status,
            clock,
            archive,
            watch,
            on_remeasured,
        )
        stack.enter_context(first_to_blame())
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(outbox.run(), name="outbox"),
                tasks.create_task(board.run(), name="retained messages"),
                tasks.create_task(clear_when_possible(config, access), name="forgotten athletes"),
            ]
            async with status.attach(board):
                if unfinished:
                    n_frames = await run.read_log_again()
                    log.info("session %s goes on: %d frames read again", session.session_id, n_frames)
                await run.begin()
                background.append(tasks.create_task(catch_up(config.data_folder), name="archive"))
                await _stream(run, adapter, until, tasks)
                await run.finish()
                await outbox_emptied(outbox, _LONGEST_FAREWELL_S)
            for task in background:
                task.cancel()
        ended = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)
        await archive.end(float(int(ended.timestamp() * 1000)))
        session.close(ended)
        return {sensor_id: run.quality(sensor_id) for sensor_id in run.sensors}


async def _stream(
    run: _Run, adapter: Adapter, until: Callable[[Bridge], Awaitable[None]], tasks: asyncio.TaskGroup
) -> None:
    """Stream from all sensors until it is enough."""
    connect_lock = asyncio.Lock()

    def note_link(state: LinkState) -> None:
        run.bridge.links[state.sensor_id] = state

    run.supervisors |= {
        sensor_id: SensorSupervisor(
            worn,
            adapter,
            connect_lock,
            run.intake.take,
            note_link,
            clock=run.clock,
            planner=run.planners[sensor_id],
        )
        for sensor_id, worn in run.sensors.items()
    }
    streaming = [
        tasks.create_task(supervisor.run(), name=f"sensor {sensor_id}")
        for sensor_id, supervisor in run.supervisors.items()
    ]
    streaming.append(tasks.create_task(run.desk.run(), name="commands"))
    streaming.append(tasks.create_task(run.measure_all(), name="measuring"))
    streaming.append(tasks.create_task(run.healing.run(), name="healing"))
    streaming.append(tasks.create_task(run.report_sensors(), name="sensor status"))
    streaming.append(tasks.create_task(asyncio.to_thread(AthleteSession.prepare), name="exercise model"))
    await until(run.bridge)
    await run.healing.settle()
    for task in streaming:
        task.cancel()
    await asyncio.wait(streaming)
