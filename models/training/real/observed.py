"""What of each user's behaviour is observed (features may see it) and what is held out (it makes labels).

Each user's share is drawn or cut from that user's rows alone, so that no other user's rows move it.
"""

from dataclasses import dataclass

import numpy as np

from training.randomness import stream
from training.real.domain import Domain
from training.real.lastfm import months

# Taggings of artists from this month on are labels; fixed before any result was seen: about a quarter of them.
TAG_CUT = months(2010, 7)
LIKED_STARS = 4.0


@dataclass(frozen=True)
class Observed:
    """Masks over a Domain's rows, and each pair's strong proxy (rated 4 or more; heavy listen)."""

    pair: np.ndarray  # bool [pairs]
    tagging: np.ndarray  # bool [taggings]
    strong: np.ndarray  # bool [pairs]


def observe_movies(movies: Domain) -> Observed:
    """The earlier half of each user's ratings is observed, and the taggings before the later half began."""
    pair, tagging = np.zeros(len(movies.user), bool), np.zeros(len(movies.tag_user), bool)
    for user, rows in rows_by_user(movies.user, movies.users).items():
        ordered = rows[np.argsort(movies.at[rows], kind="stable")]
        first_held_out = ordered[len(ordered) // 2]
        pair[ordered[: len(ordered) // 2]] = True
        own = movies.tag_user == user
        tagging[own] = movies.tag_at[own] < movies.at[first_held_out]
    return Observed(pair, tagging, movies.value >= LIKED_STARS)


def observe_artists(seed: int, artists: Domain) -> Observed:
    """A random half of each user's artists is observed (play counts have no time), and the taggings before the cut.

    A heavy listen has at least the median plays of the user's observed artists.
    """
    pair, strong = np.zeros(len(artists.user), bool), np.zeros(len(artists.user), bool)
    for user, rows in rows_by_user(artists.user, artists.users).items():
        drawn = stream(seed, f"observed artists of {user}").permutation(rows)[: len(rows) // 2]
        pair[drawn] = True
        if len(drawn):
            strong[rows] = artists.value[rows] >= np.median(artists.value[drawn])
    return Observed(pair, artists.tag_at < TAG_CUT, strong)


def rows_by_user(user: np.ndarray, users: int) -> dict[int, np.ndarray]:
    """Row numbers of each user that has any, in the rows' order."""
    order = np.argsort(user, kind="stable")
    bounds = np.searchsorted(user[order], np.arange(users + 1))
    return {u: order[bounds[u] : bounds[u + 1]] for u in range(users) if bounds[u] < bounds[u + 1]}
