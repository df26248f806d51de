"""The live test, played out offline: each arm ranks the same candidates, and the truth says what would follow."""

from dataclasses import dataclass

import numpy as np
import torch

from training.evaluation.retrieval import Retrieval
from training.export.value_models import VALUE_MODELS
from training.features.music_inputs import MusicInputs
from training.logs.music_log import SHOWN, SURFACE_TASKS, draw_seeds
from training.randomness import stream
from training.students.serving import ServingStudent
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World

REQUESTS_A_LISTENER = 2
REQUESTS_A_RUN = 20


@dataclass(frozen=True)
class Situations:
    """Requests of the live test, the same for every arm. user, seed [requests]; item [requests, CANDIDATES]."""

    user: np.ndarray
    seed: np.ndarray
    item: np.ndarray


def draw_situations(seed: int, surface: str, world: World, listeners: int) -> Situations:
    """REQUESTS_A_LISTENER requests of each of some listeners, candidates as the demo's retrieval finds them."""
    rng = stream(seed, f"live {surface}")
    user = np.repeat(rng.choice(len(world.listening.tracks), listeners, replace=False), REQUESTS_A_LISTENER)
    retrieval = Retrieval(world)
    item = np.stack([retrieval.candidates(rng, listener) for listener in user])
    is_radio = surface == "radio"
    seeds = draw_seeds(rng, world.tracks, world.listening, user) if is_radio else np.full(len(user), -1)
    return Situations(user, seeds, item)


def expected_outcomes(
    surface: str, student: ServingStudent, inputs: MusicInputs, world: World, situations: Situations
) -> dict[str, np.ndarray]:
    """Expected outcomes of each request's first SHOWN tracks and their variance, float64 [requests] each:
    `<task>`, `<task>/variance`, and `new`, the expected completions of new releases."""
    requests = len(situations.user)
    runs = (slice(start, start + REQUESTS_A_RUN) for start in range(0, requests, REQUESTS_A_RUN))
    top = np.concatenate([_top(surface, student, inputs, situations, run) for run in runs])
    position = np.tile(np.arange(1, SHOWN + 1, dtype=np.int32), requests)
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


def _top(surface: str, student: ServingStudent, inputs: MusicInputs, situations: Situations, run: slice) -> np.ndarray:
    """Rows [requests of the run, SHOWN] of the tracks that the value model puts first."""
    item = situations.item[run]
    row = np.repeat(np.arange(len(item)), item.shape[1])
    today = np.zeros(len(item), np.int32)
    tensors = inputs.gather(situations.user[run], situations.seed[run], today, item.ravel(), row)
    weights = torch.tensor([VALUE_MODELS[surface].get(task, 0.0) for task in SURFACE_TASKS[surface]])
    scores = (student.score(tensors) @ weights).reshape(item.shape)
    return np.take_along_axis(item, torch.topk(scores, SHOWN).indices.numpy(), axis=1)
