"""Searches for the teacher worth having: `python -m training.search --budget-minutes M`, run in models/."""

import argparse
import math
import sys
import time
from dataclasses import asdict

from training.command_line import make_folders, new_parser, one_sentence, parsed, positive
from training.export.digest import write_json
from training.randomness import fix_threads
from training.teacher_search.budget import Budget
from training.teacher_search.configuration import SPACE, narrowed
from training.teacher_search.evaluation import Evaluator
from training.teacher_search.picture import write_picture
from training.teacher_search.report import report
from training.teacher_search.run import WORLDS_MAX, Found, run_search
from training.teacher_search.scale import SEARCH, SMOKE


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of minutes above 0, got {text!r}")
    return value


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(";") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"expected names split by ';', got {text!r}")
    return names


def _worlds(text: str) -> int:
    count = positive(text)
    if count > WORLDS_MAX:
        raise argparse.ArgumentTypeError(f"expected at most {WORLDS_MAX}, got {text}")
    return count


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.search",
        "Find, within a budget of processor time, the teacher whose student gains most over a control.",
        "the whole way in little, in under a minute",
    )
    parser.add_argument(
        "--budget-minutes",
        type=_minutes,
        default=None,
        metavar="MINUTES",
        help="CPU minutes (default: 10, with --smoke 0.5)",
    )
    parser.add_argument(
        "--seed", type=positive, default=1, metavar="NUMBER", help="of the trials' order and of the worlds (default: 1)"
    )
    parser.add_argument(
        "--worlds",
        type=_worlds,
        default=None,
        metavar="COUNT",
        help="worlds a trial is measured on (default: 4, with --smoke 2)",
    )
    for side, names in SPACE.items():
        choices = "; ".join(names).replace("%", "%%")
        parser.add_argument(
            f"--{side}",
            type=_names,
            default=None,
            metavar="NAMES",
            help=f"only these, split by ';' (default: all, {choices})",
        )
    options = parsed(parser, argv, "search-smoke", "report")
    options.budget_minutes = options.budget_minutes or (0.5 if options.smoke else 10.0)
    options.worlds = options.worlds or (2 if options.smoke else 4)
    return options


def as_results(options: argparse.Namespace, spent: float, wall: float, found: Found) -> dict:
    """What search.json holds; its figures are what report and picture were made of."""
    return {
        "seed": options.seed,
        "budget_minutes": options.budget_minutes,
        "cpu_seconds": round(spent, 1),
        "wall_seconds": round(wall),
        "worlds": options.worlds,
        "scale": asdict(SMOKE if options.smoke else SEARCH),
        "trials": [
            asdict(t.configuration) | {"ended": t.ended, "evaluations": [asdict(e) for e in t.evaluations]}
            for t in found.trials
        ],
        "confirmed": {name: [asdict(e) for e in evaluations] for name, evaluations in found.confirmed.items()},
    }


@one_sentence("training.search")
def main(argv: list[str] | None = None) -> None:
    """Searches, confirms, and writes figures, report and picture."""
    options = arguments(argv)
    fix_threads()
    scale = SMOKE if options.smoke else SEARCH
    space = narrowed({side: getattr(options, side) for side in SPACE})
    make_folders(options.out, "reports", "training/results")
    print(f"seed {options.seed}, {options.budget_minutes:g} CPU minutes", flush=True)
    budget, began = Budget(60 * options.budget_minutes), time.monotonic()
    found = run_search(options.seed, space, options.worlds, budget, Evaluator(scale))
    spent, wall = budget.spent, time.monotonic() - began
    write_json(options.out / "training" / "results" / "search.json", as_results(options, spent, wall, found))
    write_picture(options.out / "reports" / "search.svg", found)
    text = report(options.seed, options.budget_minutes, spent, wall, options.worlds, scale, found)
    (options.out / "reports" / "search.md").write_text(text)
    print(f"{len(found.trials)} trials in {spent:.0f} s of processor time; wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
