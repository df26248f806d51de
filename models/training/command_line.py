"""What the recipe's commands share at their doors: bad input is one sentence, told before any training."""

import functools
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path

from training.refusal import RefusedError

Main = Callable[[list[str] | None], None]


def one_sentence(command: str) -> Callable[[Main], Callable[[list[str] | None], int]]:
    """Makes `main` answer the exit status: 0, or 1 with one line on stderr for what it refuses or cannot reach."""

    def told(main: Main) -> Callable[[list[str] | None], int]:
        @functools.wraps(main)
        def status(argv: list[str] | None = None) -> int:
            try:
                main(argv)
            except (ValueError, OSError, BrokenExecutor) as error:
                print(f"{command}: {' '.join(str(error).splitlines())}", file=sys.stderr)
                return 1
            return 0

        return status

    return told


def make_folders(out: Path, *names: str) -> None:
    """Makes sure, before any training, that what is made will have a place to go; raises RefusedError."""
    for name in names:
        try:
            (out / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RefusedError(
                f"--out {out}: expected a place for the folder {name}/, found {error.strerror}"
            ) from None
