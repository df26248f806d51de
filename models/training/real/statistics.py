"""What both domains can say of a user and an item in the same words; the only way from teacher to student."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix

from training.real.domain import Domain
from training.real.observed import Observed


@dataclass(frozen=True)
class Statistics:
    """The shared inputs. Profiles are over the shared vocabulary, of length 1, or all zeros when nothing is known."""

    popularity: np.ndarray  # float32 [items], percentile in [0, 1] of observed takers among training users
    item_profile: np.ndarray  # float32 [items, tags]
    activity: np.ndarray  # float32 [users], percentile in [0, 1] of observed pairs against training users
    user_profile: np.ndarray  # float32 [users, tags], the mean profile of the user's observed items
    takers: np.ndarray  # float64 [items], observed takers among training users


def measure(domain: Domain, observed: Observed, training: np.ndarray, vocabulary: tuple[str, ...]) -> Statistics:
    """Item statistics from observed rows of training users (bool [users]) alone; a user's from that user's observed
    rows. A tagging of a pair that is held out is nobody's statistic: it would give the label away."""
    seen = observed.pair & training[domain.user]
    takers = np.bincount(domain.item[seen], minlength=domain.items).astype(np.float64)
    held_out = domain.keys(domain.user[~observed.pair], domain.item[~observed.pair])
    told = observed.tagging & training[domain.tag_user]
    told &= ~np.isin(domain.keys(domain.tag_user, domain.tag_item), held_out)
    item = np.concatenate([domain.tag_item[told], domain.word_item])
    item_profile = _profiles(item, np.concatenate([domain.tag[told], domain.word]), domain.items, vocabulary)
    pairs = np.bincount(domain.user[observed.pair], minlength=domain.users)
    membership = coo_matrix(
        (np.ones(observed.pair.sum()), (domain.user[observed.pair], domain.item[observed.pair])),
        shape=(domain.users, domain.items),
    ).tocsr()
    return Statistics(
        _percentile(takers, takers),
        item_profile,
        _percentile(pairs, pairs[training]),
        _unit(membership @ item_profile),
        takers,
    )


def _profiles(item: np.ndarray, word: np.ndarray, items: int, vocabulary: tuple[str, ...]) -> np.ndarray:
    known = np.isin(word, vocabulary)
    counts = np.zeros((items, len(vocabulary)))
    np.add.at(counts, (item[known], np.searchsorted(vocabulary, word[known])), 1.0)
    return _unit(np.log1p(counts))


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1.0)).astype(np.float32)


def _percentile(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Share of `among` below each value, ties counted half."""
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return (below / (2 * len(ordered))).astype(np.float32)
