"""The live test, played out offline: each arm ranks the same candidates, and the truth says what would follow."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats

from training.export.value_models import VALUE_MODELS
from training.features.music_inputs import MusicInputs
from training.logs.music_log import SHOWN, SURFACE_TASKS
from training.randomness import stream
from training.students.serving import ServingStudent
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World

CANDIDATES = 200
REQUESTS_A_LISTENER = 2
# The demo: this many rank requests, half on each surface, over this many listeners, two equal arms.
DEMO_REQUESTS = 25_000
DEMO_LISTENERS = 5_000
ALPHA = 0.05


@dataclass(frozen=True)
class Situations:
    """Requests of the live test, the same for every arm. user, seed [requests]; item [requests, CANDIDATES]."""

    user: np.ndarray
    seed: np.ndarray
    item: np.ndarray


def draw_situations(seed: int, surface: str, world: World, listeners: int) -> Situations:
    """REQUESTS_A_LISTENER requests of each of some listeners, with candidates drawn from the whole catalogue."""
    rng = stream(seed, f"live {surface}")
    chosen = rng.choice(len(world.listening.tracks), size=listeners, replace=False)
    user = np.repeat(chosen, REQUESTS_A_LISTENER)
    item = np.stack([rng.choice(len(world.tracks), size=CANDIDATES, replace=False) for _ in user])
    seed_row = rng.integers(len(world.tracks), size=len(user)) if surface == "radio" else np.full(len(user), -1)
    return Situations(user, seed_row, item)


def expected_outcomes(
    surface: str, student: ServingStudent, inputs: MusicInputs, world: World, situations: Situations
) -> dict[str, np.ndarray]:
    """Expected outcomes of each request's first SHOWN tracks, and their variance: `<task>` and `<task>/variance`,
    float64 [requests]; `new` is the expected completions of new releases."""
    top = np.stack([_top(surface, student, inputs, situations, r) for r in range(len(situations.user))])
    position = np.tile(np.arange(1, SHOWN + 1, dtype=np.int32), len(top))
    rows = (np.repeat(situations.user, SHOWN), top.ravel(), np.repeat(situations.seed, SHOWN), position)
    with torch.no_grad():
        home, radio = (t.double().numpy() for t in world.music_truth(*(torch.from_numpy(r) for r in rows)))
    if surface == "home":
        completion = home[:, 0] * home[:, 1]
        chances = {"click": home[:, 0], "completion": completion, "like": completion * home[:, 2]}
    else:
        chances = {"completion": radio[:, 0], "skip": radio[:, 1], "like": radio[:, 0] * radio[:, 2]}
    new = world.tracks.age_days[top.ravel()] <= NEW_RELEASE_AGE_DAYS_MAX
    figures = {"new": (chances["completion"] * new).reshape(top.shape).sum(axis=1)}
    for task, chance in chances.items():
        figures[task] = chance.reshape(top.shape).sum(axis=1)
        figures[f"{task}/variance"] = (chance * (1 - chance)).reshape(top.shape).sum(axis=1)
    return figures


def _top(surface: str, student: ServingStudent, inputs: MusicInputs, situations: Situations, r: int) -> np.ndarray:
    one, item = slice(r, r + 1), situations.item[r]
    row = np.zeros(len(item), np.int64)
    tensors = inputs.gather(situations.user[one], situations.seed[one], row[:1], item, row)
    weights = torch.tensor([VALUE_MODELS[surface].get(task, 0.0) for task in SURFACE_TASKS[surface]])
    return item[torch.topk(student.score(tensors) @ weights, SHOWN).indices.numpy()]


def demo_power(control: dict[str, np.ndarray], treated: dict[str, np.ndarray], task: str) -> dict[str, float]:
    """Lift of a listener's mean total, and the power of the demo's two-sided test at ALPHA to see it.

    A listener's total over K ~ Poisson(l) requests has variance l (v + m^2) + l^2 b, where m and v are the mean and
    the variance of one request's total and b is the variance between listeners (the covariance of one listener's
    two requests). Normal approximation of Welch's test, as in any sample-size formula.
    """
    requests = DEMO_REQUESTS / 2 / DEMO_LISTENERS
    means, errors = [], []
    for arm in (control, treated):
        pairs = arm[task].reshape(-1, REQUESTS_A_LISTENER)
        between = float(np.cov(pairs.T)[0, 1])
        mean = float(arm[task].mean())
        variance = float(arm[task].var() + arm[f"{task}/variance"].mean())
        means.append(mean * requests)
        errors.append((requests * (variance + mean**2) + requests**2 * between) / (DEMO_LISTENERS / 2))
    z = (means[1] - means[0]) / sum(errors) ** 0.5
    threshold = stats.norm.ppf(1 - ALPHA / 2)
    return {
        "control": means[0] / requests,
        "treated": means[1] / requests,
        "lift": means[1] / means[0] - 1,
        "power": float(stats.norm.sf(threshold - z) + stats.norm.cdf(-threshold - z)),
    }
