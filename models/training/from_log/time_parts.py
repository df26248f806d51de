"""Three parts of the log's time: learnt from, then the stopping rule's, then the part nobody saw."""

from dataclasses import dataclass

import numpy as np

from training.refusal import RefusedError


@dataclass(frozen=True)
class TimeParts:
    """Bool masks [requests]; each request is in one."""

    training: np.ndarray
    validation: np.ndarray
    held_out: np.ndarray


def time_parts(at_ms: np.ndarray, validation: float, held_out: float) -> TimeParts:
    """Cuts at the times below which the shares of requests lie; requests of one millisecond stay in one part."""
    count = len(at_ms)
    first = np.sort(at_ms)[min(round(count * (1 - validation - held_out)), count - 1)]
    second = np.sort(at_ms)[min(round(count * (1 - held_out)), count - 1)]
    parts = TimeParts(at_ms < first, (at_ms >= first) & (at_ms < second), at_ms >= second)
    for name, mask in (("training", parts.training), ("validation", parts.validation), ("held-out", parts.held_out)):
        if not mask.any():
            raise RefusedError(f"the {name} part of the log's {count} requests is empty; log for longer")
    return parts
