"""The results tables of models/README.md, written from the results file and from nothing else."""

from pathlib import Path

from training.evaluation.intervals import t_interval
from training.logs.music_log import SURFACE_TASKS
from training.reporting.cells import cell, head, row, seed_list
from training.reporting.readme_part import write_part
from training.reporting.technique_gains import SLICES

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
PAIRS = (("home", "home-control", "home-kd"), ("radio", "radio-control", "radio-kd"))
OFFLINE = (
    "surface",
    "items",
    "task",
    "AUC control",
    "AUC treated",
    "gain",
    "calibration control",
    "calibration treated",
)
LIVE = ("surface", "outcome", "control", "treated", "lift %", "lift %, committed", "demo power %, committed")


def _offline_rows(runs: list[dict], surface: str, control: str, treated: str) -> list[str]:
    rows = []
    for slice_name in ("all", "new"):
        for task in SURFACE_TASKS[surface]:
            key = f"{slice_name}/{task}"
            arms = {a: [r["students"][a][f"{key}/auc"] for r in runs] for a in (control, treated)}
            gains = [t - c for c, t in zip(arms[control], arms[treated], strict=True)]
            calibrations = [
                cell(t_interval([r["students"][a][f"{key}/calibration"] for r in runs]), 2) for a in (control, treated)
            ]
            cells = [
                surface,
                SLICES[slice_name],
                f"`{task}`",
                *(cell(t_interval(arms[a]), 2, 100) for a in (control, treated)),
                cell(t_interval(gains), 2, 100, sign=True),
                *calibrations,
            ]
            rows.append(row(cells))
    return rows


def _live_rows(runs: list[dict], surface: str) -> list[str]:
    rows = []
    for outcome in runs[0]["live"][surface]:
        figures = [r["live"][surface][outcome] for r in runs]
        cells = [
            surface,
            outcome,
            *(cell(t_interval([f[arm] for f in figures]), 3) for arm in ("control", "treated")),
            cell(t_interval([f["lift"] for f in figures]), 1, 100, sign=True),
            f"{figures[0]['lift'] * 100:+.1f}",
            f"{figures[0]['power'] * 100:.1f}" if "power" in figures[0] else "",
        ]
        rows.append(row(cells))
    return rows


def tables(results: dict) -> str:
    """Markdown of both tables and the teacher's line."""
    runs = results["runs"]
    teacher = "; ".join(
        f"`{task}` {cell(t_interval([r['teacher'][task] for r in runs]), 2, 100)}" for task in runs[0]["teacher"]
    )
    lines = [
        f"Seeds {seed_list(results)}: each draws its own world, logs, teacher and students. Mean ± half-width of the"
        " 95 % t interval over seeds; gains are paired by seed. AUC in percent; calibration is predicted over"
        " observed.",
        "",
        *head(OFFLINE, 3),
    ]
    for pair in PAIRS:
        lines += _offline_rows(runs, *pair)
    lines += [
        "",
        f"The teacher on held-out video, AUC: {teacher}.",
        "",
        "Expected live effect, from the truth: outcomes a request when each arm shows its best 10 of the same 200"
        " candidates. The last two columns are those of the committed models.",
        "",
        *head(LIVE, 2),
    ]
    for surface, _, _ in PAIRS:
        lines += _live_rows(runs, surface)
    return "\n".join(lines)


def write_tables(readme: Path, results: dict) -> None:
    """Replaces what stands between the markers."""
    write_part(readme, BEGIN, END, tables(results))
