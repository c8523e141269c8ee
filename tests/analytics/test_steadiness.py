from __future__ import annotations

import numpy as np
import pytest

from analytics.repetition_figures import Kind, Measured, Unmeasured
from analytics.steadiness import FallDirection, smoothness, steadiness_figures
from analytics.uncertainty import SensorQuality

RATE_HZ = 100.0
PELVIS = SensorQuality(yaw_sd_deg=1.3)
INSIDE = slice(200, 800)


def turning(*, aside_deg_s: float = 0.0, bending_deg_s: float = 0.0, shaking_deg_s: float = 0.0):
    """Ten seconds: swaying aside at 0.5 Hz, bending at 0.2 Hz, shaking about the long axis at 8 Hz."""
    at_s = np.arange(1000) / RATE_HZ
    rate = np.zeros((1000, 3))
    rate[:, 0] = aside_deg_s * np.sin(2.0 * np.pi * 0.5 * at_s)
    rate[:, 1] = bending_deg_s * np.sin(2.0 * np.pi * 0.2 * at_s)
    rate[:, 2] = shaking_deg_s * np.sin(2.0 * np.pi * 8.0 * at_s)
    return rate


def measured(figure) -> Measured:
    assert isinstance(figure, Measured)
    return figure


def test_sway_is_what_turns_aside_from_the_movement() -> None:
    figures, _ = steadiness_figures(turning(aside_deg_s=4.0, bending_deg_s=60.0), RATE_HZ, INSIDE, PELVIS)
    # A sine of 4 has a root mean square of 4 / sqrt 2.
    assert measured(figures["sway_deg_s"]).value == pytest.approx(2.83, abs=0.03)
    still, _ = steadiness_figures(turning(bending_deg_s=60.0), RATE_HZ, INSIDE, PELVIS)
    # 1.3° of yaw turn 40 °/s of bending into 0.9 °/s of sway that may be none.
    assert measured(still["sway_deg_s"]).value == pytest.approx(0.0, abs=1e-9)
    assert measured(still["sway_deg_s"]).sd == pytest.approx(0.91, abs=0.03)


def test_tremor_is_a_proxy_of_its_band() -> None:
    figures, _ = steadiness_figures(turning(shaking_deg_s=3.0, aside_deg_s=4.0), RATE_HZ, INSIDE, PELVIS)
    tremor = measured(figures["tremor_deg_s"])
    assert tremor.kind is Kind.PROXY
    assert tremor.value == pytest.approx(1.7, abs=0.3)
    quiet, _ = steadiness_figures(turning(aside_deg_s=4.0), RATE_HZ, INSIDE, PELVIS)
    assert measured(quiet["tremor_deg_s"]).value < 0.1


@pytest.mark.parametrize(("sign", "direction"), [(1.0, FallDirection.RIGHT), (-1.0, FallDirection.LEFT)])
def test_a_correction_shows_as_a_burst_with_its_direction(sign: float, direction: FallDirection) -> None:
    rate = turning(aside_deg_s=4.0)
    at_s = np.arange(40) / RATE_HZ
    # Turning about the forward axis lifts the left side: the pelvis tips to the right, and comes back.
    rate[500:540, 0] += sign * 70.0 * np.sin(2.0 * np.pi * at_s / 0.4) * np.exp(-4.0 * at_s)
    _, burst = steadiness_figures(rate, RATE_HZ, INSIDE, PELVIS)
    _, calm = steadiness_figures(turning(aside_deg_s=4.0), RATE_HZ, INSIDE, PELVIS)
    assert measured(burst.rate).value > 25.0
    assert burst.direction is direction
    assert measured(calm.rate).value < 3.0


def test_without_a_pelvis_or_its_direction_steadiness_is_not_measurable() -> None:
    for quality, reason in (
        (None, "no pelvis sensor"),
        (
            SensorQuality(yaw_sd_deg=180.0, is_forward_known=False),
            "the pelvis sensor's forward direction is not known yet",
        ),
    ):
        figures, burst = steadiness_figures(turning(), RATE_HZ, INSIDE, quality)
        assert figures["sway_deg_s"] == Unmeasured(reason)
        assert burst.rate == Unmeasured(reason)


def test_a_hesitation_is_less_smooth() -> None:
    x = np.linspace(0.0, 1.0, 150)
    bell = 30.0 * x**2 * (1.0 - x) ** 2
    halting = bell * (1.0 - 0.7 * np.exp(-(((x - 0.5) / 0.08) ** 2)))
    smooth, rough = measured(smoothness(bell, RATE_HZ)), measured(smoothness(halting, RATE_HZ))
    # Minimum jerk has a SPARC of about -1.4.
    assert smooth.value == pytest.approx(-1.41, abs=0.05)
    assert rough.value < smooth.value - 0.1


def test_what_does_not_move_has_no_smoothness() -> None:
    assert isinstance(smoothness(np.zeros(100), RATE_HZ), Unmeasured)
