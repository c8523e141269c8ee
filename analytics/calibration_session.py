"""Calibration over one wearing: zero first, forward from the first repetitions, then frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.accelerometer_bias import AccelerometerBiasParameters
from analytics.angles import Goniometer
from analytics.calibration_borrowed_yaw import (
    BorrowedYawParameters,
    borrow_yaws,
    pooled_differences,
    with_borrowed_yaw,
)
from analytics.calibration_drop import pelvis_path
from analytics.calibration_lying import lying_calibration
from analytics.calibration_still import (
    StillParameters,
    faces_fore_or_aft,
    find_still_poses,
    most_upright_poses,
    standing_at_last,
)
from analytics.calibration_swaps import SwapParameters, with_swap_warnings
from analytics.calibration_yaw import YawParameters, find_free_leg, fit_yaws, yaw_difference_deg
from analytics.hip_rise import lifts_from_lying
from analytics.imu import NANOSECONDS_PER_SECOND, Placement
from analytics.live_acc_bias import LiveAccelerometerBias
from analytics.orientation import OrientationParameters
from analytics.quaternions import up_in_sensor
from analytics.slip import SlipDetector, SlipParameters, tops_of
from analytics.wearing import Wearing, warned_of_a_new_wearing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.alignment import AlignedBlock
    from analytics.calibration import SegmentCalibration, StillPose
    from analytics.calibration_borrowed_yaw import BorrowedYaw
    from analytics.calibration_drop import PelvisPath
    from analytics.history import AlignedHistory
    from analytics.imu import FloatArray, Mount


@dataclass(frozen=True, slots=True)
class CalibrationParameters:
    """Settings of the calibration.

    Parameters
    ----------
    still, yaw, borrowed_yaw, swaps, slip
        Settings of its parts.
    acc_bias
        Settings of the accelerometers' bias in live angles; ``None``: it is not looked for.
    repetitions
        Forward is found from the first of these many repetitions, then kept: one is nearly as good as all.
    restart_deg
        A change of forward larger than this means that what was counted so far was counted wrongly.
    """

    still: StillParameters = field(default_factory=StillParameters)
    yaw: YawParameters = field(default_factory=YawParameters)
    borrowed_yaw: BorrowedYawParameters = field(default_factory=BorrowedYawParameters)
    swaps: SwapParameters = field(default_factory=SwapParameters)
    acc_bias: AccelerometerBiasParameters | None = field(default_factory=AccelerometerBiasParameters)
    slip: SlipParameters = field(default_factory=SlipParameters)
    repetitions: int = 3
    restart_deg: float = 45.0


@dataclass(frozen=True, slots=True, eq=False)
class _Movement:
    """One repetition: directions of up by placement, what the thighs say of the pelvis, and its path."""

    start_ns: int
    close_ns: int
    up_sensor: Mapping[Placement, FloatArray]
    borrowed: Sequence[BorrowedYaw]
    path: PelvisPath | None


class CalibrationSession:
    """How the sensors of one athlete sit, as far as it is known by now.

    Parameters
    ----------
    mounts
        Declared mounts of the worn sensors.
    lying_expected
        What the prescription says of the posture at the start; ``None``: nothing.
    one_leg_declared
        Whether the prescription says that one leg works.
    wearing
        Calibration kept from an earlier recording of the same wearing.
    parameters
        Settings.
    orientation
        Settings of the orientation filter.
    """

    def __init__(
        self,
        mounts: Mapping[Placement, Mount],
        *,
        lying_expected: bool | None = None,
        one_leg_declared: bool = False,
        wearing: Wearing | None = None,
        parameters: CalibrationParameters | None = None,
        orientation: OrientationParameters | None = None,
    ) -> None:
        self._mounts = mounts
        self.expect(lying_expected, one_leg_declared=one_leg_declared)
        self._kept = wearing
        self._is_carried = False
        self._lies_as_kept = False
        self._parameters = parameters or CalibrationParameters()
        self._orientation = orientation or OrientationParameters()
        self._movements: list[_Movement] = []
        self._windows_tried = 0
        self.poses: dict[Placement, StillPose] = {}
        self.calibrations: dict[Placement, SegmentCalibration] = {}
        self.acc_biases = LiveAccelerometerBias(self._parameters.acc_bias)
        self._slips: SlipDetector | None = None

    def expect(self, lying: bool | None, *, one_leg_declared: bool) -> None:
        """Take what the prescription says of the posture at the start, and of the legs."""
        self._lying_expected, self._one_leg_declared = lying, one_leg_declared

    @property
    def is_started(self) -> bool:
        """Whether zero is known: before, no angle can be said."""
        return bool(self.poses)

    @property
    def is_forward_known(self) -> bool:
        """Whether movement or a declared mount says where forward is, for every sensor."""
        return self.is_started and all(c.is_yaw_known for c in self.calibrations.values())

    @property
    def wants_movement(self) -> bool:
        """Whether another repetition would make the calibration better."""
        return not self._is_carried and len(self._movements) < self._parameters.repetitions

    @property
    def has_seen_movement(self) -> bool:
        """Whether at least one repetition has been used."""
        return self._is_carried or bool(self._movements)

    @property
    def is_supine(self) -> bool:
        """Whether the athlete lay on the back while still."""
        return self._lies_as_kept or any(pose.is_supine for pose in self.poses.values())

    @property
    def wearing(self) -> Wearing | None:
        """What to keep for the next recording; None before forward is known, and for a start in lying."""
        if not self.is_forward_known or any(pose.is_supine for pose in self.poses.values()):
            return None
        return Wearing(dict(self.poses), dict(self.calibrations))

    def search(
        self, held: AlignedHistory, first_index: int, end_index: int, *, is_last: bool = False
    ) -> bool:
        """Look for stillness in what has been held back since ``first_index``.

        Parameters
        ----------
        held
            Everything received.
        first_index, end_index
            Grid points it runs over.
        is_last
            The recording ends: take what there is.

        Returns
        -------
        Whether zero is known now.
        """
        still = self._parameters.still
        window = held.window(first_index, end_index)
        if window is None:
            return False
        rate = window.sampling_rate_hz
        last = min(end_index, first_index + round(still.patience_s * rate))
        while True:
            is_first = self._windows_tried == 0
            length = round((still.window_s if is_first else still.later_window_s) * rate)
            end = first_index + length + round(max(0, self._windows_tried - 1) * still.step_s * rate)
            if end > last:
                break
            self._windows_tried += 1
            part = held.window(end - length, end)
            if part is None or len(part) != length:
                continue
            poses = find_still_poses(
                part,
                self._mounts,
                lying_expected=self._lying_expected,
                parameters=still,
                orientation=self._orientation,
            )
            if poses is None:
                continue
            if not is_first:
                before = held.window(first_index, end)
                assert before is not None
                poses = standing_at_last(poses, self._most_upright(held, first_index, end), before, still)
            if poses is not None:
                return self._begin(poses)
        if end_index - first_index >= round(still.patience_s * rate) or is_last:
            self._begin(self._most_upright(held, first_index, last))
        return self.is_started

    def _most_upright(
        self, held: AlignedHistory, first_index: int, end_index: int
    ) -> dict[Placement, StillPose]:
        window = held.window(first_index, end_index)
        assert window is not None
        return most_upright_poses(
            window,
            self._mounts,
            lying_expected=self._lying_expected,
            parameters=self._parameters.still,
            orientation=self._orientation,
        )

    def _begin(self, poses: dict[Placement, StillPose]) -> bool:
        lies = None if self._kept is None else self._kept.recognises(poses)
        if self._kept is not None and lies is not None:
            self.poses = {placement: self._kept.poses[placement] for placement in poses}
            self.calibrations = {placement: self._kept.calibrations[placement] for placement in poses}
            self._is_carried, self._lies_as_kept = True, lies
            return self.is_started
        self.poses = poses
        self.calibrations = _initial(poses)
        if self._kept is not None:
            self.calibrations = warned_of_a_new_wearing(self.calibrations)
        return self.is_started

    def join(self, window: AlignedBlock) -> list[SegmentCalibration]:
        """Calibrate sensors that came later, when all sensors are still in the pose they started from.

        Returns
        -------
        The calibrations of those that joined.
        """
        newcomers = [
            placement
            for placement, samples in window.segments.items()
            if placement not in self.poses and bool(samples.is_received.all())
        ]
        if not newcomers or not self._is_back_in_pose(window):
            return []
        poses = find_still_poses(
            window,
            self._mounts,
            lying_expected=self.is_supine,
            parameters=self._parameters.still,
            orientation=self._orientation,
        )
        if poses is None:
            return []
        joined = {placement: poses[placement] for placement in newcomers}
        self.poses.update(joined)
        self.calibrations.update(_initial(joined))
        self._movements.clear()
        return [self.calibrations[placement] for placement in newcomers]

    def _is_back_in_pose(self, window: AlignedBlock) -> bool:
        for placement, pose in self.poses.items():
            up = up_in_sensor(window.segments[placement].earth_from_sensor_wxyz)
            if not bool(np.isfinite(up).all()):
                continue
            if float(np.min(up @ pose.up_sensor)) < np.cos(np.radians(6.0)):
                return False
        return True

    def learn(self, window: AlignedBlock, start_ns: int, close_ns: int) -> list[SegmentCalibration]:
        """Use one more repetition.

        Parameters
        ----------
        window
            Orientations over the repetition, measured again.
        start_ns, close_ns
            Where the repetition lies in it.

        Returns
        -------
        The calibrations that changed; empty where this repetition was used before.
        """
        if any(start_ns < movement.close_ns and movement.start_ns < close_ns for movement in self._movements):
            return []
        if not self._movements:
            self._settle_posture(window)
        first_ns, per_ns = (
            window.time_ns(window.first_index),
            window.sampling_rate_hz / NANOSECONDS_PER_SECOND,
        )
        first = max(0, round((start_ns - first_ns) * per_ns))
        last = round((close_ns - first_ns) * per_ns) + 1
        ups = {}
        for placement in self.poses:
            samples = window.segments[placement].cut(first, last)
            ups[placement] = up_in_sensor(samples.earth_from_sensor_wxyz[samples.is_received])
        borrowed = borrow_yaws(window, self.poses, self._parameters.borrowed_yaw)
        path = pelvis_path(window, self._parameters.yaw.drop)
        self._movements.append(_Movement(start_ns, close_ns, ups, borrowed, path))
        pooled = {
            placement: np.concatenate([movement.up_sensor[placement] for movement in self._movements])
            for placement in self.poses
        }
        borrowed_yaws = pooled_differences([e for movement in self._movements for e in movement.borrowed])
        differences = {thigh: entry.difference_rad for thigh, entry in borrowed_yaws.items()}
        fitted = fit_yaws(
            self.poses,
            pooled,
            one_leg_declared=self._one_leg_declared,
            differences_rad=differences,
            paths=[movement.path for movement in self._movements if movement.path is not None],
            parameters=self._parameters.yaw,
        )
        fitted = with_borrowed_yaw(
            fitted,
            self.poses,
            borrowed_yaws,
            self._parameters.borrowed_yaw,
            free_leg=find_free_leg(self.poses, pooled, differences, self._parameters.yaw),
        )
        fitted = with_swap_warnings(
            fitted, self.poses, [movement.borrowed for movement in self._movements], self._parameters.swaps
        )
        changed = [c for placement, c in fitted.items() if c != self.calibrations[placement]]
        self.calibrations = fitted
        # Lying, a declared mount is the zero; the still pose is not.
        if not self.is_supine:
            self.acc_biases.learn(window, self.poses)
        return changed

    def note_top(self, history: AlignedHistory, close_ns: int) -> list[SegmentCalibration]:
        """Look at how the sensors stand after a repetition.

        Parameters
        ----------
        history
            Everything received.
        close_ns
            Where the repetition ends.

        Returns
        -------
        The calibrations of sensors that seem to have slipped, with a warning; empty where none has.
        """
        close = history.index_of(close_ns)
        length = max(1, round(self._parameters.slip.top_s * history.sampling_rate_hz))
        window = history.window(close - length, close)
        if window is None or self.is_supine:
            return []
        if self._slips is None:
            standing = {placement: pose.up_sensor for placement, pose in self.poses.items()}
            self._slips = SlipDetector(standing, self._parameters.slip)
        changed = []
        for slip in self._slips.push(tops_of(window)):
            changed.append(slip.noted_in(self.calibrations[slip.placement]))
            self.calibrations[slip.placement] = changed[-1]
        return changed

    def goniometer(self) -> Goniometer:
        """Return what reads angles by all that is known now."""
        return Goniometer(self.acc_biases.taken_off(self.calibrations, self.poses), self.acc_biases.m_s2)

    def _settle_posture(self, window: AlignedBlock) -> None:
        """Let the first repetition tell lying from standing where no mount can."""
        # A thigh with the knee far bent is so near to the vertical that its mount does not tell.
        if any(p is Placement.PELVIS and faces_fore_or_aft(pose.mount) for p, pose in self.poses.items()):
            return
        lifts = lifts_from_lying(window, self.poses)
        if lifts is None or lifts is self.is_supine:
            return
        self.poses = {placement: replace(pose, is_supine=lifts) for placement, pose in self.poses.items()}
        self.calibrations = _initial(self.poses)

    def is_turned_round(self, before: Iterable[SegmentCalibration]) -> bool:
        """Whether forward has changed so much since ``before`` that the count must be done again."""
        return any(
            yaw_difference_deg(old, self.calibrations[old.placement]) > self._parameters.restart_deg
            for old in before
        )


def _initial(poses: Mapping[Placement, StillPose]) -> dict[Placement, SegmentCalibration]:
    """Return the calibrations that hold until movement has been seen."""
    return {
        placement: lying_calibration(pose) if pose.is_supine else pose.initial()
        for placement, pose in poses.items()
    }
