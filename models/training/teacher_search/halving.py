"""Successive halving over teachers, one more world a step, within a budget of processor time."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import optuna

from training.randomness import stream
from training.teacher_search.budget import Budget
from training.teacher_search.configuration import Configuration
from training.teacher_search.evaluation import Evaluation

REDUCTION = 2

Evaluate = Callable[[int, Configuration], Evaluation]


@dataclass
class Trial:
    """A configuration with one evaluation a world, in the order of the worlds. `ended`: complete, pruned (others with
    as many worlds gain more), or budget (the next world would not have fitted)."""

    configuration: Configuration
    evaluations: list[Evaluation] = field(default_factory=list)
    ended: str = "budget"

    @property
    def gain(self) -> float:
        """The student's mean gain over the worlds so far: what trials are ordered by."""
        return float(np.mean([e.mean_gain for e in self.evaluations]))

    @property
    def seconds(self) -> float:
        """The teacher's mean training time."""
        return float(np.mean([e.seconds for e in self.evaluations]))

    @property
    def label_ms(self) -> float:
        """Mean milliseconds a thousand labels."""
        return float(np.mean([e.label_ms for e in self.evaluations]))


def successive_halving(
    seed: int,
    space: Mapping[str, tuple[str, ...]],
    worlds: int,
    budget: Budget,
    share: float,
    evaluate: Evaluate,
    work: Callable[[Configuration], float],
) -> list[Trial]:
    """Trials in the order they began. The order of configurations is the seed's, and none is tried twice.

    Before each world the budget is asked: a step that would not end within `share` of it is not started, and with it
    the search ends. Rungs stand at 1, 2, 4, ... worlds; a trial goes on past one only if it is among the better half
    of all that have reached it (Li et al., arXiv 1810.05934; Optuna's SuccessiveHalvingPruner).
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed), pruner=pruner)
    points = list(itertools.product(*space.values()))
    for place in stream(seed, "teacher search").permutation(len(points)):
        study.enqueue_trial(dict(zip(space, points[place], strict=True)))
    trials: list[Trial] = []

    def objective(of: optuna.Trial) -> float:
        configuration = Configuration(**{side: of.suggest_categorical(side, names) for side, names in space.items()})
        trial = Trial(configuration)
        for world in range(worlds):
            effort = work(configuration)
            if not budget.fits(effort, share):
                study.stop()
                raise optuna.TrialPruned
            if world == 0:
                trials.append(trial)
            before = budget.spent
            trial.evaluations.append(evaluate(world, configuration))
            budget.learn(effort, budget.spent - before)
            of.report(trial.gain, world + 1)
            if world + 1 < worlds and of.should_prune():
                trial.ended = "pruned"
                raise optuna.TrialPruned
        trial.ended = "complete"
        return trial.gain

    study.optimize(objective, n_trials=len(points))
    return trials


def frontier(trials: list[Trial]) -> list[Trial]:
    """Complete trials that no other beats at the same or a smaller training time, cheapest first."""
    best: list[Trial] = []
    for trial in sorted((t for t in trials if t.ended == "complete"), key=lambda t: (t.seconds, -t.gain)):
        if not best or trial.gain > best[-1].gain:
            best.append(trial)
    return best


def winner(trials: list[Trial]) -> Trial | None:
    """The complete trial whose student gains most; None if none is complete."""
    return max((t for t in trials if t.ended == "complete"), key=lambda t: t.gain, default=None)
