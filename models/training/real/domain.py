"""One domain's behaviour, as both data sets can be read: who took up what, and who tagged what."""

from dataclasses import dataclass

import numpy as np

from training.refusal import RefusedError


@dataclass(frozen=True)
class Domain:
    """Rows of behaviour; users and items are dense numbers, in the order of their ids."""

    name: str
    user_ids: np.ndarray  # int64 [users]
    item_ids: np.ndarray  # int64 [items]
    user: np.ndarray  # int64 [pairs]
    item: np.ndarray  # int64 [pairs]
    value: np.ndarray  # float64 [pairs], a rating in stars or a number of plays
    at: np.ndarray  # float64 [pairs], seconds; NaN where the set has no time
    tag_user: np.ndarray  # int64 [taggings]
    tag_item: np.ndarray  # int64 [taggings]
    tag_at: np.ndarray  # float64 [taggings], seconds (movies) or months since year 0 (artists)
    tag: np.ndarray  # str [taggings], normalised
    word_item: np.ndarray  # int64 [words], what the catalogue itself says of an item (genres)
    word: np.ndarray  # str [words], normalised
    dropped: int  # rows dropped for an impossible date

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.item_ids)

    def keys(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """One number a pair."""
        return user * self.items + item


def normalised(tag: str) -> str:
    """How a tag or genre is compared across the sets: case and surrounding space say nothing."""
    return " ".join(tag.casefold().split())


def shared_vocabulary(source: Domain, target: Domain) -> tuple[str, ...]:
    """Strings that are a tag or a genre in the source and a tag in the target, sorted."""
    return tuple(sorted((set(source.tag) | set(source.word)) & set(target.tag)))


def make_domain(name: str, pairs: tuple, taggings: tuple, words: tuple = ((), ()), dropped: int = 0) -> Domain:
    """A Domain from raw ids. pairs = users, items, values, times; taggings = users, items, times, tags.

    Raises RefusedError for a pair that comes twice: one row could be observed and the other held out.
    """
    user, item, value, at = (np.asarray(c) for c in pairs)
    tag_user, tag_item, tag_at = (np.asarray(c) for c in taggings[:3])
    order = np.lexsort((item, user))
    again = np.flatnonzero((np.diff(user[order]) == 0) & (np.diff(item[order]) == 0))
    if len(again):
        row = order[again[0]]
        raise RefusedError(f"{name}: expected every pair once, found user {user[row]} with item {item[row]} again")
    user_ids = np.unique(np.concatenate([user, tag_user]))
    item_ids = np.unique(np.concatenate([item, tag_item]))
    known = np.isin(np.asarray(words[0], np.int64), item_ids)
    return Domain(
        name,
        user_ids,
        item_ids,
        np.searchsorted(user_ids, user),
        np.searchsorted(item_ids, item),
        value.astype(np.float64),
        at.astype(np.float64),
        np.searchsorted(user_ids, tag_user),
        np.searchsorted(item_ids, tag_item),
        tag_at.astype(np.float64),
        np.array([normalised(t) for t in taggings[3]], dtype=str),
        np.searchsorted(item_ids, np.asarray(words[0], np.int64)[known]),
        np.array([normalised(w) for w in words[1]], dtype=str)[known],
        dropped,
    )
