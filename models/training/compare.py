"""Compares distillation techniques: `python -m training.compare`, run in models/."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from training.command_line import MODELS, add_seeds, make_folders, new_parser, one_sentence, parsed
from training.evaluation.techniques import compare_seed
from training.export.digest import write_json
from training.reporting.readme_part import prepare_readme
from training.reporting.techniques import BEGIN, END, write_report
from training.scale import FULL, SMOKE
from training.side_by_side import side_by_side
from training.students.plans import StudentPlan
from training.techniques.configuration import read_plans

CONFIG = MODELS / "training" / "techniques.toml"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.compare",
        "Train a student of every technique for both rankers, seed by seed on the same data, and write"
        " their table, picture and report.",
    )
    parser.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help="which students (default: training/techniques.toml)"
    )
    add_seeds(parser, 2)
    return parsed(parser, argv, "compare-smoke", "results", 5)


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
    runs = []
    for run in side_by_side(compare_seed, seeds, options.jobs, scale, plans):
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
