"""models/world/: the demo's listeners and tracks as Parquet, the truth as ONNX, and world.json about them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from training.export.digest import sha256, write_json
from training.export.graph import export_graph
from training.export.truth_parity import check_truth
from training.features.music_features import SCHEMAS
from training.features.music_tables import item_table, user_table
from training.logs.music_log import SHOWN, SURFACE_TASKS
from training.world.behaviour import HOME_COLUMNS, RADIO_COLUMNS
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World

TRUTH_INPUTS = ("user_row", "item_row", "seed_row", "position")
TRUTH_OUTPUTS = {"home": HOME_COLUMNS, "radio": RADIO_COLUMNS}


def _column(values: list) -> pa.Array:
    """DOUBLE, FLOAT[], VARCHAR or VARCHAR[], by what the values are."""
    if isinstance(values[0], np.ndarray):
        return pa.array(values, pa.list_(pa.float32()))
    if isinstance(values[0], list):
        return pa.array(values, pa.list_(pa.string()))
    return pa.array(values, pa.string() if isinstance(values[0], str) else pa.float64())


def write_world(folder: Path, seed: int, world: World) -> None:
    """Writes the four files of the world."""
    folder.mkdir(parents=True, exist_ok=True)
    users, items = user_table(world.people, world.listening), item_table(world.tracks)
    for name, table in (("users", users), ("items", items)):
        columns = {key: _column(values) for key, values in table.items()}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")
    # One tensor for each input: the exporter takes the same tensor given twice for one input.
    example = tuple(torch.tensor([2 * k, 2 * k + 1], dtype=torch.int32) for k in range(1, len(TRUTH_INPUTS) + 1))
    export_graph(
        world.music_truth,
        example,
        list(TRUTH_INPUTS),
        ["shown"] * len(TRUTH_INPUTS),
        list(TRUTH_OUTPUTS),
        folder / "truth.onnx",
    )
    check_truth(seed, world.music_truth, folder / "truth.onnx")
    write_json(folder / "world.json", _description(folder, seed, world, len(users["id"])))


def _description(folder: Path, seed: int, world: World, listeners: int) -> dict:
    return {
        "schemaVersion": 1,
        "seed": seed,
        "counts": {
            "users": listeners,
            "items": len(world.tracks),
            "artists": len(np.unique(world.tracks.maker)),
            "newReleases": int((world.tracks.age_days <= NEW_RELEASE_AGE_DAYS_MAX).sum()),
        },
        "newReleaseAgeDaysMax": NEW_RELEASE_AGE_DAYS_MAX,
        "surfaces": {name: _surface(name) for name in SURFACE_TASKS},
        "truth": {
            "file": "truth.onnx",
            "inputs": [{"name": name, "dtype": "int32", "shape": ["shown"]} for name in TRUTH_INPUTS],
            "outputs": [
                {"name": name, "dtype": "float32", "shape": ["shown", len(columns)], "columns": list(columns)}
                for name, columns in TRUTH_OUTPUTS.items()
            ],
        },
        "files": {name: sha256(folder / name) for name in ("users.parquet", "items.parquet", "truth.onnx")},
    }


def _surface(name: str) -> dict:
    """A surface's tasks, and each context feature with the column of the seed track's row that it repeats."""
    sources = {"seed_content": "content", "seed_track": "id"}
    context = [
        {"name": f.name, "width": f.width, "fromSeedTrack": sources[f.name]}
        for f in SCHEMAS[name].features
        if f.entity == "context"
    ]
    return {"tasks": list(SURFACE_TASKS[name]), "shown": SHOWN, "contextFeatures": context}
