"""`python -m training.real --movielens FOLDER --lastfm FOLDER`: distillation on real behaviour."""

import argparse
import sys
import time
from pathlib import Path

from training.command_line import add_seeds, make_folders, new_parser, one_sentence, parsed
from training.progress import bar
from training.real.domain import Domain, shared_vocabulary
from training.real.lastfm import read_lastfm
from training.real.movielens import read_movielens
from training.real.report import save_report
from training.real.run import SHARES, check, run_seed
from training.real.students import EPOCHS
from training.side_by_side import side_by_side

SMOKE_EPOCHS, SMOKE_SHARES = 1, (0.1, 1.0)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.real",
        "Distil on real behaviour: a movie teacher, artist students.",
        "two seeds and one epoch: whether it runs, not how well",
    )
    parser.add_argument("--movielens", type=Path, required=True, metavar="FOLDER", help="folder of ml-latest-small")
    parser.add_argument("--lastfm", type=Path, required=True, metavar="FOLDER", help="folder of HetRec 2011 Last.fm")
    add_seeds(parser, 1, seeds="how many seeds, at least 2 (default: 10, with --smoke 2)")
    return parsed(parser, argv, "real-smoke", "report", 10)


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
    command = f"python -m training.real --movielens FOLDER --lastfm FOLDER --seeds {count} --seed {options.seed}"
    save_report(options.out, command + (" --smoke" if options.smoke else ""), sets, cost, runs)
    print(f"wrote {options.out / 'reports' / 'real-data.md'}")


def _runs(
    seeds: list[int], movies: Domain, artists: Domain, shares: tuple[float, ...], epochs: int, jobs: int
) -> list[dict]:
    """Figures of every seed, in the seeds' order whatever the number of jobs."""
    if jobs == 1:
        with bar(seeds, "real data", "seed") as begun:
            return [run_seed(s, movies, artists, shares, epochs) for s in begun]
    runs = side_by_side(run_seed, seeds, jobs, movies, artists, shares, epochs)
    with bar(runs, "real data", "seed", len(seeds)) as waited:
        return list(waited)


def _counts(domain: Domain) -> dict[str, int]:
    return {
        "users": domain.users,
        "items": domain.items,
        "pairs": len(domain.user),
        "taggings": len(domain.tag_user),
        "taggers": len(set(domain.tag_user.tolist())),
        "dropped": domain.dropped,
    }


if __name__ == "__main__":
    sys.exit(main())
