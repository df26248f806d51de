"""The search's choice on fresh worlds: of many noisy gains the largest is too large, and only new ones tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from training.evaluation.intervals import Interval, t_interval
from training.progress import bar
from training.teacher.plan import TeacherPlan
from training.teacher_search.bench import TASKS
from training.teacher_search.budget import Budget
from training.teacher_search.configuration import Configuration
from training.teacher_search.evaluation import Evaluation
from training.teacher_search.scale import SEARCH_BATCH

COMMITTED = "the recipe's teacher"


@dataclass(frozen=True)
class Candidate:
    """A teacher and what is distilled from it, named for the report."""

    name: str
    plan: TeacherPlan
    share: float
    distilled: Mapping[str, str] = field(hash=False)


def candidate(name: str, configuration: Configuration) -> Candidate:
    """A configuration of the search."""
    return Candidate(name, *configuration.teacher, configuration.distilled)


def committed() -> Candidate:
    """What the recipe trains today, at this world's batch."""
    return Candidate(COMMITTED, TeacherPlan(batch=SEARCH_BATCH), 1.0, TASKS)


def confirm(
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
    budget: Budget,
    evaluate: Callable[[int, Candidate], Evaluation],
    work: Callable[[Candidate], float],
) -> dict[str, list[Evaluation]]:
    """One evaluation a seed for every candidate. A seed is begun only if all of its candidates fit the budget."""
    found: dict[str, list[Evaluation]] = {c.name: [] for c in candidates}
    for seed in bar(seeds, "confirmation", "world"):
        if not budget.fits(sum(work(c) for c in candidates)):
            break
        for one in candidates:
            found[one.name].append(evaluate(seed, one))
    return found


def gain(evaluations: Sequence[Evaluation]) -> Interval | None:
    """Mean gain over fresh worlds; None without at least two."""
    return t_interval([e.mean_gain for e in evaluations]) if len(evaluations) > 1 else None


def difference(one: Sequence[Evaluation], other: Sequence[Evaluation]) -> Interval | None:
    """Paired by world."""
    pairs = [a.mean_gain - b.mean_gain for a, b in zip(one, other, strict=True)]
    return t_interval(pairs) if len(pairs) > 1 else None
