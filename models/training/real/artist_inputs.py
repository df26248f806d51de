"""The student's inputs: the shared statistics, and what only the artists' own service knows."""

import numpy as np

from training.features.music_features import TRACK
from training.features.schema import Feature, Schema, number
from training.real.domain import Domain
from training.real.observed import Observed, rows_by_user
from training.real.requests import Requests
from training.real.statistics import Statistics

HISTORY = 25


def artist_schema(tags: int) -> Schema:
    """Features of the artist students. The artist's id and the history share one table of embeddings."""
    return Schema(
        "artists",
        (
            number("activity", "user", 0.0),
            number("user_profile", "user", *[0.0] * tags),
            Feature("history", "user", TRACK, HISTORY),
            number("popularity", "item", 0.0),
            number("item_profile", "item", *[0.0] * tags),
            Feature("artist_id", "item", TRACK),
        ),
    )


class ArtistInputs:
    """Encodes all users and artists once, then gathers rows."""

    def __init__(self, artists: Domain, observed: Observed, statistics: Statistics) -> None:
        self.schema = artist_schema(statistics.item_profile.shape[1])
        ids = np.array(TRACK.encode([f"artist-{a}" for a in artists.item_ids], artists.items), np.int32)
        history = np.zeros((artists.users, HISTORY), np.int32)
        pairs = np.flatnonzero(observed.pair)
        for user, rows in rows_by_user(artists.user[pairs], artists.users).items():
            most_played = pairs[rows][np.argsort(-artists.value[pairs[rows]], kind="stable")][:HISTORY]
            history[user, : len(most_played)] = ids[artists.item[most_played]]
        self.tables = {
            "user_numbers": np.column_stack([statistics.activity, statistics.user_profile]),
            "user_indices": history,
            "item_numbers": np.column_stack([statistics.popularity, statistics.item_profile]),
            "item_indices": ids[:, None],
        }

    def gather(self, requests: Requests) -> list[np.ndarray]:
        """Arrays of the schema's inputs in order: a row a request, or a row a candidate for the item's."""
        rows = {"user": requests.user, "item": requests.item}
        return [self.tables[i.name][rows[i.entity]] for i in self.schema.inputs]
