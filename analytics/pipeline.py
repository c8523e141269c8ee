"""All stages in one: samples in, angles and events out. Live, replay and batch run exactly this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.feed import OrientedFeed
from analytics.history import AlignedHistory
from analytics.imu import Placement
from analytics.measuring import Measuring
from analytics.orders import OrderQueue, cut
from analytics.pipeline_output import (
    LiveState,
    PipelineOutput,
)
from analytics.pipeline_setup import AthleteSetup, PipelineParameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.alignment import Stretch
    from analytics.calibration import SegmentCalibration
    from analytics.imu import ImuBlock
    from analytics.orders import Order
    from analytics.repetition_figures import Repetition
    from analytics.wearing import Wearing


class MotionPipeline:
    """One athlete's sensors, from samples to repetitions.

    Any chunking of the same samples gives the same output, as long as the placements are pushed
    side by side, in packets of up to a quarter of a second; :func:`analytics.batch.analyse` does that
    for whole recordings. It cannot be copied or pickled (``vqf`` cannot): to resume elsewhere, push again.

    Parameters
    ----------
    setup
        Who wears what, and what was asked.
    parameters
        Settings.
    """

    def __init__(self, setup: AthleteSetup, parameters: PipelineParameters | None = None) -> None:
        parameters = parameters or PipelineParameters()
        mounts = {placement: setup.mounts[placement] for placement in Placement if placement in setup.mounts}
        self._history = AlignedHistory(mounts)
        self._feed = OrientedFeed(mounts, self._history, parameters)
        self._orders = OrderQueue()
        self._measuring = Measuring(setup, parameters, self._history, self._orders)
        self._live: LiveState | None = None

    @property
    def late_samples(self) -> Mapping[Placement, int]:
        """Samples that came too late to be used, by placement."""
        return self._feed.late_samples

    @property
    def calibrations(self) -> Mapping[Placement, SegmentCalibration]:
        """How the sensors sit, as far as it is known by now."""
        return self._measuring.session.calibrations

    @property
    def wearing(self) -> Wearing | None:
        """Calibration for the next recording of the same wearing; None while there is none."""
        return self._measuring.session.wearing

    def push(self, block: ImuBlock) -> PipelineOutput:
        """Take the next samples of one sensor.

        Raises
        ------
        ValueError
            The block's placement is not worn.
        MixedSamplingRates, BlockOutOfOrder
            The blocks are not on one grid, or not in order.
        """
        return self.push_together((block,))

    def push_together(self, blocks: Iterable[ImuBlock]) -> PipelineOutput:
        """Take the next samples of several sensors that came in the same time, each sensor's in order.

        Raises
        ------
        ValueError, MixedSamplingRates, BlockOutOfOrder
            As for :meth:`push`.
        """
        heard = [block for block in blocks if len(block)]
        if not heard:
            return PipelineOutput()
        for stretch in self._feed.push(heard):
            self._take(stretch)
        return self._output()

    def order(self, order: Order) -> None:
        """Have something done at its moment; where that has been measured already, with the next sample."""
        self._orders.add(order)

    @property
    def is_waiting(self) -> bool:
        """Whether something was ordered that waits for its samples."""
        return bool(self._orders)

    def obey_now(self) -> PipelineOutput:
        """Do what was ordered without waiting for its moment: no samples come."""
        for order in self._orders.rest():
            self._measuring.obey(order, self._history.end_index if self._history else 0, is_patient=False)
        return self._output()

    def measure_missed(self, at_ns: int) -> Repetition | None:
        """Measure the movement about this moment that was not counted.

        Parameters
        ----------
        at_ns
            On the timeline of the samples, integer ns: while it was done or shortly after.

        Returns
        -------
        Repetition or None
            As the only one of its set; ``None`` where none was seen, or it is kept no more.
        """
        return self._measuring.measure_missed(at_ns)

    def flush(self) -> PipelineOutput:
        """End of the recording: say everything that is left to say."""
        for stretch in self._feed.flush():
            self._take(stretch)
        self._measuring.finish()
        return self._output()

    def _output(self) -> PipelineOutput:
        angles, events = self._measuring.gathered()
        newest_ns = self._feed.newest_input_ns
        if newest_ns is not None and (angles or events or not self._measuring.session.is_started):
            self._live = self._measuring.live_state(newest_ns)
        return PipelineOutput(angles, events, self._live)

    def _take(self, stretch: Stretch) -> None:
        """Work through a stretch; what is ordered is done at the same grid points however it was cut."""
        while (due := self._orders.next_due(stretch, self._history.index_of)) is not None:
            index, order = due
            before, stretch = cut(stretch, index)
            if before.first_index < before.end_index:
                self._measuring.take(before)
            self._measuring.obey(order, index)
        self._measuring.take(stretch)


__all__ = ["AthleteSetup", "MotionPipeline", "PipelineParameters"]
