"""The command line of `python -m training.train`."""

import argparse
from pathlib import Path

from training.command_line import MODELS, positive
from training.logs.music_log import SURFACE_TASKS
from training.publishing.manifest_fields import MODEL_NAME
from training.refusal import nearest
from training.techniques import TECHNIQUES

WORLD = MODELS / "world"


def _one_of(what: str, names: list[str]):
    def known(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f'unknown {what} "{text}"{nearest(text, names)}')
        return text

    return known


def _number(low: float, high: float):
    def between(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low < value < high:
            raise argparse.ArgumentTypeError(f"expected a number above {low:g} and below {high:g}, got {text!r}")
        return value

    return between


def _model_name(text: str) -> str:
    if not MODEL_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a model's name, [a-z0-9-]{{1,64}}, got {text!r}")
    return text


def _pairs(text: str) -> dict[str, str] | tuple[str, ...]:
    """`click=click,like=like` for techniques on serving tasks, `watch_next` for auxiliary heads."""
    parts = text.split(",")
    if all("=" in p for p in parts):
        return dict(p.split("=", 1) for p in parts)
    if any("=" in p or not p for p in parts):
        raise argparse.ArgumentTypeError(f"expected TASK=TEACHER_TASK,… or TEACHER_TASK,…, got {text!r}")
    return tuple(parts)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description="Makes a student from what the server logged: the compacted log (npx setlist compact), and the "
        "teacher labels (npx setlist label). The model goes to --out; python -m training.publish puts it into the "
        "repository.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--from-log", type=Path, required=True, metavar="DATA_DIR", help="the server's data directory")
    add("--surface", type=_one_of("surface", list(SURFACE_TASKS)), required=True, help="whose requests are learnt from")
    add(
        "--name",
        type=_model_name,
        required=True,
        help="the student's name; a known plan's name brings its technique and options",
    )
    add("--technique", type=_one_of("technique", list(TECHNIQUES)), help=f"{', '.join(TECHNIQUES)} (the plan's)")
    add("--arm-rows", nargs="+", default=["all"], metavar="all|own|ARM", help="whose rows are learnt from (all)")
    add("--experiment", help="whose assignments weigh the requests (the log's only one)")
    add("--weights", type=_one_of("weights", ["propensity", "none"]), default="propensity", help="propensity or none")
    add("--clip", type=_number(1, float("inf")), default=20.0, help="largest 1/propensity, in propensity weights (20)")
    add("--weight", type=_number(0, float("inf")), help="of the soft loss (the plan's)")
    add("--temperature", type=_number(0, float("inf")), help="of the soft loss (the plan's)")
    add("--teacher-tasks", type=_pairs, help="TASK=TEACHER_TASK,… or, for auxiliary heads, TEACHER_TASK,… (the plan's)")
    add("--teacher", default="video-teacher", help="whose labels (video-teacher)")
    add("--validation", type=_number(0, 0.5), default=0.15, help="share of requests for the stopping rule (0.15)")
    add("--held-out", type=_number(0, 0.5), default=0.15, help="last share of requests, for the metrics (0.15)")
    add("--epochs", type=positive, default=40, help="at most (40)")
    add("--seed", type=positive, default=1, help="of initialisation and shuffling (1)")
    add("--world", type=Path, default=WORLD, help="folder of users.parquet and items.parquet (models/world)")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the model goes; a new or empty folder")
    return parser.parse_args(argv)
