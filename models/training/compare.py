"""Compares distillation techniques: `python -m training.compare`, run in models/."""

import argparse
import dataclasses
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from training.command_line import make_folders, one_sentence
from training.evaluation.techniques import compare_seed
from training.export.digest import write_json
from training.make import MODELS, positive
from training.randomness import fix_threads
from training.reporting.readme_part import prepare_readme
from training.reporting.techniques import BEGIN, END, write_report
from training.scale import FULL, SMOKE
from training.students.plans import StudentPlan
from training.techniques.configuration import read_plans

CONFIG = MODELS / "training" / "techniques.toml"
SMOKE_OUT = MODELS / "training" / "out" / "compare-smoke"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.compare",
        description="Trains a student of every technique for both rankers, seed by seed on the same data, and writes"
        " their table, picture and report.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="which students (training/techniques.toml)")
    parser.add_argument("--seeds", type=positive, default=None, help="how many seeds, at least 2 (5; smoke 2)")
    parser.add_argument("--seed", type=positive, default=1, help="first seed (1)")
    parser.add_argument("--jobs", type=positive, default=2, help="seeds run side by side; changes no result (2)")
    parser.add_argument("--smoke", action="store_true", help="the whole way in little")
    parser.add_argument("--out", type=Path, default=None, help="where to write (models/; smoke training/out/...)")
    options = parser.parse_args(argv)
    options.seeds = options.seeds or (2 if options.smoke else 5)
    if options.seeds < 2:
        parser.error("--seeds: expected at least 2, because an interval over seeds needs them, found 1")
    options.out = options.out or (SMOKE_OUT if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error("--smoke would overwrite the committed results; choose another --out")
    return options


def described(plans: tuple[StudentPlan, ...]) -> list[dict]:
    """The plans as the results file keeps them."""
    return [{"name": p.name, "surface": p.surface, "technique": p.technique, "options": dict(p.options)} for p in plans]


def write_results(out: Path, results: dict) -> None:
    """Writes the figures, then what is made of them: report, picture, and the README's table."""
    write_json(out / "training" / "results" / "techniques.json", results)
    write_report(out, results)


def prepare(out: Path) -> None:
    """Makes sure, before any training, that the results will have a place to go."""
    make_folders(out, "reports", "training/results")
    prepare_readme(out / "README.md", "Techniques", BEGIN, END)


@one_sentence("training.compare")
def main(argv: list[str] | None = None) -> None:
    """Compares, and writes figures, report, picture and the README's table."""
    options = arguments(argv)
    scale = SMOKE if options.smoke else FULL
    seeds = range(options.seed, options.seed + options.seeds)
    began = time.monotonic()
    plans = read_plans(options.config)
    prepare(options.out)
    print(f"{len(plans)} students, seeds {', '.join(map(str, seeds))}", flush=True)
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.jobs, len(seeds)), context, initializer=fix_threads) as pool:
        runs = []
        for run in pool.map(compare_seed, seeds, [scale] * len(seeds), [plans] * len(seeds)):
            print(f"seed {run['seed']} took {run['seconds']:.0f} s of processor time", flush=True)
            runs.append(run)
    results = {
        "scale": dataclasses.asdict(scale),
        "students": described(plans),
        "wall_seconds": round(time.monotonic() - began),
        "runs": runs,
    }
    write_results(options.out, results)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
