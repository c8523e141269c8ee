"""What one recording of the virtual athlete shall show: frozen values, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.errors import ScenarioError
from hardware_sim.exercises import MOVEMENTS, ONE_SIDED, Exercise, Side, Stance
from hardware_sim.imu_sensor import MODELS
from hardware_sim.mounts import Mount, Placement, mounts_of
from hardware_sim.walkout import Walkout


def _require(allowed: bool, message: str) -> None:
    if not allowed:
        raise ScenarioError(message)


def _within(section: str, owner: object, limits: dict[str, tuple[float, float]]) -> None:
    for name, (low, high) in limits.items():
        value = getattr(owner, name)
        _require(
            math.isfinite(value) and low <= value <= high,
            f"{section}{name} = {value:g} is out of range; choose {low:g} to {high:g}",
        )


@dataclass(frozen=True, slots=True)
class Tempo:
    """True lengths of the movements, s, always eccentric first.

    A phase by the definition in METRICS is some tenths of a second shorter than the true movement.
    """

    eccentric_s: float = 3.0
    bottom_s: float = 0.5
    concentric_s: float = 1.5
    top_s: float = 1.5

    def __post_init__(self) -> None:
        _within(
            "tempo.",
            self,
            {
                "eccentric_s": (0.3, 60.0),
                "bottom_s": (0.0, 60.0),
                "concentric_s": (0.3, 60.0),
                "top_s": (0.0, 60.0),
            },
        )

    @property
    def repetition_s(self) -> float:
        """From one start to the next, s."""
        return self.eccentric_s + self.bottom_s + self.concentric_s + self.top_s


@dataclass(frozen=True, slots=True)
class Body:
    """The athlete: size, steadiness, and how much repetitions differ.

    Parameters
    ----------
    stature_m
        Height, m.
    sway, tremor
        Relative to a healthy adult; 0 = a statue (breathing stays).
    tempo_variation, depth_variation
        Relative standard deviation of lengths and depths from repetition to repetition.
    toe_out_deg
        Each foot points outwards by this, degrees.
    heading_deg
        Direction the athlete faces in earth_frame, degrees; ``None`` = any.
    """

    stature_m: float = 1.75
    sway: float = 1.0
    tremor: float = 1.0
    tempo_variation: float = 0.05
    depth_variation: float = 0.04
    toe_out_deg: float = 6.0
    heading_deg: float | None = None

    def __post_init__(self) -> None:
        _within(
            "body.",
            self,
            {
                "stature_m": (1.2, 2.3),
                "sway": (0.0, 5.0),
                "tremor": (0.0, 20.0),
                "tempo_variation": (0.0, 0.5),
                "depth_variation": (0.0, 0.5),
                "toe_out_deg": (-30.0, 45.0),
            },
        )


@dataclass(frozen=True, slots=True)
class Form:
    """How far the joints go, and what goes wrong.

    Parameters
    ----------
    tilt_deg, thigh_deg, shank_deg
        Change of pelvic tilt, thigh flexion and forward lean of the shank at depth, degrees; ``None`` = as
        usual in the exercise. Bridges: ``tilt_deg`` is negative, the rest follows from it.
    pelvic_drop_deg
        The free side sinks by this at depth (two-legged work: the left side), degrees.
    hip_open_deg
        The free side turns open by this about the pelvis' long axis at depth, degrees.
    pelvic_rotation_deg
        Turn to the left at depth, degrees.
    tilt_reversal_deg
        The pelvis turns back by about this over the last third of the way down, degrees (standing exercises).
    stumble_deg
        Half-way down the pelvis tips to the left by this and is caught again, degrees.
    soft_lockout_deg, lockout_drift_deg
        Hip flexion left at the top, and what each further repetition adds to it, degrees.
    knee_share
        Share of the pelvis' way that is done by bending the knees instead, 0 ... 1.
    fault_from
        Repetition of each set from which all these faults show.
    aborted_after, aborted_depth
        Repetitions after which one is broken off, and how deep it goes as a share of full depth.
    double_dip
        Repetitions that come up a little at the bottom and go down again.
    """

    tilt_deg: float | None = None
    thigh_deg: float | None = None
    shank_deg: float | None = None
    pelvic_drop_deg: float = 0.0
    hip_open_deg: float = 0.0
    pelvic_rotation_deg: float = 0.0
    tilt_reversal_deg: float = 0.0
    stumble_deg: float = 0.0
    soft_lockout_deg: float = 0.0
    lockout_drift_deg: float = 0.0
    knee_share: float = 0.0
    fault_from: int = 1
    aborted_after: tuple[int, ...] = ()
    aborted_depth: float = 0.4
    double_dip: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, low, high in (
            ("tilt_deg", -60.0, 100.0),
            ("thigh_deg", -40.0, 110.0),
            ("shank_deg", -30.0, 45.0),
        ):
            if getattr(self, name) is not None:
                _within("form.", self, {name: (low, high)})
        _within(
            "form.",
            self,
            {
                "pelvic_drop_deg": (-30.0, 30.0),
                "hip_open_deg": (-45.0, 45.0),
                "pelvic_rotation_deg": (-45.0, 45.0),
                "tilt_reversal_deg": (0.0, 30.0),
                "stumble_deg": (-30.0, 30.0),
                "soft_lockout_deg": (-15.0, 40.0),
                "lockout_drift_deg": (-5.0, 10.0),
                "knee_share": (0.0, 1.0),
                "fault_from": (1, 1000),
                "aborted_depth": (0.1, 0.9),
            },
        )


@dataclass(frozen=True, slots=True)
class WornSensor:
    """One virtual sensor: where it is worn, how well, and of what quality.

    Parameters
    ----------
    placement, mount
        Segment, and the place on it.
    sensor_id
        Name of the sensor; without it ``sim-`` and the placement.
    model
        Error model: ``good``, ``cheap`` or ``perfect``.
    upside_down
        Turned by 180° about the skin's normal.
    crooked_sd_deg
        Standard deviation of its crookedness about each axis, degrees.
    tissue
        Wobble of the soft parts: 0 = bolted to the bone, 1 = as on a body.
    slide
        Share of the segment's lean that the skin does not follow.
    clock_offset_s, clock_ppm, clock_ppm_per_min
        The sensor's clock at the start, how fast it runs, and how that changes while it warms up; ``None`` =
        drawn at random (the frequency from the error model).
    """

    placement: Placement
    mount: Mount
    sensor_id: str = ""
    model: str = "good"
    upside_down: bool = False
    crooked_sd_deg: float = 5.0
    tissue: float = 1.0
    slide: float = 0.0
    clock_offset_s: float | None = None
    clock_ppm: float | None = None
    clock_ppm_per_min: float = 0.0

    def __post_init__(self) -> None:
        where = f"sensors ({self.placement}): "
        allowed = mounts_of(self.placement)
        _require(
            self.mount in allowed,
            f"{where}mount {self.mount!s} is not on this segment; choose {', '.join(allowed)}",
        )
        _require(
            self.model in MODELS,
            f"{where}model {self.model!r} is unknown; choose {', '.join(sorted(MODELS))}",
        )
        _within(
            where,
            self,
            {
                "crooked_sd_deg": (0.0, 45.0),
                "tissue": (0.0, 5.0),
                "slide": (-0.2, 0.2),
                "clock_ppm_per_min": (-100.0, 100.0),
            },
        )
        if self.clock_offset_s is not None:
            _within(where, self, {"clock_offset_s": (0.0, 2.0e8)})
        if self.clock_ppm is not None:
            _within(where, self, {"clock_ppm": (-500.0, 500.0)})
        if not self.sensor_id:
            object.__setattr__(self, "sensor_id", f"sim-{self.placement.replace('_', '-')}")


def _three_sensors() -> tuple[WornSensor, ...]:
    return (
        WornSensor(Placement.PELVIS, Mount.SACRUM),
        WornSensor(Placement.THIGH_LEFT, Mount.THIGH_LATERAL),
        WornSensor(Placement.THIGH_RIGHT, Mount.THIGH_LATERAL),
    )


@dataclass(frozen=True, slots=True)
class Scenario:
    """One recording to be made.

    Parameters
    ----------
    exercise
        What the athlete does.
    name
        Name of the scenario, for titles.
    side
        Working side; single-leg exercises need left or right.
    repetitions, sets, rest_s
        Repetitions a set, sets, and the standing between two sets, s.
    lead_in_s, lead_out_s
        Standing (bridges: lying) still before the first and after the last movement, s.
    moving_s
        Length of the walk, or of the standing, where there are no repetitions, s.
    duration_s
        Length of the whole recording, s; without it as long as it takes.
    rate_hz, accel_range_g, gyro_range_dps
        Settings of all sensors.
    tempo, body, form, walkout, sensors
        See there. A walkout is held for as long as its steps take, whatever the tempo says.
    """

    exercise: Exercise
    name: str = ""
    side: Side = Side.BOTH
    repetitions: int = 8
    sets: int = 1
    rest_s: float = 15.0
    lead_in_s: float = 3.5
    lead_out_s: float = 3.5
    moving_s: float = 30.0
    duration_s: float | None = None
    rate_hz: float = 100.0
    accel_range_g: int = 8
    gyro_range_dps: int = 1000
    tempo: Tempo = field(default_factory=Tempo)
    body: Body = field(default_factory=Body)
    form: Form = field(default_factory=Form)
    walkout: Walkout = field(default_factory=Walkout)
    sensors: tuple[WornSensor, ...] = field(default_factory=_three_sensors)

    def __post_init__(self) -> None:
        _within(
            "",
            self,
            {
                "repetitions": (0, 200),
                "sets": (1, 20),
                "rest_s": (2.0, 600.0),
                "lead_in_s": (2.5, 600.0),
                "lead_out_s": (1.0, 600.0),
                "moving_s": (1.0, 3600.0),
            },
        )
        rates = {rate.hz for rate in SamplingRate}
        _require(
            self.rate_hz in rates,
            f"rate_hz = {self.rate_hz:g} is not offered; choose one of "
            + ", ".join(f"{rate:g}" for rate in sorted(rates)),
        )
        _require(
            f"G{self.accel_range_g}" in AccelRange.__members__,
            f"accel_range_g = {self.accel_range_g} is not offered; choose 2, 4, 8 or 16",
        )
        _require(
            f"DPS{self.gyro_range_dps}" in GyroRange.__members__,
            f"gyro_range_dps = {self.gyro_range_dps} is not offered; choose 125, 250, 500, 1000 or 2000",
        )
        one_sided = self.exercise in ONE_SIDED
        _require(
            (self.side is not Side.BOTH) == one_sided,
            f"side = {self.side!s} does not fit {self.exercise!s}; "
            f"choose {'left or right' if one_sided else 'both'}",
        )
        _require(bool(self.sensors), "no sensors; add at least one [[sensors]] table or leave them out")
        for what in ("placement", "sensor_id"):
            values = [getattr(sensor, what) for sensor in self.sensors]
            _require(len(set(values)) == len(values), f"sensors: the same {what} twice; give each its own")
        if self.duration_s is not None:
            _within("", self, {"duration_s": (2.5, 7200.0)})
        self._require_form_that_shows()
        for what in ("aborted_after", "double_dip"):
            wrong = [n for n in getattr(self.form, what) if not 1 <= n <= self.repetitions]
            _require(
                not wrong, f"form.{what} names repetition {wrong[:1]}; there are 1 to {self.repetitions}"
            )

    def _require_form_that_shows(self) -> None:
        """Refuse what the exercise could not show: a setting without effect would make the truth a lie."""
        without_repetitions = self.exercise in (Exercise.WALK, Exercise.STANDING)
        _require(
            not (without_repetitions and self.repetitions),
            f"repetitions = {self.repetitions} does not fit {self.exercise!s}; "
            "choose 0 (moving_s is its length)",
        )
        unfit: tuple[str, ...] = ()
        if without_repetitions:
            unfit = Form.__slots__
        elif self.stance is Stance.SHOULDERS:
            unfit = ("thigh_deg", "shank_deg", "knee_share", "double_dip", "tilt_reversal_deg")
        _require(
            self.exercise is Exercise.GLUTE_BRIDGE_WALKOUT or self.walkout == Walkout(),
            f"walkout has no effect in {self.exercise!s}; leave it out",
        )
        usual = Form()
        for name in unfit:
            _require(
                getattr(self.form, name) == getattr(usual, name),
                f"form.{name} has no effect in {self.exercise!s}; leave it out",
            )

    @property
    def stance(self) -> Stance:
        """What carries the athlete."""
        return MOVEMENTS[self.exercise].stance
