"""manifest.json: the whole contract between a model and the server."""

from training.features.schema import Schema
from training.logs.music_log import SURFACE_TASKS

SCHEMA_VERSION = 1
OUTPUT = "probabilities"


def features(schema: Schema) -> list[dict]:
    """Every feature with its place; offsets follow from the order, so columns are covered exactly once."""
    return [
        {
            "name": feature.name,
            "entity": feature.entity,
            "input": one.name,
            "offset": one.columns(feature.name).start,
            "width": feature.width,
            "encoding": feature.encoding.manifest(),
            "default": list(feature.default),
        }
        for one in schema.inputs
        for feature in one.features
    ]


def inputs(schema: Schema) -> list[dict]:
    """The graph's inputs in its order, `request_row` last."""
    named = [{"name": i.name, "dtype": i.dtype, "shape": [i.rows, i.width], "entity": i.entity} for i in schema.inputs]
    return [*named, {"name": "request_row", "dtype": "int32", "shape": ["candidates"], "entity": "row"}]


def manifest(
    name: str,
    version: int,
    description: str,
    schema: Schema,
    digest: str,
    weights: dict[str, float],
    provenance: dict,
    split: dict,
) -> dict:
    """The manifest's content; every field is one that docs/model-manifest.md names."""
    tasks = list(SURFACE_TASKS[schema.surface])
    return {
        "schemaVersion": SCHEMA_VERSION,
        "name": name,
        "version": str(version),
        "surface": schema.surface,
        "description": description,
        "file": "model.onnx",
        "sha256": digest,
        "tasks": tasks,
        "output": {"name": OUTPUT, "dtype": "float32", "shape": ["candidates", len(tasks)]},
        "inputs": inputs(schema),
        "features": features(schema),
        "valueModel": {"kind": "weighted-sum", "weights": weights},
        "golden": {"file": "golden.json"},
        "split": split,
        "provenance": provenance,
    }
