from __future__ import annotations

import random

from sensor_bridge.ble.backoff import Backoff


def test_waits_double_up_to_the_longest_and_scatter_below_it():
    backoff = Backoff(first_s=0.5, longest_s=4.0, generator=random.Random(1))
    bounds = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    waits = [backoff.next_s() for _ in bounds]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len(set(waits)) == len(waits)


def test_reset_begins_anew():
    backoff = Backoff(first_s=0.5, longest_s=4.0, generator=random.Random(1))
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_many_failures_do_not_overflow():
    backoff = Backoff(longest_s=10.0, generator=random.Random(1))
    assert max(backoff.next_s() for _ in range(5000)) <= 10.0
