"""The music app's log: requests of SHOWN ranked tracks each, and what the listener did with them."""

from dataclasses import dataclass

import numpy as np
import torch

from training.logs.listening import LOG_DAYS, Listening
from training.randomness import stream
from training.world.behaviour import MusicTruth
from training.world.items import Items
from training.world.people import People

SHOWN = 10
CONSIDERED = 60
SURFACE_TASKS = {"home": ("click", "completion", "like"), "radio": ("completion", "skip", "like")}


@dataclass(frozen=True)
class MusicLog:
    """One surface's requests. user, seed, days_ago int32 [requests] (seed -1 at home); item int32 [requests, SHOWN]
    in the order shown; labels float32 [requests, SHOWN, 3], one column a task of the surface, unconditional."""

    surface: str
    user: np.ndarray
    seed: np.ndarray
    days_ago: np.ndarray
    item: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: np.ndarray) -> "MusicLog":
        """The log of some of its requests."""
        return MusicLog(self.surface, *(a[rows] for a in (self.user, self.seed, self.days_ago, self.item, self.labels)))


def _shown(rng: np.random.Generator, tracks: Items, listening: Listening, user, days_ago) -> np.ndarray:
    """The ranker of the day before learning: popularity, the listener's genres, and chance."""
    considered = rng.integers(len(tracks), size=(len(user), CONSIDERED))
    days = np.broadcast_to(days_ago[:, None], considered.shape)
    plays = tracks.weekly_plays(considered, days)
    score = 0.4 * np.log1p(plays) + 3.0 * listening.genres[user[:, None], tracks.genre[considered]]
    score = score + rng.gumbel(size=considered.shape)
    score[tracks.age_days[considered] < days] = -np.inf  # not yet released
    best = np.argsort(-score, axis=1)[:, :SHOWN]
    return np.take_along_axis(considered, best, axis=1).astype(np.int32)


def _outcomes(rng: np.random.Generator, surface: str, home: np.ndarray, radio: np.ndarray) -> np.ndarray:
    """Labels [n, 3] from the truth's probabilities: every task per impression, whatever came before it."""
    first, second, third = (rng.random(len(home)) for _ in range(3))
    if surface == "home":
        click = first < home[:, 0]
        completion = click & (second < home[:, 1])
        like = completion & (third < home[:, 2])
        return np.stack([click, completion, like], axis=1).astype(np.float32)
    completion = first < radio[:, 0]
    skip = ~completion & (first < radio[:, 0] + radio[:, 1])
    like = completion & (third < radio[:, 2])
    return np.stack([completion, skip, like], axis=1).astype(np.float32)


def draw_seeds(rng: np.random.Generator, tracks: Items, listening: Listening, user: np.ndarray) -> np.ndarray:
    """Rows of the tracks that radios start from: one of the listener's history, or any older track."""
    old = np.flatnonzero(tracks.age_days > LOG_DAYS)
    known = listening.tracks[user]
    length = (known >= 0).sum(axis=1)
    pick = known[np.arange(len(user)), (rng.random(len(user)) * length).astype(int)]
    return np.where(length > 0, pick, rng.choice(old, size=len(user))).astype(np.int32)


def draw_music_log(
    seed: int,
    name: str,
    surface: str,
    requests: int,
    held_out: bool,
    people: People,
    tracks: Items,
    listening: Listening,
    truth: MusicTruth,
) -> MusicLog:
    """Draws requests of the LOG_DAYS days before today, or, held out, of today; busier listeners ask more."""
    rng = stream(seed, f"{name} {surface}")
    listeners = len(listening.tracks)
    share = people.activity(listeners)
    user = rng.choice(listeners, p=share / share.sum(), size=requests).astype(np.int32)
    days_ago = np.zeros(requests, np.int32) if held_out else rng.integers(1, LOG_DAYS + 1, requests, np.int32)
    row_seed = draw_seeds(rng, tracks, listening, user) if surface == "radio" else np.full(requests, -1, np.int32)
    item = _shown(rng, tracks, listening, user, days_ago)
    position = np.tile(np.arange(1, SHOWN + 1, dtype=np.int32), requests)
    rows = (np.repeat(user, SHOWN), item.ravel(), np.repeat(row_seed, SHOWN), position, np.repeat(days_ago, SHOWN))
    with torch.no_grad():
        home, radio = (t.numpy() for t in truth.at(*(torch.from_numpy(r) for r in rows)))
    labels = _outcomes(rng, surface, home, radio).reshape(requests, SHOWN, 3)
    return MusicLog(surface, user, row_seed, days_ago, item, labels)
