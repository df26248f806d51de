"""`python -m training.real --movielens DIR --lastfm DIR`: distillation on real behaviour."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from training.progress import bar
from training.real.domain import Domain, shared_vocabulary
from training.real.lastfm import read_lastfm
from training.real.movielens import read_movielens
from training.real.report import save_report
from training.real.run import SHARES, check, run_seed
from training.real.students import EPOCHS
from training.refusal import RefusedError

MODELS = Path(__file__).parents[2]
SMOKE_SEEDS, SMOKE_EPOCHS, SMOKE_SHARES = 2, 1, (0.1, 1.0)


def main(arguments: list[str] | None = None) -> int:
    """Reads, checks, trains, writes the report; 1 and one sentence for data that cannot be used."""
    options = _parser().parse_args(arguments)
    started, cpu = time.monotonic(), time.process_time()
    shares, epochs = (SMOKE_SHARES, SMOKE_EPOCHS) if options.smoke else (SHARES, EPOCHS)
    count = options.seeds or (SMOKE_SEEDS if options.smoke else 10)
    seeds = list(range(options.seed, options.seed + count))
    print(f"seeds {', '.join(map(str, seeds))}")
    try:
        movies, artists = read_movielens(options.movielens), read_lastfm(options.lastfm)
        check(movies, artists, min(shares))
        print(f"{len(shared_vocabulary(movies, artists))} shared tag strings; {artists.dropped} taggings dropped")
        runs = _runs(seeds, movies, artists, shares, epochs, options.jobs)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 1
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
    return 0


def _runs(
    seeds: list[int], movies: Domain, artists: Domain, shares: tuple[float, ...], epochs: int, jobs: int
) -> list[dict]:
    """Figures of every seed, in the seeds' order whatever the number of jobs."""
    if jobs == 1:
        return [run_seed(s, movies, artists, shares, epochs) for s in bar(seeds, "real data", "seed")]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(run_seed, s, movies, artists, shares, epochs) for s in seeds]
        return [r.result() for r in bar(running, "real data", "seed")]


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
    parser = argparse.ArgumentParser(prog="python -m training.real", description=__doc__)
    parser.add_argument("--movielens", type=Path, required=True, metavar="DIR", help="folder of ml-latest-small")
    parser.add_argument("--lastfm", type=Path, required=True, metavar="DIR", help="folder of HetRec 2011 Last.fm")
    parser.add_argument("--seeds", type=_positive, help="number of seeds (10; 2 with --smoke)")
    parser.add_argument("--seed", type=_natural, default=1, help="the first seed (1)")
    parser.add_argument("--jobs", type=_positive, default=1, help="seeds side by side (1); the figures stay the same")
    parser.add_argument("--smoke", action="store_true", help="two seeds and one epoch: whether it runs, not how well")
    parser.add_argument("--out", type=Path, default=MODELS, metavar="DIR", help="takes reports/ and training/results/")
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
