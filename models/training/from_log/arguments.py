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
        description="Make a student from what the server logged: the compacted log (npx setlist compact), and the "
        "teacher labels (npx setlist label). The model goes to --out; python -m training.publish puts it into the "
        "repository.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--from-log", type=Path, required=True, metavar="FOLDER", help="the data directory")
    add(
        "--surface",
        type=_one_of("surface", list(SURFACE_TASKS)),
        required=True,
        metavar="NAME",
        help="whose requests are learnt from",
    )
    add(
        "--name",
        type=_model_name,
        metavar="NAME",
        required=True,
        help="the student's name; a known plan's name brings its technique and options",
    )
    add(
        "--technique",
        type=_one_of("technique", list(TECHNIQUES)),
        metavar="NAME",
        help=f"{', '.join(TECHNIQUES)} (default: the plan's)",
    )
    add(
        "--arm-rows",
        nargs="+",
        default=["all"],
        metavar="all|own|ARM",
        help="whose rows are learnt from (default: all)",
    )
    add("--experiment", metavar="ID", help="whose assignments weigh the requests (default: the log's only one)")
    add(
        "--weights",
        type=_one_of("weights", ["propensity", "none"]),
        default="propensity",
        metavar="KIND",
        help="propensity or none (default: propensity)",
    )
    add(
        "--clip",
        type=_number(1, float("inf")),
        default=20.0,
        metavar="NUMBER",
        help="largest 1/propensity, in propensity weights (default: 20)",
    )
    add("--weight", type=_number(0, float("inf")), metavar="NUMBER", help="of the soft loss (default: the plan's)")
    add("--temperature", type=_number(0, float("inf")), metavar="NUMBER", help="of the soft loss (default: the plan's)")
    add(
        "--teacher-tasks",
        type=_pairs,
        metavar="TASK,…",
        help="TASK=TEACHER_TASK,… or, for auxiliary heads, TEACHER_TASK,… (default: the plan's)",
    )
    add("--teacher", default="video-teacher", metavar="NAME", help="whose labels (default: video-teacher)")
    add(
        "--validation",
        type=_number(0, 0.5),
        default=0.15,
        metavar="SHARE",
        help="share of requests for the stopping rule (default: 0.15)",
    )
    add(
        "--held-out",
        type=_number(0, 0.5),
        default=0.15,
        metavar="SHARE",
        help="last share of requests, for the metrics (default: 0.15)",
    )
    add("--epochs", type=positive, default=40, metavar="COUNT", help="at most so many (default: 40)")
    add("--seed", type=positive, default=1, metavar="NUMBER", help="of initialisation and shuffling (default: 1)")
    add(
        "--world",
        type=Path,
        default=WORLD,
        metavar="FOLDER",
        help="the folder of users.parquet and items.parquet (default: models/world)",
    )
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the model goes, a new or empty folder")
    return parser.parse_args(argv)
