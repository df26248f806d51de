"""How long the drifting world runs and how much it logs a period."""

from dataclasses import dataclass, replace

from training.drift.world import Drift
from training.scale import SMOKE as SMALL
from training.scale import TINY, Scale


@dataclass(frozen=True)
class DriftScale:
    """`world` counts are those of one period; period 0 logs `past` times as much. The stepwise teacher is updated
    every `step` periods. `epochs` are passes over period 0's music log, then `update_epochs` over each newer one."""

    world: Scale
    drift: Drift
    periods: int
    past: int
    step: int
    epochs: int
    update_epochs: int


FULL = DriftScale(
    replace(SMALL, video_impressions=250_000, home_requests=300, held_out_requests=600),
    Drift(turn=0.15, rate=-0.15),
    periods=6,
    past=4,
    step=3,
    epochs=12,
    update_epochs=6,
)
SMOKE = replace(
    FULL,
    world=replace(TINY, home_requests=60, held_out_requests=100),
    periods=3,
    past=2,
    step=2,
    epochs=2,
    update_epochs=1,
)
