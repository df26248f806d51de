"""The search and its confirmation, as one run within one budget."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.teacher_search.budget import Budget
from training.teacher_search.configuration import Configuration
from training.teacher_search.confirmation import Candidate, candidate, committed, confirm
from training.teacher_search.evaluation import Evaluation, Evaluator
from training.teacher_search.halving import Trial, frontier, successive_halving, winner

# The rest of the budget confirms the choice.
SEARCH_SHARE = 0.65
# More would be worlds that trials have seen among those called fresh, or the next seed's.
WORLDS_MAX = 500
WINNER, CHEAP = "winner", "cheapest of the frontier"


@dataclass(frozen=True)
class Found:
    """Trials in their order, and fresh evaluations of what was chosen from them, by name."""

    trials: list[Trial]
    confirmed: dict[str, list[Evaluation]]


def search_worlds(seed: int, count: int) -> range:
    """Seeds of the worlds that trials are measured on, one a rung's step."""
    return range(1_000 * seed + 1, 1_000 * seed + 1 + count)


def fresh_worlds(seed: int, count: int) -> range:
    """Seeds of worlds that no trial has seen."""
    return range(1_000 * seed + WORLDS_MAX + 1, 1_000 * seed + WORLDS_MAX + 1 + count)


def run_search(
    seed: int, space: Mapping[str, tuple[str, ...]], worlds: int, budget: Budget, evaluator: Evaluator
) -> Found:
    """Halving first; then the winner, the frontier's cheapest and the recipe's teacher on as many fresh worlds."""
    seeds = search_worlds(seed, worlds)

    def one(world: int, configuration: Configuration) -> Evaluation:
        return evaluator.evaluate(seeds[world], *configuration.teacher, configuration.distilled)

    def work(of: Configuration | Candidate) -> float:
        return evaluator.work(*(of.teacher if isinstance(of, Configuration) else (of.plan, of.share)))

    trials = successive_halving(seed, space, worlds, budget, SEARCH_SHARE, one, work)
    best = winner(trials)
    if best is None:
        return Found(trials, {})
    candidates = [candidate(WINNER, best.configuration)]
    cheapest = frontier(trials)[0]
    if cheapest is not best:
        candidates.append(candidate(CHEAP, cheapest.configuration))
    candidates.append(committed())
    confirmed = confirm(
        candidates,
        fresh_worlds(seed, worlds),
        budget,
        lambda world, c: evaluator.evaluate(world, c.plan, c.share, c.distilled),
        work,
    )
    return Found(trials, confirmed)
