"""Measures what each of the teacher's inputs is worth on music: `python -m training.mapping`, run in models/."""

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from training.command_line import make_folders, one_sentence
from training.export.digest import write_json
from training.features.teacher_mapping import music_inputs
from training.make import MODELS, positive
from training.mapping_cost.measure import measure
from training.mapping_cost.picture import write_picture
from training.mapping_cost.report import report
from training.randomness import fix_threads
from training.scale import Scale
from training.teacher_search.scale import BATCH, FULL, SMOKE
from training.world.items import draw_tracks
from training.world.space import draw_space

SMOKE_OUT = MODELS / "training" / "out" / "mapping-smoke"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.mapping",
        description="Hides the teacher's inputs one at a time and reports what teacher and students lose.",
        allow_abbrev=False,
    )
    parser.add_argument("--smoke", action="store_true", help="the whole way in little, in under a minute")
    parser.add_argument("--seed", type=positive, default=1, help="first seed (1)")
    parser.add_argument("--seeds", type=positive, default=None, help="how many seeds, at least 2 (4; smoke 2)")
    parser.add_argument("--jobs", type=positive, default=1, help="seeds run side by side; changes no result (1)")
    parser.add_argument("--out", type=Path, default=None, help="where to write (models/; smoke training/out/...)")
    options = parser.parse_args(argv)
    options.seeds = options.seeds or (2 if options.smoke else 4)
    if options.seeds < 2:
        parser.error("--seeds: expected at least 2, because an interval over seeds needs them, found 1")
    options.out = options.out or (SMOKE_OUT if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error("--smoke would overwrite the committed report; choose another --out")
    return options


def measure_seed(seed: int, scale: Scale) -> tuple[dict, float]:
    """One seed's figures and processor seconds. Runs in a process of its own."""
    began = time.process_time()
    print(f"seed {seed}", flush=True)
    return measure(seed, scale), time.process_time() - began


@one_sentence("training.mapping")
def main(argv: list[str] | None = None) -> None:
    """Checks the mapping, runs every seed, then writes figures, report and picture."""
    options = arguments(argv)
    scale = SMOKE if options.smoke else FULL
    seeds = range(options.seed, options.seed + options.seeds)
    # A mapping that cannot be meant is refused here, before any training.
    mapped = music_inputs(draw_tracks(options.seed, scale, draw_space(options.seed)))
    make_folders(options.out, "reports", "training/results")
    began = time.monotonic()
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.jobs, len(seeds)), context, initializer=fix_threads) as pool:
        measured = list(pool.map(measure_seed, seeds, [scale] * len(seeds)))
    results = {
        "scale": asdict(scale),
        "batch": BATCH,
        "cpu_seconds": round(sum(seconds for _, seconds in measured)),
        "wall_seconds": round(time.monotonic() - began),
        "runs": [run for run, _ in measured],
    }
    write_json(options.out / "training" / "results" / "mapping.json", results)
    write_picture(options.out / "reports" / "mapping.svg", results)
    (options.out / "reports" / "mapping.md").write_text(report(results, mapped.sources))
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
