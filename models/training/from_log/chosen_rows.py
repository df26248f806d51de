"""Which of the log's requests a student learns from, by arm, and how much each one weighs."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from training.from_log.joined_log import JoinedLog
from training.refusal import RefusedError, nearest

ALL = "all"
OWN = "own"
# What the log calls the arm of an answer that two arms shared; its rows name the control's model.
INTERLEAVED = "interleaved"


@dataclass(frozen=True)
class ChosenRows:
    """rows int64: requests fit to learn from or to be measured on, in the order of time; arm str [rows], propensity
    float64 [rows]; `learns` bool [rows]: of the arms that were asked for; `left_out`: why the others are not."""

    experiment: str
    rows: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    learns: np.ndarray
    arms: tuple[str, ...]
    left_out: dict[str, int]


def the_experiment(log: JoinedLog, asked: str | None) -> str:
    """The experiment that was asked for, or the surface's only one."""
    found = sorted({a["experiment"] for of in log.assignments for a in of})
    if asked is not None:
        if asked not in found:
            raise RefusedError(f'the log has no assignment of experiment "{asked}"{nearest(asked, found)}')
        return asked
    if len(found) != 1:
        said = f"assignments of {', '.join(found)}" if found else "no experiment's assignments"
        raise RefusedError(f"the log has {said}; name one experiment with --experiment")
    return found[0]


def _arms(asked: list[str], models: dict[str, set[str]], student: str) -> tuple[str, ...]:
    """The arms whose rows are learnt from. `own` are those that the student's model served alone."""
    if asked == [ALL]:
        return tuple(sorted(models))
    if asked == [OWN]:
        own = tuple(sorted(arm for arm, served in models.items() if student in served and arm != INTERLEAVED))
        if not own:
            served = {model for of in models.values() for model in of}
            raise RefusedError(f'no arm of the log was served by "{student}"{nearest(student, served)}')
        return own
    for arm in asked:
        if arm not in models:
            raise RefusedError(f'the log has no rows of arm "{arm}"{nearest(arm, models)}')
    return tuple(sorted(set(asked)))


def choose_rows(
    log: JoinedLog, experiment: str, asked: list[str], student: str, unknown: np.ndarray | None = None
) -> ChosenRows:
    """Leaves out fallbacks, requests outside the experiment, overridden assignments, which nobody drew, and users
    whose features nobody knows: `unknown` bool [requests]."""
    kept, left_out, models = [], Counter(), {}
    for row in range(len(log)):
        assignment = next((a for a in log.assignments[row] if a["experiment"] == experiment), None)
        if assignment is None:
            left_out["outside the experiment"] += 1
        elif assignment["overridden"]:
            left_out["overridden"] += 1
        elif log.model[row] is None:
            left_out["fallback"] += 1
        elif log.start[row] == log.start[row + 1]:
            left_out["nothing shown"] += 1
        elif unknown is not None and unknown[row]:
            left_out["pseudonym without served features"] += 1
        else:
            propensity = assignment["propensity"]
            if not (propensity is not None and 0 < propensity <= 1):
                where = f'request "{log.request[row]}"'
                raise RefusedError(f"{where}: expected a propensity above 0 and of at most 1, found {propensity}")
            kept.append((row, assignment["arm"], propensity))
            models.setdefault(assignment["arm"], set()).add(log.model[row])
    if not kept:
        raise RefusedError(f"no request of the log is fit to learn from: left out {dict(left_out)} of {len(log)}")
    arms = _arms(asked, models, student)
    rows, arm, propensity = (np.array(column) for column in zip(*kept, strict=True))
    return ChosenRows(experiment, rows, arm, propensity, np.isin(arm, arms), arms, dict(left_out))


def inverse_propensity(propensity: np.ndarray, clip: float) -> np.ndarray:
    """float32 weights of mean 1: 1 / propensity, at most `clip`, over their mean (self-normalised, as in Swaminathan
    and Joachims, NeurIPS 2015), so that the learning rate means the same whatever the traffic was split into."""
    weight = np.minimum(1 / propensity.astype(np.float64), clip)
    return (weight / weight.mean()).astype(np.float32)
