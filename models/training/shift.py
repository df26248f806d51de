"""Measures what of a stale teacher's bias is served: `python -m training.shift`, run in models/."""

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from training.command_line import make_folders, one_sentence
from training.drift.picture import write_picture
from training.drift.report import write_report
from training.drift.run import run_drift
from training.drift.scale import FULL, SMOKE, DriftScale
from training.export.digest import write_json
from training.make import MODELS, positive
from training.randomness import fix_threads

SMOKE_OUT = MODELS / "training" / "out" / "shift-smoke"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.shift",
        description="Drifts the world under teachers that keep up or do not, and reports what their students serve.",
        allow_abbrev=False,
    )
    parser.add_argument("--smoke", action="store_true", help="the whole way in little, in under 20 seconds")
    parser.add_argument("--seed", type=positive, default=1, help="first seed (1)")
    parser.add_argument("--seeds", type=positive, default=None, help="how many seeds, at least 2 (5; smoke 2)")
    parser.add_argument("--jobs", type=positive, default=1, help="seeds run side by side; changes no result (1)")
    parser.add_argument("--out", type=Path, default=None, help="where to write (models/; smoke training/out/...)")
    options = parser.parse_args(argv)
    options.seeds = options.seeds or (2 if options.smoke else 5)
    if options.seeds < 2:
        parser.error("--seeds 1 leaves no interval to report; give at least 2")
    options.out = options.out or (SMOKE_OUT if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error("--smoke would overwrite the committed report; choose another --out")
    return options


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
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.jobs, len(seeds)), context, initializer=fix_threads) as pool:
        runs = list(pool.map(measure, seeds, [scale] * len(seeds)))
    results = {"scale": asdict(scale), "runs": runs}
    write_json(options.out / "training" / "results" / "shift.json", results)
    write_picture(options.out / "reports" / "shift.svg", results)
    write_report(options.out / "reports" / "shift.md", results)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
