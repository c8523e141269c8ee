"""The first part of the pipeline: samples of each sensor in, all sensors side by side in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.alignment import PlacementAlignment
from analytics.orientation import OrientationStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.alignment import Stretch
    from analytics.history import AlignedHistory
    from analytics.imu import ImuBlock, Mount, Placement
    from analytics.pipeline_setup import PipelineParameters


class OrientedFeed:
    """Orientation of each sensor, and their alignment.

    Parameters
    ----------
    mounts
        The sensors worn.
    history
        Takes what is complete.
    parameters
        Settings.
    """

    def __init__(
        self, mounts: Mapping[Placement, Mount], history: AlignedHistory, parameters: PipelineParameters
    ) -> None:
        self._orientation = {
            placement: OrientationStage(placement, parameters.orientation) for placement in mounts
        }
        self._alignment = PlacementAlignment(mounts, history, parameters.alignment)

    def __len__(self) -> int:
        """Sensors worn."""
        return len(self._orientation)

    @property
    def late_samples(self) -> Mapping[Placement, int]:
        """Samples that came too late to be used, by placement."""
        return self._alignment.late_samples

    @property
    def newest_input_ns(self) -> int | None:
        """End of the newest samples that any sensor has delivered; None before the first."""
        return self._alignment.newest_input_ns

    def push(self, blocks: Iterable[ImuBlock]) -> list[Stretch]:
        """Take samples of several sensors, no block empty; return what became complete.

        Raises
        ------
        ValueError
            A block's placement is not worn.
        MixedSamplingRates, BlockOutOfOrder
            The blocks are not on one grid, or not in order.
        """
        heard = list(blocks)
        for block in heard:
            if block.placement not in self._orientation:
                raise ValueError(f"{block.placement} is not worn by this athlete: name it in the setup")
            self._alignment.note_input(block.placement, block.start_time_ns, block.time_ns(len(block)))
        for block in heard:
            for oriented in self._orientation[block.placement].push(block):
                self._alignment.push(oriented)
        return self._alignment.pop()

    def flush(self) -> list[Stretch]:
        """End of the recording: return everything that is left."""
        for stage in self._orientation.values():
            for oriented in stage.flush():
                self._alignment.push(oriented)
        return self._alignment.flush()
