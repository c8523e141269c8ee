"""Two sensors' clocks through connection events: packets wait for an even rhythm, and are sent again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from analytics.clock_model import ClockModel

UTC_NS = 1_700_000_000_000_000_000
INTERVAL_S = 0.030
LOSS = 0.1


@dataclass
class Sensor:
    """A sensor on one link; true time in s. Its crystal drifts evenly by `ramp_ppm` in an hour."""

    ppm: float
    ramp_ppm: float
    seed: int
    model: ClockModel = field(default_factory=ClockModel)
    times_s: list[float] = field(default_factory=list)
    errors_ms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.boot_s = self.random.uniform(10.0, 1e5)
        self.anchor_s = self.random.uniform(0.0, INTERVAL_S)

    def device_s(self, at_s: float) -> float:
        return at_s * (1 + self.ppm * 1e-6) + 0.5 * self.ramp_ppm * 1e-6 * at_s**2 / 3600 + self.boot_s

    def device_us(self, at_s: float) -> int:
        return round(self.device_s(at_s) * 1e6)

    def made_s(self, device_s: float) -> float:
        """When the sensor's clock reads this: the inverse, by fixed point."""
        at_s = device_s - self.boot_s
        for _ in range(5):
            at_s -= self.device_s(at_s) - device_s
        return at_s

    def carried_s(self, at_s: float) -> float:
        """When what is ready at a moment is through: at the next connection event, or a later one."""
        events = np.ceil((at_s + 0.0005 - self.anchor_s) / INTERVAL_S)
        while self.random.random() < LOSS:
            events += 1
        return float(self.anchor_s + events * INTERVAL_S)

    def stack_s(self) -> float:
        return 0.001 + float(self.random.exponential(0.001))

    def exchange(self, at_s: float) -> float:
        """Ask for the clock; return when the answer is there."""
        reached_s = self.carried_s(at_s)
        back_s = self.carried_s(reached_s) + self.stack_s()
        reached_us = self.device_us(reached_s)
        self.model.push_exchange(
            UTC_NS + round(at_s * 1e9), reached_us, reached_us, UTC_NS + round(back_s * 1e9)
        )
        return back_s

    def packet(self, at_s: float, arrival_s: float | None = None) -> None:
        if arrival_s is None:
            arrival_s = self.carried_s(at_s) + self.stack_s()
        device_us = self.device_us(at_s)
        self.model.push(device_us, UTC_NS + round(arrival_s * 1e9))
        self.times_s.append(at_s)
        self.errors_ms.append((self.model.to_host_ns(device_us) - UTC_NS) / 1e6 - at_s * 1e3)

    def stream(self, packet_s: float, start_s: float, end_s: float) -> None:
        """Send packets of an even rhythm; exchange clocks as the bridge does, at random moments."""
        next_exchange_s, n_exchanges = start_s + 0.3, 0
        for k in range(round((end_s - start_s) / packet_s)):
            at_s = self.made_s(self.device_s(start_s) + (k + 1) * packet_s)
            while next_exchange_s < at_s:
                answered_s = self.exchange(next_exchange_s)
                n_exchanges += 1
                pause_s = (0.0, 0.06) if n_exchanges < 10 else (2.0, 4.0)
                next_exchange_s = answered_s + self.random.uniform(*pause_s)
            self.packet(at_s)


def disagreement_ms(one: Sensor, other: Sensor, *, from_s: float) -> np.ndarray:
    at_s = np.array(one.times_s)
    apart = np.interp(at_s, other.times_s, other.errors_ms) - np.array(one.errors_ms)
    return np.abs(apart[at_s >= from_s])


def two_sensors(seed: int) -> tuple[Sensor, Sensor]:
    """±50 ppm, and crystals that warm up on the body in opposite directions."""
    return Sensor(50, 15, seed), Sensor(-50, -15, seed + 100)


@pytest.mark.parametrize(
    ("packet_s", "duration_s"),
    [
        (0.38, 3600.0),  # 19 samples at 50 Hz
        (0.12, 600.0),  # exactly four intervals: on each link all packets wait alike
        (0.10, 600.0),  # three waits, 10 ms apart, that creep for minutes
    ],
)
def test_two_sensors_agree_within_5_ms(packet_s: float, duration_s: float) -> None:
    one, other = two_sensors(seed=1)
    for sensor in (one, other):
        sensor.stream(packet_s, 0.0, duration_s)
    apart_ms = disagreement_ms(one, other, from_s=30.0)
    assert np.percentile(apart_ms, 95) < 5.0
    assert one.model.drift_ppm == pytest.approx(50 + 15 * duration_s / 3600, abs=10)
    assert other.model.drift_ppm == pytest.approx(-50 - 15 * duration_s / 3600, abs=10)
    for sensor in (one, other):
        assert abs(sensor.errors_ms[-1]) < sensor.model.uncertainty_ms


def test_nothing_is_said_of_the_drift_in_the_first_minute() -> None:
    sensor, _ = two_sensors(seed=2)
    sensor.stream(0.1, 0.0, 59.0)
    assert sensor.model.drift_ppm is None


def test_the_clock_is_kept_while_a_sensor_is_away_for_longer_than_the_fit_looks_back() -> None:
    """Seven minutes out of reach; then first the last minute, which the sensor has kept, at once."""
    sensor, _ = two_sensors(seed=3)
    sensor.stream(0.1, 0.0, 400.0)
    drift_before_ppm = sensor.model.drift_ppm
    back_s = 820.0
    sensor.model.push(sensor.device_us(back_s - 60.0), UTC_NS + round(back_s * 1e9))
    assert sensor.model.drift_ppm == drift_before_ppm
    held_ms = sensor.model.uncertainty_ms
    for k in range(600):
        sensor.packet(back_s - 60.0 + k / 10, arrival_s=back_s + k * 1e-3)
        assert abs(sensor.errors_ms[-1]) < 10.0
    assert sensor.model.uncertainty_ms < held_ms + 1.0
    sensor.stream(0.1, back_s + 1.0, back_s + 60.0)
    assert np.abs(sensor.errors_ms[-600:]).max() < 10.0


def test_a_clock_that_was_set_back_is_followed_in_the_end() -> None:
    """No sensor may do that; then everything is late for ever, and not only until it has caught up."""
    sensor, _ = two_sensors(seed=4)
    sensor.stream(0.38, 0.0, 60.0)
    sensor.boot_s -= 0.6
    sensor.stream(0.38, 60.0, 1040.0)
    assert abs(sensor.errors_ms[200]) > 500.0
    assert abs(sensor.errors_ms[-1]) < 10.0
