"""From logged or live requests to the graph's inputs."""

import numpy as np
import torch
from torch import Tensor

from training.features.music_features import SCHEMAS
from training.features.music_tables import item_table, user_table
from training.features.schema import Schema
from training.logs.listening import Listening
from training.world.items import Items
from training.world.people import People


class MusicInputs:
    """Encodes the whole catalogue once per surface, then gathers rows; age and plays are as of the day asked for.
    `schema` in the place of the surface's own is what another reader, such as the teacher, takes from the same rows."""

    def __init__(
        self, surface: str, people: People, listening: Listening, tracks: Items, schema: Schema | None = None
    ) -> None:
        self.schema = schema or SCHEMAS[surface]
        self._tracks = tracks
        self._users = self.schema.encode("user", user_table(people, listening))
        items = item_table(tracks)
        self._items = self.schema.encode("item", items)
        self._contexts = {}
        if any(i.entity == "context" for i in self.schema.inputs):
            seeds = {"seed_content": items["content"], "seed_track": items["id"]}
            self._contexts = self.schema.encode("context", seeds)

    @property
    def users(self) -> int:
        """Number of listeners."""
        return len(self._users["user_numbers"])

    @property
    def items(self) -> int:
        """Number of tracks."""
        return len(self._items["item_numbers"])

    def gather(
        self, user: np.ndarray, seed: np.ndarray, days_ago: np.ndarray, item: np.ndarray, request_row: np.ndarray
    ) -> tuple[Tensor, ...]:
        """Tensors in the graph's order, `request_row` last. user, seed, days_ago [requests]; item, request_row
        [candidates]."""
        arrays = {name: a[user] for name, a in self._users.items()}
        arrays |= {name: a[seed] for name, a in self._contexts.items()}
        arrays |= {name: a[item] for name, a in self._items.items()}
        days = days_ago[request_row]
        numbers = self.schema.input("item_numbers")
        arrays["item_numbers"][:, numbers.columns("age_days")] = (self._tracks.age_days[item] - days)[:, None]
        arrays["item_numbers"][:, numbers.columns("plays_week")] = self._tracks.weekly_plays(item, days)[:, None]
        ordered = [arrays[i.name] for i in self.schema.inputs] + [request_row.astype(np.int32)]
        return tuple(torch.from_numpy(a) for a in ordered)
