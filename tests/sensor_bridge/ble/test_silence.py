from __future__ import annotations

from sensor_bridge.ble.silence import SilenceWatch


def ticks_until_complaint(watch, most=1000):
    for n in range(1, most + 1):
        if watch.tick() is not None:
            return n
    return None


def test_samples_that_stop_are_noticed_after_a_second():
    watch = SilenceWatch(0.1)
    watch.note_data(0.1)
    assert ticks_until_complaint(watch) == 5  # more than 4 ticks of 0.25 s


def test_slow_frames_get_five_of_their_periods():
    watch = SilenceWatch(1.9)
    watch.note_data(1.9)
    assert ticks_until_complaint(watch) == 39  # more than 5 x 1.9 s


def test_a_sensor_that_changes_its_rate_is_waited_for_as_long_as_its_frames_now_last():
    watch = SilenceWatch(0.1)
    watch.note_data(1.9)
    assert ticks_until_complaint(watch) == 39
    watch.note_data(0.1)
    assert ticks_until_complaint(watch) == 5


def test_each_frame_starts_the_count_anew():
    watch = SilenceWatch(0.1)
    for _ in range(20):
        watch.note_data(0.1)
        assert watch.tick() is None
        assert watch.tick() is None


def test_a_sensor_that_says_it_makes_no_samples_owes_none():
    watch = SilenceWatch(0.1)
    watch.note_data(0.1)
    for _ in range(20):
        watch.note_status(is_streaming=False)
        assert [watch.tick() for _ in range(4)] == [None] * 4


def test_a_sensor_that_says_it_streams_has_to():
    watch = SilenceWatch(0.1)
    watch.note_status(is_streaming=True)
    assert ticks_until_complaint(watch) == 5


def test_without_any_sign_of_life_the_link_is_given_up():
    watch = SilenceWatch(0.1)
    watch.note_status(is_streaming=False)
    assert ticks_until_complaint(watch) == 25  # more than 6 s


def rest(watch, seconds):
    """Let a sensor say once a second that it makes no samples."""
    for _ in range(seconds):
        watch.note_status(is_streaming=False)
        assert [watch.tick() for _ in range(4)] == [None] * 4


def test_a_sensor_that_has_stopped_shows_after_some_seconds_until_it_sends_again():
    watch = SilenceWatch(0.1)
    watch.note_data(0.1)
    rest(watch, 9)
    assert not watch.has_stopped
    rest(watch, 1)
    assert watch.has_stopped
    watch.note_data(0.1)
    assert not watch.has_stopped


def test_a_sensor_that_has_not_begun_has_not_stopped():
    watch = SilenceWatch(0.1)
    rest(watch, 30)
    assert not watch.has_stopped
    again = SilenceWatch(0.1, has_sent=True)
    rest(again, 10)
    assert again.has_stopped
