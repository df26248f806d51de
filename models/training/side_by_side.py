"""Seeds side by side: each in a process of one thread, so that the number of processes changes no figure."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from training.randomness import fix_threads

Result = TypeVar("Result")


def side_by_side(work: Callable[..., Result], seeds: Sequence[int], jobs: int, *shared: object) -> Iterator[Result]:
    """`work(seed, *shared)` of every seed, in the seeds' order whichever ends first."""
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(seeds)), context, initializer=fix_threads) as pool:
        yield from pool.map(work, seeds, *([one] * len(seeds) for one in shared))
