"""Constants of the repetition counter."""

from __future__ import annotations

from dataclasses import dataclass, field

from analytics.gate import LYING_GATE, GateParameters
from analytics.turning_points import TurningPointParameters


@dataclass(frozen=True, slots=True)
class CounterParameters:
    """Constants of the counter.

    Parameters
    ----------
    turning_points
        The machine's; its smallest amplitude is taken from the driver unless `minimum_amplitude_deg` says.
    gate, lying_gate
        Demands on a repetition, standing and on the back; ``None`` counts every cycle.
    minimum_amplitude_deg
        Smallest amplitude; ``None``: as the driver allows.
    withdrawal_ratio
        The first two of a set are withdrawn when the next is larger than they are by more than this.
    attempt_share
        A lowering broken off from this part of the typical amplitude on belongs to the set: it was no rest.
    thigh_alone_from_s
        Shortest standing repetition where only a thigh drives, s: a step lasts half of it.
    bridge_gap_s
        Holes up to this long are bridged linearly; a longer one ends the repetition unmeasured.
    posture_s
        Another posture must last this long to be believed.
    history_s
        How much of the past is kept for the gate.
    """

    turning_points: TurningPointParameters = field(default_factory=TurningPointParameters)
    gate: GateParameters | None = field(default_factory=GateParameters)
    lying_gate: GateParameters | None = LYING_GATE
    minimum_amplitude_deg: float | None = None
    withdrawal_ratio: float = 1.8
    attempt_share: float = 0.15
    thigh_alone_from_s: float = 1.2
    bridge_gap_s: float = 1.0
    posture_s: float = 2.0
    history_s: float = 60.0
