"""Measures what each of the teacher's inputs is worth on music: `python -m training.mapping`, run in models/."""

import argparse
import sys
import time
from dataclasses import asdict

from training.command_line import add_seeds, make_folders, new_parser, one_sentence, parsed
from training.export.digest import write_json
from training.features.teacher_mapping import music_inputs
from training.mapping_cost.measure import measure
from training.mapping_cost.picture import write_picture
from training.mapping_cost.report import report
from training.scale import Scale
from training.side_by_side import side_by_side
from training.teacher_search.scale import BATCH, FULL, SMOKE
from training.world.items import draw_tracks
from training.world.space import draw_space


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.mapping",
        "Hide the teacher's inputs one at a time and report what teacher and students lose.",
        "the whole way in little, in under a minute",
    )
    add_seeds(parser, 1, seeds="how many seeds, at least 2 (default: 4, with --smoke 2)")
    return parsed(parser, argv, "mapping-smoke", "report", 4)


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
    measured = list(side_by_side(measure_seed, seeds, options.jobs, scale))
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
