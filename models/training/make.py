"""Makes everything again: `python -m training.make`, run in models/."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from training.command_line import add_seeds, make_folders, new_parser, one_sentence, parsed
from training.export.digest import write_json
from training.export.model_folder import export_model
from training.export.teacher_folder import export_teacher
from training.export.world_files import write_world
from training.provenance import provenance, teacher_provenance
from training.reporting.readme_part import prepare_readme
from training.reporting.results_table import BEGIN, END, write_tables
from training.run import Run, run_seed
from training.scale import FULL, SMOKE, Scale
from training.side_by_side import side_by_side
from training.students.plans import PLANS


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.make",
        "Draw the world, train teacher and students, export, check parity, write the tables.",
        "the whole way in little, in under two minutes",
        "smoke",
    )
    exported = "first seed; its models are the exported ones (default: 1)"
    add_seeds(parser, 2, exported, "how many seeds to measure (default: 5, with --smoke 2)")
    return parsed(parser, argv, "smoke", "models", 5, least=1)


def export(out: Path, seed: int, scale: Scale, run: Run) -> None:
    """Writes repository/ and world/ of one run, and prints how near ONNX Runtime is to PyTorch."""
    write_world(out / "world", seed, run.world)
    origin = teacher_provenance(seed, scale, run.figures)
    difference = export_teacher(out / "repository", seed, run.teacher, run.world, origin, scale.parity_requests)
    print(f"video-teacher: ONNX Runtime differs from PyTorch by at most {difference:.1e}", flush=True)
    for plan in PLANS:
        origin = provenance(seed, scale, plan, run.figures)
        inputs = run.inputs[plan.surface]
        student = run.students[plan.name]
        differences = export_model(out / "repository", seed, plan, student, inputs, origin, scale.parity_requests)
        print(
            f"{plan.name}: over {scale.parity_requests:,} requests ONNX Runtime differs from PyTorch by at most"
            " {:.1e}, the item and request graphs from the reference by {:.1e}".format(*differences),
            flush=True,
        )


def make_seed(seed: int, scale: Scale, out: Path, exported: int) -> dict:
    """Figures of one seed; those of the seed to be exported are written with its models to `out`. Runs in a process of
    its own."""
    began = time.monotonic()
    print(f"seed {seed}", flush=True)
    run = run_seed(seed, scale)
    if seed == exported:
        export(out, seed, scale, run)
    print(f"seed {seed} took {time.monotonic() - began:.0f} s", flush=True)
    return run.figures


@one_sentence("training.make")
def main(argv: list[str] | None = None) -> None:
    """Runs every seed; the first is exported, all are measured."""
    options = arguments(argv)
    scale = SMOKE if options.smoke else FULL
    seeds = range(options.seed, options.seed + options.seeds)
    make_folders(options.out, "repository", "world", "training/results")
    prepare_readme(options.out / "README.md", "Results", BEGIN, END)
    figures = list(side_by_side(make_seed, seeds, options.jobs, scale, options.out, options.seed))
    results = {"scale": dataclasses.asdict(scale), "runs": figures}
    write_json(options.out / "training" / "results" / "seeds.json", results)
    write_tables(options.out / "README.md", results)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
