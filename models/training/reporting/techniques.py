"""The techniques' report, its picture, and the compact table in the README, all from the results file alone."""

from pathlib import Path

import matplotlib.pyplot as plt

from training.logs.music_log import SURFACE_TASKS
from training.reporting.cells import cell, interval_of, row, seed_list
from training.reporting.picture import save
from training.reporting.readme_part import write_part
from training.reporting.technique_gains import (
    SLICES,
    best,
    control,
    gain,
    short,
    surfaces,
    treated,
    values,
)
from training.reporting.technique_picture import technique_picture

BEGIN, END = "<!-- techniques: begin -->", "<!-- techniques: end -->"
# Metric, heading, digits, factor.
METRICS = (
    ("auc", "AUC %", 2, 100.0),
    ("ece", "calibration error", 4, 1.0),
    ("calibration", "predicted / observed", 2, 1.0),
    ("log_loss", "log loss", 4, 1.0),
    ("ndcg", "NDCG@10 %", 2, 100.0),
)


def summary(results: dict) -> str:
    """Gain in AUC of every technique, over all items and on new releases, with the best of each column in bold."""
    lines = []
    for surface in surfaces(results):
        tasks, base = SURFACE_TASKS[surface], control(results, surface)
        columns = [(s, t) for s in ("all", "new") for t in tasks]
        heads = [f"`{t}`" if s == "all" else f"`{t}`, new" for s, t in columns]
        errors = "worst calibration error"
        lines += [row([surface, *heads, errors]), row(["---", *["---:"] * (len(columns) + 1)])]
        for name in treated(results, surface):
            cells = [short(name, surface)]
            for s, t in columns:
                text = cell(gain(results, name, base, f"{s}/{t}/auc"), 2, 100, sign=True)
                cells.append(f"**{text}**" if best(results, surface, s, t) == name else text)
            lines.append(row([*cells, _worst_error(results, name, tasks)]))
        lines += [row(["none", *["0"] * len(columns), _worst_error(results, base, tasks)]), ""]
    return "\n".join(lines).rstrip()


def _worst_error(results: dict, name: str, tasks: tuple[str, ...]) -> str:
    means = {t: interval_of(values(results, name, f"all/{t}/ece")) for t in tasks}
    known = {t: i for t, i in means.items() if i is not None}
    task = max(known, key=lambda t: known[t].mean)
    return f"{cell(known[task], 3)} (`{task}`)"


def readings(results: dict) -> str:
    """One line a surface and slice: which technique gains most, and whether that is told apart from nothing."""
    lines = []
    for surface in surfaces(results):
        base = control(results, surface)
        for slice_name, words in SLICES.items():
            parts = []
            for task in SURFACE_TASKS[surface]:
                name = best(results, surface, slice_name, task)
                if name is None:
                    continue
                found = gain(results, name, base, f"{slice_name}/{task}/auc")
                verdict = "" if found.leaves_out_zero else ", not told apart from none"
                parts.append(f"`{task}` {short(name, surface)} ({cell(found, 2, 100, sign=True)}{verdict})")
            lines.append(f"- {surface}, {words}: {'; '.join(parts) or 'no figure'}.")
    return "\n".join(lines)


def _details(results: dict) -> list[str]:
    lines = []
    for surface in surfaces(results):
        base = control(results, surface)
        for slice_name, words in SLICES.items():
            heads = ["technique", "task", "AUC gain", *(head for _, head, _, _ in METRICS), "NDCG gain"]
            lines += ["", f"### {surface}, {words}", "", row(heads), row(["---", "---", *["---:"] * (len(heads) - 2)])]
            for name in [base, *treated(results, surface)]:
                for task in SURFACE_TASKS[surface]:
                    key = f"{slice_name}/{task}"
                    gains = [
                        "0" if name == base else cell(gain(results, name, base, f"{key}/{metric}"), 2, 100, sign=True)
                        for metric in ("auc", "ndcg")
                    ]
                    cells = [
                        cell(interval_of(values(results, name, f"{key}/{metric}")), digits, scale)
                        for metric, _, digits, scale in METRICS
                    ]
                    lines.append(row([short(name, surface), f"`{task}`", gains[0], *cells, gains[1]]))
    return lines


def _options(results: dict) -> list[str]:
    lines = [row(["student", "surface", "technique", "options"]), row(["---"] * 4)]
    for student in results["students"]:
        options = ", ".join(f"{k} = {v}" for k, v in student["options"].items()) or "none"
        lines.append(row([student["name"], student["surface"], f"`{student['technique']}`", options]))
    return lines


def report(results: dict) -> str:
    """The whole report as Markdown."""
    runs = results["runs"]
    processor = sum(r["seconds"] for r in runs) / 60
    lines = [
        "# Techniques compared",
        "",
        "Written by `python -m training.compare` (in `models/`) from `training/results/techniques.json`; the students"
        " are those of `training/techniques.toml`.",
        "",
        f"Seeds {seed_list(results)}: each draws its own world, logs and teacher, and all students of a seed learn"
        f" from them. {results['wall_seconds'] / 60:.1f} minutes on the wall,"
        f" {processor:.1f} minutes of processor time. Mean ± half-width of the 95 % t interval over seeds; gains are"
        " differences from the control of the same seed, in points. Figures are those of held-out impressions, scored"
        " as served.",
        "",
        "![Gains in AUC over the control](techniques.svg)",
        "",
        "## Gains in AUC",
        "",
        summary(results),
        "",
        "The largest gain of each column is bold. The calibration error is that of the student's worst task.",
        "",
        "## Who gains most",
        "",
        readings(results),
        "",
        "## The students",
        "",
        *_options(results),
        "",
        "## What the figures do not say",
        "",
        "- The world is simulated and made to have transferable knowledge: the order of techniques is measured, the"
        " size of the gains is not what a real app would see.",
        "- The largest of several gains is too large on average: with few seeds, neighbours in a column are often not"
        " told apart, and intervals are not corrected for the number of comparisons.",
        "- One weight a technique. The committed students' weights were chosen on seeds 101 and 102; the others were"
        " given the same weight and never tuned, which favours the committed ones.",
        "- Held-out impressions are what the app's old ranker showed. They do not tell which tracks a student would"
        " put first out of the whole catalogue, which is what augmentation is for. The live table of models/README.md"
        " puts 200 candidates in order, for the committed techniques alone.",
        "- Augmentation has more requests and so more steps an epoch; the stopping rule is the same.",
        "- Calibration error has a floor from sampling, which is higher the smaller the slice: compare it within a"
        " slice, not between slices.",
        "- NDCG@10 orders the ten tracks that were shown, over requests that hold both outcomes; for new releases it"
        " orders the few new ones among them.",
        "",
        "## All figures",
        "",
        "Calibration error: mean |predicted - observed| over 20 equal-mass bins. Low-activity listeners are the"
        " quarter of the app's listeners with the fewest plays a week.",
        *_details(results),
    ]
    return "\n".join(lines) + "\n"


def write_report(out: Path, results: dict) -> None:
    """Writes reports/techniques.md and .svg, and the README's part between the markers."""
    folder = out / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "techniques.md").write_text(report(results))
    figure = technique_picture(results)
    save(figure, folder / "techniques.svg")
    plt.close(figure)
    write_part(out / "README.md", BEGIN, END, readme_part(results))


def readme_part(results: dict) -> str:
    """What stands between the README's markers."""
    return "\n".join(
        [
            f"Gain in AUC over the control, in points, seeds {seed_list(results)}, paired by seed; the largest of"
            " each column in bold. [The report](reports/techniques.md) has every slice and measure, and what the"
            " figures do not say.",
            "",
            summary(results),
            "",
            "![Gains in AUC over the control](reports/techniques.svg)",
        ]
    )
