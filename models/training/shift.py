"""Measures what of a stale teacher's bias is served: `python -m training.shift`, run in models/."""

import argparse
import sys
import time
from dataclasses import asdict

from training.command_line import add_seeds, make_folders, new_parser, one_sentence, parsed
from training.drift.picture import write_picture
from training.drift.report import write_report
from training.drift.run import run_drift
from training.drift.scale import FULL, SMOKE, DriftScale
from training.export.digest import write_json
from training.side_by_side import side_by_side


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.shift",
        "Drift the world under teachers that keep up or do not, and report what their students serve.",
        "the whole way in little, in under 20 seconds",
    )
    add_seeds(parser, 1)
    return parsed(parser, argv, "shift-smoke", "report", 5)


def measure(seed: int, scale: DriftScale) -> dict:
    """One seed's figures. Runs in a process of its own."""
    began = time.monotonic()
    print(f"seed {seed}", flush=True)
    arms = run_drift(seed, scale)
    print(f"seed {seed} took {time.monotonic() - began:.0f} s", flush=True)
    return {"seed": seed, "arms": arms}


@one_sentence("training.shift")
def main(argv: list[str] | None = None) -> None:
    """Runs every seed, then writes figures, report and picture."""
    options = arguments(argv)
    scale = SMOKE if options.smoke else FULL
    seeds = range(options.seed, options.seed + options.seeds)
    make_folders(options.out, "reports", "training/results")
    runs = list(side_by_side(measure, seeds, options.jobs, scale))
    results = {"scale": asdict(scale), "runs": runs}
    write_json(options.out / "training" / "results" / "shift.json", results)
    write_picture(options.out / "reports" / "shift.svg", results)
    write_report(options.out / "reports" / "shift.md", results)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
