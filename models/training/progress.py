"""Progress bars of seeds that run side by side: each process has a line of its own."""

from collections.abc import Iterable
from multiprocessing import current_process

from tqdm import tqdm


def bar(items: Iterable, description: str, unit: str, total: int | None = None) -> tqdm:
    """A bar over the items, on the line of this process; it goes when done. None where no terminal shows it."""
    # multiprocessing numbers a process's children from 1; the main process has no number.
    line = (current_process()._identity or (1,))[-1] - 1
    return tqdm(items, desc=description, unit=unit, total=total, position=line, leave=False, disable=None)
