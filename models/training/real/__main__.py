"""`python -m training.real --movielens DIR --lastfm DIR`: distillation on real behaviour."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from training.command_line import make_folders, one_sentence
from training.progress import bar
from training.real.domain import Domain, shared_vocabulary
from training.real.lastfm import read_lastfm
from training.real.movielens import read_movielens
from training.real.report import save_report
from training.real.run import SHARES, check, run_seed
from training.real.students import EPOCHS

MODELS = Path(__file__).resolve().parents[2]
SMOKE_OUT = MODELS / "training" / "out" / "real-smoke"
SMOKE_SEEDS, SMOKE_EPOCHS, SMOKE_SHARES = 2, 1, (0.1, 1.0)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = _parser()
    options = parser.parse_args(argv)
    options.seeds = options.seeds or (SMOKE_SEEDS if options.smoke else 10)
    if options.seeds < 2:
        parser.error("--seeds: expected at least 2, because an interval over seeds needs them, found 1")
    options.out = options.out or (SMOKE_OUT if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error("--smoke would overwrite the committed report; choose another --out")
    return options


def read_sets(movielens: Path, lastfm: Path, smallest_share: float) -> tuple[Domain, Domain]:
    """Movies and artists; raises RefusedError for sets that cannot be read or learned from."""
    movies, artists = read_movielens(movielens), read_lastfm(lastfm)
    check(movies, artists, smallest_share)
    return movies, artists


@one_sentence("training.real")
def main(argv: list[str] | None = None) -> None:
    """Reads, checks, trains, writes the report."""
    options = arguments(argv)
    started, cpu = time.monotonic(), time.process_time()
    shares, epochs = (SMOKE_SHARES, SMOKE_EPOCHS) if options.smoke else (SHARES, EPOCHS)
    count = options.seeds
    seeds = list(range(options.seed, options.seed + count))
    print(f"seeds {', '.join(map(str, seeds))}")
    movies, artists = read_sets(options.movielens, options.lastfm, min(shares))
    make_folders(options.out, "reports", "training/results")
    print(f"{len(shared_vocabulary(movies, artists))} shared tag strings; {artists.dropped} taggings dropped")
    runs = _runs(seeds, movies, artists, shares, epochs, options.jobs)
    sets = {
        "movies": _counts(movies),
        "artists": _counts(artists),
        "shared_tag_strings": len(shared_vocabulary(movies, artists)),
    }
    cost = {"wall_seconds": round(time.monotonic() - started)}
    if options.jobs == 1:
        cost["cpu_seconds"] = round(time.process_time() - cpu)
    command = f"python -m training.real --movielens DIR --lastfm DIR --seeds {count} --seed {options.seed}"
    save_report(options.out, command + (" --smoke" if options.smoke else ""), sets, cost, runs)
    print(f"wrote {options.out / 'reports' / 'real-data.md'}")


def _runs(
    seeds: list[int], movies: Domain, artists: Domain, shares: tuple[float, ...], epochs: int, jobs: int
) -> list[dict]:
    """Figures of every seed, in the seeds' order whatever the number of jobs."""
    if jobs == 1:
        with bar(seeds, "real data", "seed") as begun:
            return [run_seed(s, movies, artists, shares, epochs) for s in begun]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(run_seed, s, movies, artists, shares, epochs) for s in seeds]
        with bar(running, "real data", "seed") as waited:
            return [r.result() for r in waited]


def _counts(domain: Domain) -> dict[str, int]:
    return {
        "users": domain.users,
        "items": domain.items,
        "pairs": len(domain.user),
        "taggings": len(domain.tag_user),
        "taggers": len(set(domain.tag_user.tolist())),
        "dropped": domain.dropped,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.real", description=__doc__, allow_abbrev=False)
    parser.add_argument("--movielens", type=Path, required=True, metavar="DIR", help="folder of ml-latest-small")
    parser.add_argument("--lastfm", type=Path, required=True, metavar="DIR", help="folder of HetRec 2011 Last.fm")
    parser.add_argument("--seeds", type=_positive, help="how many seeds, at least 2 (10; smoke 2)")
    parser.add_argument("--seed", type=_natural, default=1, help="the first seed (1)")
    parser.add_argument("--jobs", type=_positive, default=1, help="seeds side by side (1); the figures stay the same")
    parser.add_argument("--smoke", action="store_true", help="two seeds and one epoch: whether it runs, not how well")
    parser.add_argument("--out", type=Path, default=None, help="where to write (models/; smoke training/out/...)")
    return parser


def _positive(text: str) -> int:
    return _at_least(1, text)


def _natural(text: str) -> int:
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
