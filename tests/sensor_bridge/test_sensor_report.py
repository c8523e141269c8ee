from __future__ import annotations

from sensor_bridge.sensor_report import late_samples_alarm


def test_late_samples_raise_an_alarm_with_their_number() -> None:
    assert late_samples_alarm(0) is None
    assert late_samples_alarm(12) == "12 samples came too late to be measured with those of other sensors"
