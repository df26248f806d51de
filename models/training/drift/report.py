"""The drift report, written from the results and from nothing else."""

from pathlib import Path

from training.drift.figures import CLAIMS, difference, interval, leak
from training.drift.measure import TASKS
from training.drift.teachers import POLICIES
from training.drift.techniques import PLANS, SOFT_WEIGHT
from training.reporting.cells import cell, head, row, seed_list

INTRODUCTION = """# Distribution shift: what of a stale teacher's bias is served

![Bias and error of the served click probability over periods](shift.svg)

Made by `python -m training.shift --seed {first} --seeds {count}` in `models/`: seeds {seeds}.
[What it took](README.md). Figures: `models/training/results/shift.json`. `--smoke` walks the same path in seconds.

## What was done

A simulated world drifts for {periods} periods. In each, everybody's taste turns by {turn} radians (root mean
square over the planes of one random rotation, the same in video and music) while the video platform's encoder
goes on reporting what it reported, and every behaviour's logit moves by {rate}. People, catalogue and
requests stay, so that nothing but the behaviour changes.

- **Teachers** learn from {video:,} video impressions a period ({past} times that in period 0) and never from
  music. *once*: period 0 alone. *stepwise*: trained on every {step} periods. *continuous*: trained on every
  period. An update goes on from the last teacher, on the newest period's log alone.
- **Students** rank home and are trained on, each period, from {home} requests of ten tracks ({past} times
  that in period 0) and teacher labels of the same rows by the teacher as it stands. *control*: no teacher.
  *direct*: the serving logit takes the teacher's probabilities as they are. *direct at rate*: the same after
  each task's teacher logits are shifted by one number, so that their mean is the labels' rate; this is what
  the committed home student does. *auxiliary*: a head that is not served takes them. All three distil click,
  watch fraction and like with weight {weight:g}.
- **Measured** on {held_out} requests of the same period's end, against the probabilities that the world knows
  (averaged over positions, as the students are served without one). *bias*: mean predicted minus mean true
  probability. *error*: root mean square of predicted minus true. *spread*: standard deviation of that
  difference, which is what remains of the error once the mean is right. AUC is of drawn outcomes. Intervals
  are 95 % t intervals over seeds; differences are paired by seed.
"""

LIMITS = """
## What these figures do not say

- One speed and one direction of drift, chosen before the full run and not varied: rates fall, so a stale
  teacher promises too much. How much AUC a stale teacher costs depends on how far tastes have turned; the
  order of the techniques may change with it.
- The soft loss has one weight, the same for all techniques and not tuned for any; a smaller one leaks less
  and helps less. Shifting to the rate is possible because the student's own labels give the rate; a task
  without labels of its own has none to shift to.
- The teachers are given the newest period alone. A teacher that also replays older logs would be steadier and
  later.
- Students and teachers are measured at the end of the period they learned from; serving into the next period
  would add one period's drift to all of them alike.
- Every number is from a simulation in which the shift between the domains and the drift have a known, simple
  form. Several claims are read off the same seeds without a correction for their number.
- The teacher's watch fraction is not the probability of completion, nor is video behaviour music behaviour: a teacher
  that is perfectly fresh is biased on music all the same, and the tables by task hold that bias too.
- A claim that is "not shown" is not thereby refuted: the interval holds zero.
"""


def _every_arm() -> list[str]:
    """The control, then each policy's teacher and its students."""
    arms = ["none/control"]
    for policy in POLICIES:
        arms += [f"{policy}/{name}" for name in ("teacher", *PLANS) if name != "control"]
    return arms


def _leaks(results: dict) -> list[str]:
    lines = [
        "",
        "## How much of the teacher's bias is served",
        "",
        "In the last period the teacher trained once is more biased than the continuous one. Of that extra bias, the"
        " percentage that is found in the student: 0 is none, 100 is all.",
        "",
        *head(["technique", *TASKS], 1),
    ]
    for name in PLANS:
        if name != "control":
            lines.append(row([name, *(cell(leak(results, name, task), 0, 100, True) for task in TASKS)]))
    return lines


def _last_period(results: dict) -> list[str]:
    lines = [
        "",
        "## The last period: click",
        "",
        "Percentage points; AUC in percent. The teacher rows are the teacher itself, run zero-shot on music.",
        "",
        *head(["teacher", "technique", "bias", "error", "spread", "AUC", "AUC over control"], 2),
    ]
    for arm in _every_arm():
        cells = [*arm.split("/"), cell(interval(results, arm, "click/bias"), 1, 100, True)]
        cells += [cell(interval(results, arm, f"click/{f}"), 1, 100) for f in ("error", "spread", "auc")]
        cells.append(
            "" if arm == "none/control" else cell(difference(results, arm, "none/control", "click/auc"), 1, 100, True)
        )
        lines.append(row(cells))
    return lines


def _bias_of_tasks(results: dict) -> list[str]:
    lines = [
        "",
        "## The last period: bias of every task",
        "",
        "Difference of the logits of mean predicted and mean true probability, times 100: rarer tasks compare that way."
        f" Over the periods every logit has moved by {100 * _moved(results):+.0f}.",
        "",
        *head(["teacher", "technique", *TASKS], 2),
    ]
    for arm in _every_arm():
        cells = [*arm.split("/"), *(cell(interval(results, arm, f"{task}/logit"), 0, 100, True) for task in TASKS)]
        lines.append(row(cells))
    return lines


def _moved(results: dict) -> float:
    return results["scale"]["drift"]["rate"] * (results["scale"]["periods"] - 1)


def _claims(results: dict) -> list[str]:
    lines = [
        "",
        "## What holds here",
        "",
        "Each claim says that a figure of one arm is greater than that of another in the last period. It holds if the"
        " paired interval is above zero, is contradicted if below, and is not shown otherwise. Percentage points.",
        "",
        row(["claim", "figure", "greater", "than", "difference", "verdict"]),
        "|---|---|---|---|---:|---|",
    ]
    for claim in CLAIMS:
        found = difference(results, claim.arm, claim.other, claim.figure)
        cells = [claim.words, claim.figure.split("/")[1], claim.arm, claim.other, cell(found, 1, 100, True)]
        lines.append(row([*cells, claim.verdict(found)]))
    return lines


def report(results: dict) -> str:
    """Markdown of the whole report."""
    scale = results["scale"]
    introduction = INTRODUCTION.format(
        first=results["runs"][0]["seed"],
        count=len(results["runs"]),
        seeds=seed_list(results),
        periods=scale["periods"],
        turn=scale["drift"]["turn"],
        rate=scale["drift"]["rate"],
        video=scale["world"]["video_impressions"],
        home=scale["world"]["home_requests"],
        held_out=scale["world"]["held_out_requests"],
        past=scale["past"],
        step=scale["step"],
        weight=SOFT_WEIGHT,
    )
    tables = [*_leaks(results), *_claims(results), *_last_period(results), *_bias_of_tasks(results)]
    return introduction + "\n".join([*tables, LIMITS])


def write_report(path: Path, results: dict) -> None:
    """Writes the report."""
    path.write_text(report(results))
