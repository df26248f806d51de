"""Requests that nobody made: a user, some of what the user did next, and sampled items as negatives.

The sets hold no impressions. Half of the negatives are drawn evenly from the catalogue and half in proportion to
the item's observed takers plus one. The second half makes popularity alone a poor guess; it also means that no rate
here is a rate anybody would see.
"""

from dataclasses import dataclass

import numpy as np

from training.randomness import stream
from training.real.domain import Domain
from training.real.observed import Observed, rows_by_user
from training.real.statistics import Statistics

# The source is rich in labels and its teacher is small: its requests may hold more.
TAKEN, TAKEN_SOURCE, TAGGED = 4, 16, 2
NEGATIVES_A_POSITIVE = 2
UNLABELLED = 6


@dataclass(frozen=True)
class Requests:
    """Ragged requests: candidates start[r]:start[r + 1] belong to request r."""

    user: np.ndarray  # int64 [requests]
    start: np.ndarray  # int64 [requests + 1]
    item: np.ndarray  # int64 [candidates]
    labels: np.ndarray  # float32 [candidates, 3]: taken, strong, tagged; NaN: unknown

    @property
    def request_row(self) -> np.ndarray:
        """int64 [candidates]."""
        return np.repeat(np.arange(len(self.user)), np.diff(self.start))


class RequestMaker:
    """Draws requests of one domain; a user's draw depends on the seed, that user's rows and training statistics."""

    def __init__(self, seed: int, domain: Domain, observed: Observed, statistics: Statistics, taken: int) -> None:
        self._taken = taken
        self._seed, self._domain, self._observed = seed, domain, observed
        self._pairs = rows_by_user(domain.user, domain.users)
        self._taggings = rows_by_user(domain.tag_user, domain.users)
        self._popular = np.cumsum(statistics.takers + 1.0)

    def labelled(self, users: np.ndarray) -> Requests:
        """One request a user with anything held out and anything observed; others have none."""
        return self._gather(users, self._labelled)

    def unlabelled(self, users: np.ndarray) -> Requests:
        """One request a user of sampled items that the user is not known to have taken; every label is NaN."""
        return self._gather(users, self._unlabelled)

    def _gather(self, users: np.ndarray, draw) -> Requests:
        drawn = [(user, *draw(int(user))) for user in users]
        drawn = [d for d in drawn if len(d[1])]
        start = np.cumsum([0, *(len(d[1]) for d in drawn)])
        item = np.concatenate([np.zeros(0, np.int64), *(d[1] for d in drawn)])
        labels = np.concatenate([np.zeros((0, 3), np.float32), *(d[2] for d in drawn)])
        return Requests(np.array([d[0] for d in drawn], np.int64), start, item, labels)

    def _labelled(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        random = stream(self._seed, f"{self._domain.name} candidates of {user}")
        rows, taggings = self._rows(user)
        observed, tagged_then = self._observed.pair[rows], self._observed.tagging[taggings]
        held_out, known = rows[~observed], self._domain.item[rows[observed]]
        if not len(held_out) or not len(known):
            return np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
        tagged = np.unique(self._domain.tag_item[taggings[~tagged_then]])
        taken = random.permutation(held_out)[: self._taken]
        before = np.concatenate([self._domain.item[rows], self._domain.tag_item[taggings[tagged_then]]])
        only_tagged = random.permutation(np.setdiff1d(tagged, before))[:TAGGED]
        positives = np.concatenate([self._domain.item[taken], only_tagged])
        everything = np.concatenate([self._domain.item[rows], self._domain.tag_item[taggings]])
        negatives = self._negatives(random, NEGATIVES_A_POSITIVE * len(positives), everything)
        item = np.concatenate([positives, negatives])
        labels = np.zeros((len(item), 3), np.float32)
        labels[: len(taken), 0] = 1.0
        labels[: len(taken), 1] = self._observed.strong[taken]
        # Tagged but not in the list of what was taken: whether it was is unknown, for the lists are cut.
        labels[len(taken) : len(positives), :2] = np.nan
        labels[:, 2] = np.isin(item, tagged)
        return item, labels

    def _unlabelled(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        random = stream(self._seed, f"{self._domain.name} unlabelled items of {user}")
        rows, _ = self._rows(user)
        known = self._domain.item[rows[self._observed.pair[rows]]]
        item = self._negatives(random, UNLABELLED, known) if len(known) else np.zeros(0, np.int64)
        return item, np.full((len(item), 3), np.nan, np.float32)

    def _rows(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        none = np.zeros(0, np.int64)
        return self._pairs.get(user, none), self._taggings.get(user, none)

    def _negatives(self, random: np.random.Generator, count: int, excluded: np.ndarray) -> np.ndarray:
        drawn = np.concatenate(
            [
                random.integers(self._domain.items, size=2 * count),
                np.searchsorted(self._popular, random.random(2 * count) * self._popular[-1], "right"),
            ]
        )
        drawn = random.permutation(drawn)
        _, first = np.unique(drawn, return_index=True)
        kept = drawn[np.sort(first)]
        return kept[~np.isin(kept, excluded)][:count]
