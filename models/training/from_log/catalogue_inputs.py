"""The world's catalogue in the shape that the export asks its random requests of."""

import numpy as np
import torch
from torch import Tensor

from training.features.schema import Schema
from training.from_log.catalogue import EntityTable

# What a frontend repeats of the track that a radio was started from, as models/world/world.json says.
FROM_SEED_TRACK = {"seed_content": "content", "seed_track": "id"}


class CatalogueInputs:
    """Stands where `MusicInputs` does when there is no simulated log: features are as of now, whatever the day."""

    def __init__(self, schema: Schema, users: EntityTable, items: EntityTable) -> None:
        self.schema = schema
        self._users, self._items, self._contexts = users.encoded, items.encoded, {}
        if any(f.entity == "context" for f in schema.features):
            seeds = {name: [*items.raw[of], None] for name, of in FROM_SEED_TRACK.items()}
            seeds["seed_track"] = [*items.ids, None]
            self._contexts = schema.encode("context", seeds)
        self.users, self.items = len(users.ids), len(items.ids)

    def gather(
        self, user: np.ndarray, seed: np.ndarray, days_ago: np.ndarray, item: np.ndarray, request_row: np.ndarray
    ) -> tuple[Tensor, ...]:
        """Tensors in the graph's order, `request_row` last. user, seed, days_ago [requests]; item, request_row
        [candidates]; days_ago is not read."""
        arrays = {name: a[user] for name, a in self._users.items()}
        arrays |= {name: a[seed] for name, a in self._contexts.items()}
        arrays |= {name: a[item] for name, a in self._items.items()}
        ordered = [arrays[i.name] for i in self.schema.inputs] + [request_row.astype(np.int32)]
        return tuple(torch.from_numpy(a) for a in ordered)
