"""Raw feature values of listeners and tracks: what the Parquet files hold and what the schema encodes."""

import numpy as np

from training.logs.listening import Listening
from training.world.items import Items
from training.world.people import COUNTRIES, DEVICES, People
from training.world.space import GENRES


def user_table(people: People, listening: Listening) -> dict[str, list]:
    """One entry a listener; `id` first, then one column a feature or attribute."""
    n = len(listening.tracks)
    return {
        "id": [f"u{row + 1}" for row in range(n)],
        "taste": list(people.video_taste[:n]),
        "genre_affinity": list(listening.genres),
        "weekly_plays": people.weekly_plays[:n].tolist(),
        "tenure_days": people.tenure_days[:n].tolist(),
        "history": [[f"t{t + 1}" for t in row if t >= 0] for row in listening.tracks],
        "country": [COUNTRIES[c] for c in people.country[:n]],
        "device": [DEVICES[d] for d in people.device[:n]],
    }


def item_table(tracks: Items) -> dict[str, list]:
    """One entry a track, as known today."""
    rows = np.arange(len(tracks))
    return {
        "id": [f"t{row + 1}" for row in rows],
        "content": list(tracks.content),
        "audio": list(tracks.own),
        "plays_week": tracks.weekly_plays(rows, np.zeros(len(rows), np.int32)).tolist(),
        "age_days": tracks.age_days.tolist(),
        "artist": [f"a{a + 1}" for a in tracks.maker],
        "genre": [GENRES[g] for g in tracks.genre],
    }
