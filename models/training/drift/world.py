"""The drifting truth: people's tastes turn and the rates of behaviour move, a step every period."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.linalg import expm
from torch import Tensor

from training.randomness import stream
from training.world.behaviour import MusicTruth, VideoTruth
from training.world.people import People
from training.world.space import WIDTH


@dataclass(frozen=True)
class Drift:
    """Speed of the drift a period. `turn`: radians (root mean square over the planes of a random rotation) by which
    everybody's taste turns, the same way in both domains; `rate`: what is added to every behaviour's logit."""

    turn: float
    rate: float


def rotation(seed: int, angle: float) -> np.ndarray:
    """float32 [WIDTH, WIDTH]: the seed's random rotation by `angle`; the angle alone says how far it has turned."""
    raw = stream(seed, "drift").normal(size=(WIDTH, WIDTH))
    generator = raw - raw.T
    # A generator of Frobenius norm sqrt(WIDTH) turns its planes by one radian in the root mean square.
    generator *= WIDTH**0.5 / np.linalg.norm(generator)
    return expm(angle * generator).astype(np.float32)


def turned(seed: int, people: People, angle: float) -> People:
    """The same accounts with other tastes. What the encoder reported of them stays: it is that report's meaning
    that moves, as when an audience comes to like what it did not."""
    turn = rotation(seed, angle)
    return replace(people, taste=people.taste @ turn, music_taste=people.music_taste @ turn)


def _moved(probability: Tensor, by: float) -> Tensor:
    """The probability with `by` added to its logit; at 0 the same to the bit."""
    return torch.sigmoid(torch.logit(probability.double()) + by).float() if by else probability


class DriftingVideoTruth(VideoTruth):
    """Video behaviour with every logit moved by `rate`."""

    rate = 0.0

    def feed(self, user: Tensor, item: Tensor, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As VideoTruth's."""
        click, finish, like = super().feed(user, item, position)
        return _moved(click, self.rate), finish + self.rate, _moved(like, self.rate)

    def watch_next(self, user: Tensor, item: Tensor, seed: Tensor, position: Tensor) -> Tensor:
        """As VideoTruth's."""
        return _moved(super().watch_next(user, item, seed, position), self.rate)


class DriftingMusicTruth(MusicTruth):
    """Music behaviour with the home surface's logits moved by `rate`; this report asks about home alone."""

    rate = 0.0

    def at(
        self, user_row: Tensor, item_row: Tensor, seed_row: Tensor, position: Tensor, days_ago: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As MusicTruth's."""
        home, radio = super().at(user_row, item_row, seed_row, position, days_ago)
        return _moved(home, self.rate), radio
