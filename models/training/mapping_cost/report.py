"""The mapping report, written from the results and from nothing else."""

from training.evaluation.intervals import Interval
from training.features.mapping import Absent, Same, Sources, Translated, read_features
from training.features.teacher_inputs import SHARED, TEACHER_INPUTS
from training.mapping_cost.figures import gain, gain_cost, gain_difference, teacher_auc, teacher_cost
from training.mapping_cost.measure import DROPOUTS, MEASURED, NOTHING, STUDENTS
from training.reporting.cells import cell, head, row, seed_list
from training.scale import FULL as RECIPE
from training.teacher.plan import TEACHER_PLAN

INTRODUCTION = """# Zero-shot mapping: what each of the teacher's inputs is worth on music

![AUC lost by hiding each input](mapping.svg)

Made by `python -m training.mapping --seed {first} --seeds {count}` in `models/`: seeds {seeds}, {cpu:.0f} s of
processor time ({wall:.0f} s on the wall, on 2 cores with other work running). Figures:
`models/training/results/mapping.json`. `--smoke` walks the same path in little.

The teacher learns from video alone and is run as it is on music. Each of its inputs is declared with its place in
music (`models/training/features/teacher_mapping.py`): the *same* feature, a *translated* one, or *absent*, where it
takes the teacher's missing value. Of {inputs} inputs, {same} are the same, {translated} translated and {absent} absent.
"""

METHOD = """
## What was done

Each seed draws a world in little: {video:,} video impressions ({share:.1%} of the recipe's, in steps of {batch:,}
rows instead of {recipe_batch:,}), {home} home requests to learn from and {held_out:,} a surface held out. Three
teachers are trained on it, which differ in feature dropout alone: *none*; *video's own*, length and maker together in
30 % of the rows, as the committed teacher has it; *every input*, that and each shared input by itself in 10 % of the
rows. Each then labels music with nothing hidden, and with one input at a time replaced by its missing value. For a
hidden input nothing is trained again but the student, which learns from the poorer labels (direct distillation of
three tasks, weight 4). Intervals are 95 % t intervals over seeds, paired by seed where something is compared; AUC in
percentage points.
"""

LIMITS = """
## What these figures do not say

- Inputs are hidden one at a time; those that carry the same knowledge stand in for each other, and the costs do not
  add up.
- A missing value that the teacher never met in training (dropout *none* and *video's own*, for the shared inputs)
  costs what is not known and also what is wrongly supposed; *every input* costs the first alone, or nearly.
- Hiding happens when labels are made, alike in learning and measuring. A feature store that lacks some rows is another
  experiment.
- Students have at most {epochs} epochs, fewer than the recipe's {recipe_epochs}. Where we gave more, the controls
  had stopped by themselves and the treated students went on and gained more. On worlds whose control is poor every
  gain is large, which is why the gain's own interval is wide; losses and differences are paired.
- The students are home's; the seed matters on the radio alone, and there only the teacher was measured.
- The teacher's AUC against music's outcomes is no measure of a teacher's worth: the student's gain is.
- {count} seeds of one simulated pair of domains, with many intervals and no correction for their number.
"""


def report(results: dict, sources: Sources) -> str:
    """Markdown of the whole report. `sources` is music's mapping."""
    kinds = [type(sources.get(i.name, Absent())) for i in TEACHER_INPUTS]
    scale, runs = results["scale"], results["runs"]
    head = INTRODUCTION.format(
        first=runs[0]["seed"],
        count=len(runs),
        seeds=seed_list(results),
        cpu=results["cpu_seconds"],
        wall=results["wall_seconds"],
        inputs=len(TEACHER_INPUTS),
        same=kinds.count(Same),
        translated=kinds.count(Translated),
        absent=kinds.count(Absent),
    )
    method = METHOD.format(
        video=scale["video_impressions"],
        share=scale["video_impressions"] / RECIPE.video_impressions,
        batch=results["batch"],
        recipe_batch=TEACHER_PLAN.batch,
        home=scale["home_requests"],
        held_out=scale["held_out_requests"],
    )
    epochs = {"epochs": scale["student_epochs"], "recipe_epochs": RECIPE.student_epochs}
    limits = LIMITS.format(count=len(runs), **epochs)
    parts = [*_mapping(sources), method, *_students(results), *_teacher(results), limits]
    return head + "\n".join(parts)


def _mapping(sources: Sources) -> list[str]:
    lines = ["", row(["teacher input", "width", "required", "on music", "from"]), "|---|---:|---|---|---|"]
    for one in TEACHER_INPUTS:
        source = sources.get(one.name, Absent())
        by = f" by `{type(source.by).__name__}`" if isinstance(source, Translated) else ""
        read = ", ".join(f"`{f}`" for f in read_features(source)) or f"missing value {one.missing:g}"
        required = "yes" if one.required else "no"
        lines.append(row([f"`{one.name}`", str(one.width), required, type(source).__name__.lower(), read + by]))
    return lines


def _students(results: dict) -> list[str]:
    lines = [
        "",
        "## What the student loses",
        "",
        "Gain in AUC of the home student over its control, mean of its three tasks; below, what of it is lost where\nan"
        " input is hidden from the labels.",
        "",
        *head(["hidden", *(f"dropout: {arm}" for arm in DROPOUTS)], 1),
        row(["*gain, nothing hidden*", *(cell(gain(results, arm, NOTHING), 2, 100, True) for arm in DROPOUTS)]),
    ]
    for name in STUDENTS[1:]:
        lines.append(row([f"loss: `{name}`", *(cell(gain_cost(results, arm, name), 2, 100, True) for arm in DROPOUTS)]))
    lines += [
        "",
        "A loss that is greater than the gain means that the labels do harm: nothing in the student's loss knows that"
        "\nthey have become poor, and their weight stays what it was.",
    ]
    committed = "video's own"
    lines += ["", f"Against dropout of {committed} alone, paired by seed, the student of nothing hidden gains:"]
    for arm in DROPOUTS:
        if arm != committed:
            found = gain_difference(results, arm, committed)
            lines.append(f"- dropout *{arm}*: {cell(found, 2, 100, True)} ({_verdict(found)});")
    lines[-1] = lines[-1][:-1] + "."
    return lines


def _verdict(found: Interval) -> str:
    if not found.leaves_out_zero:
        return "the interval holds zero: no difference is shown"
    return "more" if found.mean > 0 else "less"


def _teacher(results: dict) -> list[str]:
    lines = ["", "## What the teacher loses", "", "The teacher's own zero-shot AUC on music's held-out impressions."]
    for arm in DROPOUTS:
        lines += [
            "",
            f"Feature dropout in training: {arm}.",
            "",
            *head(["hidden", *MEASURED], 1),
            row(["*AUC, nothing hidden*", *(cell(teacher_auc(results, arm, NOTHING, t), 2, 100) for t in MEASURED)]),
        ]
        for name in SHARED:
            cells = [cell(teacher_cost(results, arm, name, task), 2, 100, True) for task in MEASURED]
            lines.append(row([f"loss: `{name}`", *cells]))
    return lines
