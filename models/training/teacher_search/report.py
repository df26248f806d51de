"""The search report, written from what was found and from nothing else."""

import numpy as np

from training.evaluation.intervals import t_interval
from training.reporting.cells import cell, head, row
from training.scale import FULL as RECIPE
from training.scale import Scale
from training.teacher.plan import TEACHER_PLAN
from training.teacher_search.bench import WEIGHT
from training.teacher_search.configuration import SPACE, Configuration, hidden_of, student_parameters
from training.teacher_search.confirmation import COMMITTED, difference, gain
from training.teacher_search.evaluation import Evaluation
from training.teacher_search.halving import REDUCTION, Trial, frontier, winner
from training.teacher_search.run import CHEAP, SEARCH_SHARE, WINNER, Found, fresh_worlds, search_worlds
from training.teacher_search.scale import SEARCH_BATCH

INTRODUCTION = """# The teacher worth having: a search within a budget

![The student's gain against the teacher's cost](search.svg)

Made by `python -m training.search --seed {seed} --budget-minutes {budget:g}` in `models/`: {spent:.1f} CPU minutes of
{budget:g} spent, {wall:.0f} minutes on the wall on 2 cores with other work running. Figures:
`models/training/results/search.json`. `--smoke` walks the same path in little.

## What was done

A trial is a teacher: its *size*, in multiples of the student's {student:,} parameters outside of embedding tables
(widths of its two layers: {sizes});
the *share* of the video log that it learns from; the *features* that it uses; and the *tasks* that the home student
distils from it (direct, weight {weight:g}). What is searched for is the **student's gain**: held-out AUC of the
student minus that of a control with the same seed, world, rows and initialisation, mean of its three tasks. The
teacher's own AUC decides nothing.

Trials come in the seed's order, none twice, of {points} in the space. Each is measured on one world after the other,
up to {worlds} (seeds {search}); after 1, 2, ... worlds only the better 1 in {reduction} of those that came as far
go on (Optuna's successive halving). {search_share:.0%} of the budget is for this; a step that would not fit is not
begun. The rest measures the choice on worlds that no trial has seen (seeds {fresh}).

The worlds are small: {video:,} video impressions ({share:.1%} of the recipe's), read in steps of {batch:,} rows
instead of {recipe_batch:,}, and {home} home requests. Teachers are compared at that scale and not at the recipe's.
"""

LIMITS = """
## What these figures do not say

- The winner is the largest of many noisy gains; by how much it is better than the others only the fresh worlds can
  say, and what is not shown there is not refuted either.
- Students have at most {epochs} epochs, fewer than the recipe's {recipe_epochs}. Where we gave more, the controls
  had stopped by themselves and the treated students went on and gained more. Teachers may part further then.
- The first trials meet little competition: the very first sees every world whatever it gains.
- {trials} of {points} points were tried, {complete} of them on every world. A side's mean over its trials mixes
  whatever else those trials had.
- Which trials a budget lets in depends on the machine's speed: the order and each trial's gains are the seed's, the
  place where the list ends is not.
- A teacher for a world with ten times the video log may want another size: capacity pays once the data is there.
- Costs are processor time on a busy machine, in PyTorch on one thread; labelling with ONNX Runtime is cheaper.
- One surface, one technique, one weight; the radio's auxiliary distillation was not searched.
"""


def report(seed: int, budget_minutes: float, spent: float, wall: float, worlds: int, scale: Scale, found: Found) -> str:
    """Markdown of the whole report. spent and wall in seconds."""
    complete = [t for t in found.trials if t.ended == "complete"]
    points = int(np.prod([len(names) for names in SPACE.values()]))
    words = {
        "seed": seed,
        "budget": budget_minutes,
        "spent": spent / 60,
        "wall": wall / 60,
        "sizes": ", ".join(f"{size} {hidden_of(size)}" for size in SPACE["size"]),
        "student": student_parameters(),
        "weight": WEIGHT,
        "points": points,
        "worlds": worlds,
        "search": _range(search_worlds(seed, worlds)),
        "fresh": _range(fresh_worlds(seed, worlds)),
        "reduction": REDUCTION,
        "search_share": SEARCH_SHARE,
        "video": scale.video_impressions,
        "share": scale.video_impressions / RECIPE.video_impressions,
        "batch": SEARCH_BATCH,
        "recipe_batch": TEACHER_PLAN.batch,
        "home": scale.home_requests,
        "epochs": scale.student_epochs,
        "recipe_epochs": RECIPE.student_epochs,
        "trials": len(found.trials),
        "complete": len(complete),
    }
    parts = [*_confirmed(found), *_frontier(found.trials), *_sides(found.trials), *_trials(found.trials)]
    return INTRODUCTION.format(**words) + "\n".join([*parts, LIMITS.format(**words)])


def _range(seeds: range) -> str:
    return f"{seeds[0]} to {seeds[-1]}"


def _confirmed(found: Found) -> list[str]:
    lines = ["", "## The choice, on fresh worlds", ""]
    best = winner(found.trials)
    if best is None:
        return [*lines, "The budget let no trial come through every world: there is no winner."]
    lines += [f"Winner: **{best.configuration.words}**. Gains in AUC points.", ""]
    if gain(found.confirmed.get(WINNER, [])) is None:
        return [*lines, "The budget left fewer than two fresh worlds: the choice is not confirmed."]
    gains = ("gain in the search", "gain on fresh worlds")
    lines += head(["teacher", *gains, "worlds", "CPU s to train", "ms a 1,000 labels"], 1)
    searched = {WINNER: best.gain, CHEAP: frontier(found.trials)[0].gain}
    for name, evaluations in found.confirmed.items():
        in_search = f"{100 * searched[name]:+.2f}" if name in searched else "not searched"
        cells = [name, in_search, cell(gain(evaluations), 2, 100, True)]
        cells += [str(len(evaluations)), f"{np.mean([e.seconds for e in evaluations]):.1f}"]
        lines.append(row([*cells, f"{np.mean([e.label_ms for e in evaluations]):.1f}"]))
    lines += [
        "",
        "Worlds differ in what their controls reach, and by more than teachers differ: levels are not to be compared"
        "\nbetween the two columns, and differences are paired by world.",
        "",
    ]
    base = found.confirmed[COMMITTED]
    lines += [_difference(name, of, COMMITTED, base) for name, of in found.confirmed.items() if name != COMMITTED]
    if CHEAP in found.confirmed:
        lines.append(_difference(WINNER, found.confirmed[WINNER], CHEAP, found.confirmed[CHEAP]))
    return lines


def _difference(name: str, of: list[Evaluation], other: str, base: list[Evaluation]) -> str:
    found = difference(of, base)
    shown = "shown" if found.leaves_out_zero else "not shown: the interval holds zero"
    return f"- {name} minus {other}: {cell(found, 2, 100, True)}; a difference is {shown}."


def _frontier(trials: list[Trial]) -> list[str]:
    lines = [
        "",
        "## The frontier",
        "",
        "Complete trials that none beats at the same or a smaller training time.",
        "",
        *head(["teacher", "gain", "CPU s to train", "ms a 1,000 labels"], 1),
    ]
    for trial in frontier(trials):
        interval = t_interval([e.mean_gain for e in trial.evaluations])
        found = cell(interval, 2, 100, True) if len(trial.evaluations) > 1 else f"{100 * trial.gain:+.2f}"
        lines.append(row([trial.configuration.words, found, f"{trial.seconds:.1f}", f"{trial.label_ms:.1f}"]))
    return lines


def _sides(trials: list[Trial]) -> list[str]:
    lines = [
        "",
        "## By side of the space",
        "",
        "Mean gain on the first world, which every trial was measured on, over the trials with that choice.",
        "",
        *head(["side", "choice", "trials", "gain, first world"], 2),
    ]
    for side, names in SPACE.items():
        for name in names:
            gains = [t.evaluations[0].mean_gain for t in trials if getattr(t.configuration, side) == name]
            lines.append(row([side, name, str(len(gains)), f"{100 * np.mean(gains):+.2f}" if gains else "n/a"]))
    return lines


def _trials(trials: list[Trial]) -> list[str]:
    lines = [
        "",
        "## Every trial, in its order",
        "",
        row(["size", "share", "features", "tasks", "worlds", "ended", "gain", "teacher's click AUC on video"]),
        "|---|---|---|---|---:|---|---:|---:|",
    ]
    for trial in trials:
        of: Configuration = trial.configuration
        own = [100 * e.teacher_auc["click"] for e in trial.evaluations if "click" in e.teacher_auc]
        cells = [of.size, of.share, of.features, of.tasks, str(len(trial.evaluations)), trial.ended]
        lines.append(row([*cells, f"{100 * trial.gain:+.2f}", f"{np.mean(own):.1f}" if own else "n/a"]))
    return lines
