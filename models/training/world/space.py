"""The content space both domains share, and how a person's taste meets it.

Items are described by a content encoder, people by the video platform's user encoder. The two encoders do not
share axes: appeal is `taste' M content`, and M has to be learned from behaviour. Video has the behaviour to
learn it from; music has not. Music's own matrices are near video's, not equal: that is the domain shift.
"""

from dataclasses import dataclass

import numpy as np

from training.randomness import stream

WIDTH = 16
GENRES = (
    "ambient",
    "blues",
    "classical",
    "country",
    "electronic",
    "folk",
    "hip-hop",
    "jazz",
    "metal",
    "pop",
    "rock",
    "soul",
)
# Cosine between a video matrix and its music counterpart; lower is a stronger shift between the domains.
DOMAIN_CLOSENESS = 0.92


@dataclass(frozen=True)
class Matrices:
    """Bilinear forms [WIDTH, WIDTH] float32; each gives appeal of unit variance after division by sqrt(WIDTH)."""

    click: np.ndarray
    finish: np.ndarray
    like: np.ndarray
    follow: np.ndarray


@dataclass(frozen=True)
class Space:
    """Genre centroids [GENRES, WIDTH] and the matrices of the two domains."""

    centroids: np.ndarray
    video: Matrices
    music: Matrices


def _rotation(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))
    return q * np.sign(np.diag(r))


def _near(matrix: np.ndarray, closeness: float, rng: np.random.Generator) -> np.ndarray:
    return closeness * matrix + np.sqrt(1 - closeness**2) * _rotation(rng)


def draw_space(seed: int) -> Space:
    """Draws centroids and matrices; the tasks' matrices are related, as engagement and liking are."""
    rng = stream(seed, "space")
    click = _rotation(rng)
    video = Matrices(
        click=click,
        finish=_near(click, 0.85, rng),
        like=_near(click, 0.75, rng),
        follow=_near(np.eye(WIDTH), 0.7, rng),
    )
    music = Matrices(*(_near(m, DOMAIN_CLOSENESS, rng) for m in (video.click, video.finish, video.like, video.follow)))
    return Space(rng.normal(size=(len(GENRES), WIDTH)).astype(np.float32), video, music)
