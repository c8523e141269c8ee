"""The virtual sensor: signs of every mount, and each error as large as it was asked to be."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.imu_sensor import CHEAP, GOOD, PERFECT, FeltMotion, ImuErrorModel, SensorClock, feel, sense
from hardware_sim.kinematics import pelvis_rotation
from hardware_sim.mounts import Mount, Placement, Seat, mounts_of, nominal_rotation, seat
from hardware_sim.rotation import about_axis
from hardware_sim.spectral import resonant_displacement

G = 9.80665
RATE_HZ = 1000.0


def still(seconds=5.0, acc=(0.0, 0.0, G), gyr=(0.0, 0.0, 0.0)):
    n = int((seconds + 1.0) * RATE_HZ) + 1
    return FeltMotion(
        time_s=np.arange(n) / RATE_HZ - 0.5,
        rate_hz=RATE_HZ,
        acc_m_s2=np.tile(acc, (n, 1)),
        gyr_rad_s=np.tile(gyr, (n, 1)),
        earth_from_sensor=np.tile(np.eye(3), (n, 1, 1)),
        place_m=np.zeros((n, 3)),
    )


def sample(felt, model=PERFECT, clock=None, seconds=5.0, ranges=(AccelRange.G4, GyroRange.DPS500), seed=0):
    generator = np.random.default_rng(seed)
    return sense(felt, model, clock or SensorClock(), SamplingRate.HZ100, *ranges, seconds, generator)


# One letter a movement; the axis of sensor_frame that turns and the one gravity moves to, with their signs.
TILT, FLEX, HIKE, TURN = "tilt forward", "knee forward", "right side up", "turn left"


@pytest.mark.parametrize(
    ("placement", "mount", "movement", "turning", "leaning"),
    [
        (Placement.PELVIS, Mount.SACRUM, TILT, "-x", "+z"),
        (Placement.PELVIS, Mount.BELLY, TILT, "+x", "-z"),
        (Placement.PELVIS, Mount.HIP_LEFT, TILT, "+z", "+x"),
        (Placement.PELVIS, Mount.HIP_RIGHT, TILT, "-z", "-x"),
        (Placement.PELVIS, Mount.SACRUM, HIKE, "+z", "+x"),
        (Placement.PELVIS, Mount.BELLY, HIKE, "-z", "-x"),
        (Placement.PELVIS, Mount.HIP_LEFT, HIKE, "+x", "-z"),
        (Placement.PELVIS, Mount.HIP_RIGHT, HIKE, "-x", "+z"),
        (Placement.PELVIS, Mount.SACRUM, TURN, "+y", None),
        (Placement.PELVIS, Mount.BELLY, TURN, "+y", None),
        (Placement.PELVIS, Mount.HIP_LEFT, TURN, "+y", None),
        (Placement.PELVIS, Mount.HIP_RIGHT, TURN, "+y", None),
        (Placement.THIGH_LEFT, Mount.THIGH_LATERAL, FLEX, "-z", "-x"),
        (Placement.THIGH_RIGHT, Mount.THIGH_LATERAL, FLEX, "+z", "+x"),
        (Placement.THIGH_LEFT, Mount.THIGH_ANTERIOR, FLEX, "-x", "+z"),
        (Placement.THIGH_RIGHT, Mount.THIGH_ANTERIOR, FLEX, "-x", "+z"),
    ],
)
def test_each_movement_has_its_sign_on_each_mount(placement, mount, movement, turning, leaning):
    time_s = np.arange(2001) / RATE_HZ
    angle = 0.5 * np.radians(20.0) * time_s  # 10 °/s for 2 s
    zero = np.zeros_like(angle)
    turned = {
        TILT: lambda: pelvis_rotation(zero, zero, angle),
        HIKE: lambda: pelvis_rotation(zero, angle, zero),
        TURN: lambda: pelvis_rotation(angle, zero, zero),
        FLEX: lambda: about_axis(1, -angle),
    }[movement]()
    where = seat(placement, mount, np.random.default_rng(0))
    felt = feel(
        turned,
        np.zeros((2001, 3)),
        time_s,
        RATE_HZ,
        Seat(where.segment_from_sensor, np.zeros(3), where.outward),
    )

    def signed(vector, axis):
        return (1.0 if axis[0] == "+" else -1.0) * vector["xyz".index(axis[1])]

    assert signed(felt.gyr_rad_s[1000], turning) == pytest.approx(np.radians(10.0), rel=1e-6)
    end = felt.acc_m_s2[1990]
    if leaning:
        assert signed(end, leaning) == pytest.approx(G * np.sin(angle[1990]), rel=1e-3)
    assert end[1] > 0.9 * G


def test_upright_sensors_feel_gravity_along_y_and_upside_down_ones_against_it():
    for placement in Placement:
        for mount in mounts_of(placement):
            if mount is Mount.UNKNOWN:
                continue
            upright = seat(placement, mount, np.random.default_rng(0)).segment_from_sensor
            np.testing.assert_allclose(upright.T @ [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], atol=1e-12)
            turned = seat(placement, mount, np.random.default_rng(0), upside_down=True).segment_from_sensor
            np.testing.assert_allclose(turned.T @ [0.0, 0.0, 1.0], [0.0, -1.0, 0.0], atol=1e-12)
            np.testing.assert_allclose(turned[:, 2], upright[:, 2], atol=1e-12)


def test_crookedness_has_the_size_asked_for_and_unknown_is_anything():
    generator = np.random.default_rng(3)
    nominal = nominal_rotation(np.array([-1.0, 0.0, 0.0]))
    angles = []
    for _ in range(400):
        rotation = seat(Placement.PELVIS, Mount.SACRUM, generator, tilt_sd_deg=6.0).segment_from_sensor
        angles.append(np.degrees(np.arccos((np.trace(rotation @ nominal.T) - 1.0) / 2.0)))
    assert np.sqrt(np.mean(np.square(angles)) / 3.0) == pytest.approx(6.0, rel=0.08)
    ups = [
        seat(Placement.PELVIS, Mount.UNKNOWN, generator).segment_from_sensor.T @ [0.0, 0.0, 1.0]
        for _ in range(400)
    ]
    assert np.max(np.abs(np.mean(ups, axis=0))) < 0.12
    assert np.all(np.std(ups, axis=0) > 0.5)


def test_a_perfect_sensor_errs_by_half_a_count_at_most():
    generator = np.random.default_rng(1)
    felt = still()
    wavy = FeltMotion(
        felt.time_s,
        RATE_HZ,
        20.0 * np.sin(felt.time_s[:, None] * [1.0, 1.7, 2.3]),
        4.0 * np.cos(felt.time_s[:, None] * generator.uniform(1.0, 3.0, 3)),
        felt.earth_from_sensor,
        felt.place_m,
    )
    samples = sample(wavy)
    index = np.rint((samples.time_s + 0.5) * 1000.0).astype(int)
    assert not samples.clipped.any()
    # ±4 g and ±500 °/s on 16 bits.
    assert np.max(np.abs(samples.acc_m_s2 - wavy.acc_m_s2[index])) <= 0.5 * 4 * G / 32768 + 1e-9
    assert np.max(np.abs(samples.gyr_rad_s - wavy.gyr_rad_s[index])) <= 0.5 * np.radians(500) / 32768 + 1e-9


def test_what_exceeds_the_full_scale_is_clipped_and_marked():
    samples = sample(still(acc=(0.0, 25.0, -25.0)), ranges=(AccelRange.G2, GyroRange.DPS125))
    assert samples.clipped.all()
    assert samples.counts[0].tolist() == [0, 32767, -32768, 0, 0, 0]
    assert not sample(still(acc=(0.0, 15.0, -15.0)), ranges=(AccelRange.G2, GyroRange.DPS125)).clipped.any()


def test_gravity_is_the_norm_at_rest_for_a_perfect_sensor():
    norm = np.linalg.norm(sample(still(acc=(3.0, -5.0, np.sqrt(G * G - 34.0)))).acc_m_s2, axis=1)
    np.testing.assert_allclose(norm, 9.80665, atol=0.002)


def test_noise_follows_density_and_bandwidth():
    model = ImuErrorModel(acc_noise_ug_sqrt_hz=400.0, gyr_noise_mdps_sqrt_hz=15.0, bandwidth_share=0.4)
    samples = sample(still(100.0), model, seconds=100.0)
    # 400 ug/sqrt(Hz) over 40 Hz; 15 mdps/sqrt(Hz) over 40 Hz.
    assert np.std(samples.acc_m_s2[:, 0]) == pytest.approx(0.02481, rel=0.05)
    assert np.degrees(np.std(samples.gyr_rad_s[:, 1])) == pytest.approx(0.09487, rel=0.05)


def test_bias_scale_and_walk_have_the_sizes_asked_for():
    biases, scales, tilts = [], [], []
    for seed in range(60):
        means = np.degrees(np.mean(sample(still(), CHEAP, seed=seed).gyr_rad_s[:50], axis=0))
        biases.append(np.linalg.norm(means))
        acc = np.mean(sample(still(acc=(0.0, 0.0, 0.0)), CHEAP, seed=seed).acc_m_s2, axis=0)
        tilts.append(acc / G * 1000.0)
        only_scale = ImuErrorModel(scale_sd=0.01)
        scales.append(np.mean(sample(still(), only_scale, seed=seed).acc_m_s2[:, 2]) / G - 1.0)
    assert 0.9 < min(biases) < max(biases) < 4.2
    assert np.std(tilts) == pytest.approx(25.0, rel=0.2)
    assert np.std(scales) == pytest.approx(0.01, rel=0.3)
    ends = [
        np.degrees(
            sample(still(64.0), ImuErrorModel(gyr_walk_dps_sqrt_s=0.1), seconds=64.0, seed=s).gyr_rad_s[-1]
        )
        for s in range(40)
    ]
    assert np.std(ends) == pytest.approx(0.8, rel=0.2)


def test_good_sensors_are_better_than_cheap_ones_in_everything():
    for name in ImuErrorModel.__slots__:
        if name != "bandwidth_share":
            assert 0.0 == getattr(PERFECT, name) < getattr(GOOD, name) < getattr(CHEAP, name)


def test_the_clock_runs_fast_by_its_ppm_and_drifts_as_it_warms_up():
    at_s = np.array([0.0, 100.0])
    assert SensorClock(offset_us=5e6, ppm=40.0).device_time_us(at_s).tolist() == [5_000_000, 105_004_000]
    # 40 ppm at the start and 10 ppm a minute more: 48.333 ppm on the mean of 100 s.
    warming = SensorClock(ppm=40.0, ppm_per_min=10.0)
    assert warming.device_time_us(at_s).tolist() == [0, 100_004_833]


def test_a_fast_output_rate_gives_more_samples_closer_together():
    samples = sample(still(), clock=SensorClock(offset_us=1000.0, odr_error=0.01))
    assert len(samples.counts) == 505
    assert samples.device_time_us[0] == 1000
    assert np.mean(np.diff(samples.device_time_us)) == pytest.approx(9900.99, abs=0.1)


def test_soft_tissue_rings_at_its_resonance_and_follows_slow_motion():
    time_s = np.arange(4000) / RATE_HZ
    acceleration = np.zeros((4000, 3))
    acceleration[:, 2] = np.sin(2 * np.pi * 0.5 * time_s)
    slow = resonant_displacement(acceleration, RATE_HZ, 11.0, 0.25)
    # A spring at 11 Hz under 1 m/s²: a / (2π·11)² = 0.209 mm.
    assert np.max(np.abs(slow[1000:3000, 2])) == pytest.approx(0.000209, rel=0.02)
    acceleration[:, 2] = np.sin(2 * np.pi * 11.0 * time_s)
    resonant = resonant_displacement(acceleration, RATE_HZ, 11.0, 0.25)
    assert np.max(np.abs(resonant[1000:3000, 2])) == pytest.approx(2 * 0.000209, rel=0.02)
    assert np.all(resonant[:, :2] == 0.0)


def test_sliding_skin_follows_less_than_the_segment_leans():
    time_s = np.arange(4001) / RATE_HZ
    lean = np.radians(60.0) * 0.5 * (1.0 - np.cos(2 * np.pi * time_s / 4.0))
    turned = pelvis_rotation(np.zeros(4001), np.zeros(4001), lean)
    where = seat(Placement.PELVIS, Mount.SACRUM, np.random.default_rng(0))
    felt = feel(turned, np.zeros((4001, 3)), time_s, RATE_HZ, where, slide=0.05)
    z_up = felt.earth_from_sensor[2000, 2, 2]
    assert np.degrees(np.arcsin(z_up)) == pytest.approx(57.0, abs=0.01)


def test_the_sensors_own_low_pass_damps_what_is_fast():
    felt = still()
    fast = FeltMotion(
        felt.time_s,
        RATE_HZ,
        np.sin(2 * np.pi * 45.0 * felt.time_s)[:, None] * np.ones(3),
        felt.gyr_rad_s,
        felt.earth_from_sensor,
        felt.place_m,
    )
    assert np.max(np.abs(sample(fast).acc_m_s2)) > 0.95
    assert np.max(np.abs(sample(fast, ImuErrorModel(bandwidth_share=0.2)).acc_m_s2)) < 0.1
