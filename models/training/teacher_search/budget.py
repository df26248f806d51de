"""Processor seconds that may be spent, and what the next step is likely to cost."""

import time
from collections.abc import Callable


class Budget:
    """Counts from its making. `clock` gives this process' processor seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.process_time) -> None:
        self.seconds, self._clock, self._began = seconds, clock, clock()
        self._rates: list[float] = []

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._clock() - self._began

    def learn(self, work: float, seconds: float) -> None:
        """Notes what a step of so much work took."""
        self._rates.append(seconds / work)

    def estimate(self, work: float) -> float:
        """Seconds that so much work should take at the slowest rate seen; 0 before anything was seen."""
        return work * max(self._rates, default=0.0)

    def fits(self, work: float, share: float = 1.0) -> bool:
        """Whether a step of so much work should end within `share` of the budget."""
        return self.spent + self.estimate(work) <= share * self.seconds
