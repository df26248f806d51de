"""The report on real behaviour: paired gains with their intervals, as a table, a picture and a results file."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.evaluation.intervals import Interval, t_interval
from training.real.ranking_metrics import METRICS
from training.real.report_text import report_text
from training.real.students import CONTROL, TASKS, TREATED
from training.reporting.cells import cell, row
from training.reporting.picture import COLOURS, save

LABELS = {"auc": "AUC", "log_loss": "log loss", "ndcg_at_10": "NDCG@10"}


def gains(runs: list[dict], share: str, student: str, task: str, metric: str) -> list[float]:
    """Treated minus control, seed by seed."""
    students = [r["shares"][share]["students"] for r in runs]
    return [s[student][task][metric] - s[CONTROL.name][task][metric] for s in students]


def save_report(folder: Path, command: str, sets: dict, cost: dict, runs: list[dict]) -> None:
    """Writes reports/real-data.md, reports/real-data.svg and training/results/real-data.json under the folder."""
    results = folder / "training" / "results" / "real-data.json"
    report = folder / "reports" / "real-data.md"
    results.parent.mkdir(parents=True, exist_ok=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    kept = {"command": command, "sets": sets, "cost": cost, "runs": runs}
    results.write_text(json.dumps(kept, indent=1) + "\n")
    _picture(report.with_suffix(".svg"), runs)
    said = tallies(runs), gain_table(runs), beaten_by_the_teacher(runs)
    report.write_text(report_text(command, sets, cost, runs, *said))


def tallies(runs: list[dict]) -> list[str]:
    """A line a share: how many of its differences from the control leave 0 out, and to which side."""
    lines = []
    for share in runs[0]["shares"]:
        better = worse = differences = 0
        for plan in TREATED:
            for task in TASKS:
                for metric in METRICS:
                    interval = t_interval(gains(runs, share, plan.name, task, metric))
                    differences += 1
                    if abs(interval.mean) <= interval.half_width:
                        continue
                    good = (interval.mean < 0) == (metric == "log_loss")
                    better, worse = better + good, worse + (not good)
        requests, stopping = (
            np.mean([r["shares"][share]["training"][name] for r in runs]) for name in ("requests", "validation")
        )
        lines.append(
            f"- At {float(share):.0%} of the training users ({requests:,.0f} requests to learn from, {stopping:,.0f} "
            f"to stop by) {better} of {differences} differences are better than the control and {worse} are worse, by "
            "intervals that leave 0 out."
        )
    return lines


def beaten_by_the_teacher(runs: list[dict]) -> dict[str, list[str]]:
    """By proxy, the shares at which the teacher by itself has a higher mean AUC than every student."""
    beaten = {}
    for task in TASKS:
        known = [r["teacher"]["artists"][task] for r in runs]
        beaten[task] = []
        for share in runs[0]["shares"]:
            of_students = [
                np.mean([r["shares"][share]["students"][p.name][task]["auc"] for r in runs])
                for p in (CONTROL, *TREATED)
            ]
            if None not in known and np.mean(known) > max(of_students):
                beaten[task].append(f"{float(share):.0%}")
    return beaten


def gain_table(runs: list[dict]) -> list[str]:
    """Markdown rows: control's mean and each treated student's gain with its 95 % interval; bold where it leaves 0
    out."""
    columns = ["share of users", "proxy", "metric", "control", *(p.name for p in TREATED)]
    rows = [
        row(columns),
        "|" + "---|" * len(columns),
    ]
    for share in runs[0]["shares"]:
        for task in TASKS:
            for metric in METRICS:
                control = np.mean([r["shares"][share]["students"][CONTROL.name][task][metric] for r in runs])
                cells = [_cell(t_interval(gains(runs, share, p.name, task, metric))) for p in TREATED]
                name = task.replace("_", " ")
                line = [f"{float(share):.0%}", name, LABELS[metric], f"{control:.4f}", *cells]
                rows.append(row(line))
    return rows


def _cell(interval: Interval) -> str:
    text = cell(interval, 4, sign=True)
    return f"**{text}**" if interval.leaves_out_zero else text


def _picture(path: Path, runs: list[dict]) -> None:
    shares = list(runs[0]["shares"])
    figure = Figure(figsize=(8.0, 7.5))
    axes = figure.subplots(len(METRICS), len(TASKS), sharex=True)
    for line, metric in zip(axes, METRICS, strict=True):
        for axis, task in zip(line, TASKS, strict=True):
            axis.axhline(0, color="#888888", linewidth=0.8)
            for k, plan in enumerate(TREATED):
                intervals = [t_interval(gains(runs, s, plan.name, task, metric)) for s in shares]
                at = np.array([100 * float(s) for s in shares]) * 1.12 ** (k - 1)
                error = [i.half_width if np.isfinite(i.half_width) else 0.0 for i in intervals]
                mean = [i.mean for i in intervals]
                axis.errorbar(at, mean, error, color=COLOURS[k], marker="os^"[k], capsize=3, label=plan.name, lw=1.2)
            axis.set_xscale("log")
            axis.set_xticks([100 * float(s) for s in shares], [f"{float(s):.0%}" for s in shares])
            axis.set_xticks([], minor=True)
            axis.tick_params(labelsize=8)
            if metric == METRICS[0]:
                axis.set_title(f"{task.replace('_', ' ')} (proxy)", fontsize=10)
            if metric == METRICS[-1]:
                axis.set_xlabel("share of training users", fontsize=9)
        better = "lower is better" if metric == "log_loss" else "higher is better"
        line[0].set_ylabel(f"change of {LABELS[metric]}\n({better})", fontsize=9)
    axes[0, 0].legend(fontsize=8)
    figure.suptitle("Treated minus control, mean and 95 % interval over seeds", fontsize=11)
    figure.tight_layout()
    save(figure, path)
