"""A scripted gym: athletes whose messages are computed, not measured, published as the bridge would."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Self

import paho.mqtt.client as mqtt

from sensor_bridge.mqtt.event_ids import event_id, message_id
from sensor_bridge.mqtt.payloads import (
    AthleteState,
    FoundFault,
    Live,
    Repetition,
    SegmentCalibration,
    SensorStatus,
    ServiceStatus,
    SetSummary,
    Target,
    encode,
    envelope,
)
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.result_payloads import brief_payload

RATE_HZ = 50
SESSION = "session-1"


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds of each part of a repetition."""

    eccentric_s: float = 5.0
    bottom_s: float = 0.4
    concentric_s: float = 1.1
    top_s: float = 1.5

    @property
    def whole_s(self) -> float:
        return self.eccentric_s + self.bottom_s + self.concentric_s + self.top_s


@dataclass(frozen=True, slots=True)
class Movement:
    """Change of the angles from the top to the bottom of a repetition, degrees, and where they start."""

    tilt: float
    thigh_left: float
    thigh_right: float
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    posture: str = "standing"


RDL = Movement(tilt=58.0, thigh_left=24.0, thigh_right=22.0)
SINGLE_LEG_LEFT = Movement(tilt=61.0, thigh_left=18.0, thigh_right=-52.0)
MICRO_HINGE = Movement(tilt=10.0, thigh_left=5.0, thigh_right=5.0)
BRIDGE = Movement(
    tilt=26.0, thigh_left=18.0, thigh_right=18.0, start=(-118.0, 108.0, 108.0), posture="supine"
)


@dataclass
class ScriptedAthlete:
    """One athlete doing one set; time 0 is the start of the first lowering."""

    athlete: str
    name: str
    exercise: str = "romanian_deadlift"
    side: str = "both"
    movement: Movement = RDL
    tempo: Tempo = field(default_factory=Tempo)
    target: Target | None = field(
        default_factory=lambda: Target(repetitions=8, sets=3, eccentric_s=5.0, bottom_s=0.0, top_s=0.0)
    )
    set_number: int = 1
    obliquity_deg: float = 1.5
    battery_percent: tuple[float, ...] = (92.0, 88.0, 79.0)
    placements: tuple[str, ...] = ("pelvis", "thigh_left", "thigh_right")
    overrides: dict[int, dict[str, object]] = field(default_factory=dict)

    def completed(self, at_s: float) -> int:
        """Repetitions finished by then."""
        asked = self.target.repetitions if self.target and self.target.repetitions else 8
        done = math.floor((at_s + self.tempo.top_s) / self.tempo.whole_s) if at_s > 0 else 0
        return max(0, min(asked, done))

    def moment(self, at_s: float) -> tuple[str, float, float | None]:
        """Phase, depth 0..1 and the start of the running lowering (seconds) at a time."""
        asked = self.target.repetitions if self.target and self.target.repetitions else 8
        tempo = self.tempo
        number, within = divmod(at_s, tempo.whole_s)
        if at_s < 0:
            return "standing", 0.0, None
        if number >= asked:
            return "rest", 0.0, None
        if within < tempo.eccentric_s:
            return "eccentric", _ease(within / tempo.eccentric_s), number * tempo.whole_s
        within -= tempo.eccentric_s
        if within < tempo.bottom_s:
            return "bottom", 1.0, None
        within -= tempo.bottom_s
        if within < tempo.concentric_s:
            return "concentric", 1.0 - _ease(within / tempo.concentric_s), None
        return "top", 0.0, None

    def live(self, from_s: float, to_s: float, zero_ms: float) -> Live:
        """The samples after `from_s` up to `to_s`."""
        count = max(1, round((to_s - from_s) * RATE_HZ))
        times = [to_s - (count - 1 - k) / RATE_HZ for k in range(count)]
        depths = [self.moment(t)[1] for t in times]
        sway = [0.6 * math.sin(1.7 * t) + 0.3 * math.sin(5.1 * t) for t in times]
        tilt0, left0, right0 = self.movement.start
        tilt = [tilt0 + self.movement.tilt * d + s for d, s in zip(depths, sway, strict=True)]
        left = [left0 + self.movement.thigh_left * d for d in depths]
        right = [right0 + self.movement.thigh_right * d for d in depths]
        has = self.placements
        phase, depth, start_s = self.moment(to_s)
        both = "pelvis" in has
        return Live(
            t_ms=zero_ms + to_s * 1000,
            rate_hz=RATE_HZ,
            posture=self.movement.posture,
            phase=phase,
            set=self.set_number,
            repetition=self.completed(to_s),
            pelvic_tilt_deg=tilt if "pelvis" in has else None,
            pelvic_obliquity_deg=(
                [self.obliquity_deg * d + 0.4 * s for d, s in zip(depths, sway, strict=True)]
                if both
                else None
            ),
            pelvic_rotation_deg=[0.2 * s for s in sway] if both else None,
            thigh_flexion_left_deg=left if "thigh_left" in has else None,
            thigh_flexion_right_deg=right if "thigh_right" in has else None,
            hip_flexion_left_deg=_sum(tilt, left) if both and "thigh_left" in has else None,
            hip_flexion_right_deg=_sum(tilt, right) if both and "thigh_right" in has else None,
            eccentric_start_ms=None if start_s is None else zero_ms + start_s * 1000,
            depth=depth if phase in {"eccentric", "bottom", "concentric"} else None,
        )

    def repetition(self, number: int, zero_ms: float, **changes: object) -> Repetition:
        """The record of repetition `number`, from 1."""
        tempo = self.tempo
        start = zero_ms + (number - 1) * tempo.whole_s * 1000
        lowered = start + tempo.eccentric_s * 1000
        rising = lowered + tempo.bottom_s * 1000
        wobble = 0.12 * math.sin(2.3 * number)
        fields: dict[str, object] = {
            "athlete": self.athlete,
            "set": self.set_number,
            "repetition": number,
            "revision": 0,
            "final": True,
            "status": "confirmed",
            "exercise": self.exercise,
            "side": self.side,
            "eccentric_start_ms": start,
            "eccentric_end_ms": lowered,
            "concentric_start_ms": rising,
            "concentric_end_ms": rising + tempo.concentric_s * 1000,
            "eccentric_s": tempo.eccentric_s + wobble,
            "bottom_pause_s": tempo.bottom_s,
            "concentric_s": tempo.concentric_s,
            "top_pause_s": tempo.top_s,
            "tut_s": tempo.eccentric_s + tempo.bottom_s + tempo.concentric_s + wobble,
            "eccentric_movement_s": tempo.eccentric_s + wobble + 0.2,
            "concentric_movement_s": tempo.concentric_s + 0.2,
            "pelvic_tilt_range_deg": self.movement.tilt + 3 * wobble,
            "hip_flexion_left_range_deg": self.movement.tilt + self.movement.thigh_left,
            "hip_flexion_right_range_deg": None,
            "pelvic_obliquity_peak_deg": self.obliquity_deg,
            "pelvic_rotation_range_deg": 2.1,
            "lockout_deficit_deg": 1.2,
            "hinge_share": 0.71,
            "sd": {
                "eccentric_s": 0.06,
                "pelvic_tilt_range_deg": 0.9,
                "hip_flexion_left_range_deg": 1.4,
                "pelvic_obliquity_peak_deg": 0.8,
                "lockout_deficit_deg": 1.1,
            },
            "kind": {"eccentric_s": "measured", "hip_flexion_right_range_deg": "not_measurable"},
            "reasons": {"hip_flexion_right_range_deg": "no sensor on the right thigh"},
        }
        fields |= self.overrides.get(number, {})
        fields |= changes
        return Repetition(**fields)  # type: ignore[arg-type]

    def state(self, at_s: float, zero_ms: float) -> AthleteState:
        """The retained picture at a time."""
        done = [self.repetition(n, zero_ms) for n in range(1, self.completed(at_s) + 1)]
        return AthleteState(
            athlete=self.athlete,
            name=self.name,
            session=SESSION,
            exercise=self.exercise,
            side=self.side,
            set=self.set_number,
            repetition=len(done),
            phase=self.moment(at_s)[0],
            target=self.target,
            last_repetition=done[-1] if done else None,
            repetitions=[brief_payload(r) for r in done],
            calibration=[
                SegmentCalibration(placement=p, method="stillness", quality_deg=1.2) for p in self.placements
            ],
            sensors=[f"{self.athlete}-{p.replace('_', '-')}" for p in self.placements],
        )

    def sensors(self) -> list[SensorStatus]:
        """The status of each sensor worn."""
        return [
            SensorStatus(
                sensor=f"{self.athlete}-{placement.replace('_', '-')}",
                athlete=self.athlete,
                placement=placement,
                name=f"Hipline {placement}",
                link="connected",
                battery_percent=battery,
                rssi_dbm=-58.0,
                firmware="1.0.0",
                received=1200,
                sampling_rate_hz=100.0,
                connection_interval_ms=15.0,
                clock_residual_ms=12.0,
                clock_drift_ppm=-12.4,
            )
            for placement, battery in zip(self.placements, self.battery_percent, strict=False)
        ]


class VirtualGym:
    """Publishes for scripted athletes; `zero_ms` is the wall-clock time of their time 0."""

    def __init__(self, gym: str, port: int, username: str, token: str, *athletes: ScriptedAthlete) -> None:
        self.topics = Topics(gym)
        self.athletes = athletes
        self.zero_ms = {athlete.athlete: time.time() * 1000 for athlete in athletes}
        self._seq = 0
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"virtual-gym-{id(self)}", protocol=mqtt.MQTTv311
        )
        self._client.username_pw_set(username, token)
        self._port = port

    async def __aenter__(self) -> Self:
        connected = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._client.on_connect = lambda *_: loop.call_soon_threadsafe(connected.set)
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        await asyncio.wait_for(connected.wait(), 10)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def start(self, athlete: ScriptedAthlete, at_s: float) -> None:
        """Let the script of `athlete` be at `at_s` now."""
        self.zero_ms[athlete.athlete] = time.time() * 1000 - at_s * 1000

    def now_s(self, athlete: ScriptedAthlete) -> float:
        return (time.time() * 1000 - self.zero_ms[athlete.athlete]) / 1000

    def announce(self, version: str = "0.1.0", state: str = "online", alarms: tuple[str, ...] = ()) -> None:
        """Tell, retained, that the bridge runs, and what it complains of."""
        status = ServiceStatus(state=state, version=version, alarms=list(alarms))
        self._send(self.topics.service_status("bridge"), status, time.time() * 1000, qos=1, retain=True)

    def introduce(self, athlete: ScriptedAthlete, at_s: float | None = None) -> None:
        """Publish the retained state and the sensors of an athlete."""
        zero = self.zero_ms[athlete.athlete]
        at_s = self.now_s(athlete) if at_s is None else at_s
        for sensor in athlete.sensors():
            self.publish_sensor(sensor)
        self.publish_state(athlete.state(at_s, zero), zero + at_s * 1000)

    def publish_state(self, state: AthleteState, sample_time_ms: float) -> None:
        self._send(self.topics.state(state.athlete), state, sample_time_ms, qos=1, retain=True)

    def publish_sensor(self, sensor: SensorStatus) -> None:
        self._send(self.topics.sensor_status(sensor.sensor), sensor, time.time() * 1000, qos=1, retain=True)

    def publish_live(self, athlete: ScriptedAthlete, from_s: float, to_s: float) -> None:
        zero = self.zero_ms[athlete.athlete]
        live = athlete.live(from_s, to_s, zero)
        self._send(self.topics.live(athlete.athlete), live, live.t_ms, qos=0)

    def publish_repetition(self, repetition: Repetition, *, named_after: int | None = None) -> None:
        """Publish one revision; `named_after` is the number the repetition had first."""
        first = named_after or repetition.repetition
        name = event_id(
            1_700_000_000_000.0 + first,
            session=SESSION,
            athlete=repetition.athlete,
            kind="rep",
            set_number=repetition.set,
            repetition=first,
        )
        topic = self.topics.repetition(repetition.athlete)
        self._send(topic, repetition, repetition.concentric_end_ms or 0.0, qos=1, name=name)

    def publish_set(self, summary: SetSummary, sample_time_ms: float) -> None:
        self._send(self.topics.set(summary.athlete), summary, sample_time_ms, qos=1)

    def publish_raw(self, topic: str, body: bytes) -> None:
        """Publish anything at all below the gym."""
        self._client.publish(f"{self.topics.root}/{topic}", body, qos=1)

    def clear_state(self, athlete: ScriptedAthlete) -> None:
        """Take back the retained state: the athlete has gone home."""
        self._client.publish(self.topics.state(athlete.athlete), b"", qos=1, retain=True)

    def backfill(self, athlete: ScriptedAthlete, length_s: float) -> None:
        """Send the last seconds of live messages at once, as if the page had been there."""
        now = self.now_s(athlete)
        steps = int(length_s * 10)
        for step in range(steps, 0, -1):
            self.publish_live(athlete, now - step / 10, now - (step - 1) / 10)

    async def play(self, duration_s: float) -> None:
        """Publish ten live messages a second, and the events as they come due."""
        told = {a.athlete: a.completed(self.now_s(a)) for a in self.athletes}
        last = {a.athlete: self.now_s(a) for a in self.athletes}
        end = time.monotonic() + duration_s
        while time.monotonic() < end:
            await asyncio.sleep(0.1)
            for athlete in self.athletes:
                now = self.now_s(athlete)
                self.publish_live(athlete, last[athlete.athlete], now)
                last[athlete.athlete] = now
                done = athlete.completed(now)
                for number in range(told[athlete.athlete] + 1, done + 1):
                    self.publish_repetition(athlete.repetition(number, self.zero_ms[athlete.athlete]))
                    self.introduce(athlete)
                told[athlete.athlete] = done

    def _send(
        self,
        topic: str,
        data: object,
        sample_time_ms: float,
        *,
        qos: int,
        retain: bool = False,
        name: str | None = None,
    ) -> None:
        self._seq += 1
        name = name or message_id(sample_time_ms, session=SESSION, topic=topic, seq=self._seq)
        message = envelope(
            data, message_id=name, sample_time_ms=sample_time_ms, session=SESSION, seq=self._seq
        )
        self._client.publish(topic, encode(message), qos=qos, retain=retain)


def fault(code: str, value: float, threshold: float) -> FoundFault:
    """A fault the bridge found."""
    return FoundFault(code=code, value=value, threshold=threshold, sd=0.5)


def _ease(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * share)


def _sum(one: list[float], other: list[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)]
