"""Makes everything again: `python -m training.make`, run in models/."""

import argparse
import dataclasses
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from training.command_line import make_folders, one_sentence
from training.evaluation.table import BEGIN, END, write_tables
from training.export.digest import write_json
from training.export.model_folder import export_model
from training.export.teacher_folder import export_teacher
from training.export.world_files import write_world
from training.provenance import provenance, teacher_provenance
from training.randomness import fix_threads
from training.reporting.readme_part import prepare_readme
from training.run import Run, run_seed
from training.scale import FULL, SMOKE, Scale
from training.students.plans import PLANS

MODELS = Path(__file__).resolve().parent.parent
SMOKE_OUT = MODELS / "training" / "out" / "smoke"


def positive(text: str) -> int:
    """A whole number of at least 1, or a message for the person at the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.make",
        description="Draws the world, trains teacher and students, exports, checks parity, writes the tables.",
        allow_abbrev=False,
    )
    parser.add_argument("--smoke", action="store_true", help="the whole way in little, in under two minutes")
    parser.add_argument("--seed", type=positive, default=1, help="first seed; its models are the exported ones (1)")
    parser.add_argument("--seeds", type=positive, default=None, help="how many seeds to measure (5; smoke 2)")
    parser.add_argument("--jobs", type=positive, default=2, help="seeds run side by side; changes no result (2)")
    parser.add_argument("--out", type=Path, default=None, help="where to write (models/; smoke training/out/smoke)")
    options = parser.parse_args(argv)
    options.seeds = options.seeds or (2 if options.smoke else 5)
    options.out = options.out or (SMOKE_OUT if options.smoke else MODELS)
    if options.smoke and options.out.resolve() == MODELS:
        parser.error("--smoke would overwrite the committed models; choose another --out")
    return options


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


def make_seed(seed: int, scale: Scale, out: Path | None) -> dict:
    """Figures of one seed; its outputs are written if `out` is given. Runs in a process of its own."""
    began = time.monotonic()
    print(f"seed {seed}", flush=True)
    run = run_seed(seed, scale)
    if out is not None:
        export(out, seed, scale, run)
    print(f"seed {seed} took {time.monotonic() - began:.0f} s", flush=True)
    return run.figures


@one_sentence("training.make")
def main(argv: list[str] | None = None) -> None:
    """Runs every seed; the first is exported, all are measured."""
    options = arguments(argv)
    scale = SMOKE if options.smoke else FULL
    seeds = range(options.seed, options.seed + options.seeds)
    outs = [options.out if seed == options.seed else None for seed in seeds]
    make_folders(options.out, "repository", "world", "training/results")
    prepare_readme(options.out / "README.md", "Results", BEGIN, END)
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.jobs, len(seeds)), context, initializer=fix_threads) as pool:
        figures = list(pool.map(make_seed, seeds, [scale] * len(seeds), outs))
    results = {"scale": dataclasses.asdict(scale), "runs": figures}
    write_json(options.out / "training" / "results" / "seeds.json", results)
    write_tables(options.out / "README.md", results)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
