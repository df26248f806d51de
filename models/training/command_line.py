"""What the recipe's commands share at their doors: bad input is one sentence, told before any training."""

import argparse
import functools
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path

from training.refusal import RefusedError

MODELS = Path(__file__).resolve().parent.parent
# What --smoke makes, so that it never lies where the committed results do.
OUT = MODELS / "training" / "out"
SMOKE_SEEDS = 2

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


def positive(text: str) -> int:
    """A whole number of at least 1, or a message for the person at the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def new_parser(
    command: str, description: str, smoke: str = "the whole way in little", smoke_folder: str = "..."
) -> argparse.ArgumentParser:
    """A parser with `--smoke` and `--out`; it refuses unknown flags, shortened ones too."""
    parser = argparse.ArgumentParser(prog=f"python -m {command}", description=description, allow_abbrev=False)
    parser.add_argument("--smoke", action="store_true", help=smoke)
    where = f"where to write (default: models/, with --smoke training/out/{smoke_folder})"
    parser.add_argument("--out", type=Path, default=None, metavar="FOLDER", help=where)
    return parser


def add_seeds(
    parser: argparse.ArgumentParser,
    jobs: int,
    seed: str = "first seed (default: 1)",
    seeds: str = "how many seeds, at least 2 (default: 5, with --smoke 2)",
) -> None:
    """Adds `--seed`, `--seeds` and `--jobs`; the two texts are their help."""
    parser.add_argument("--seed", type=positive, default=1, metavar="NUMBER", help=seed)
    parser.add_argument("--seeds", type=positive, default=None, metavar="COUNT", help=seeds)
    side_by_side = f"seeds run side by side; changes no result (default: {jobs})"
    parser.add_argument("--jobs", type=positive, default=jobs, metavar="COUNT", help=side_by_side)


def parsed(
    parser: argparse.ArgumentParser,
    argv: list[str] | None,
    folder: str,
    committed: str,
    seeds: int | None = None,
    least: int = 2,
) -> argparse.Namespace:
    """The options. `out` is models/, or for `--smoke` the folder of that name in OUT; `committed` is what `--smoke`
    must not overwrite. Where the command has seeds, `seeds` is how many unless told, `least` what it needs."""
    options = parser.parse_args(argv)
    if seeds is not None:
        options.seeds = options.seeds or (SMOKE_SEEDS if options.smoke else seeds)
        if options.seeds < least:
            found = f"because an interval over seeds needs them, found {options.seeds}"
            parser.error(f"--seeds: expected at least {least}, {found}")
    options.out = options.out or (OUT / folder if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error(f"--smoke would overwrite the committed {committed}; choose another --out")
    return options
