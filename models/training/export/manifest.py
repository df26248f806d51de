"""manifest.json: the whole contract between a model and the server."""

from collections.abc import Sequence

from training.features.schema import Schema

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
    tasks: Sequence[str],
    digest: str,
    weights: dict[str, float],
    provenance: dict,
) -> dict:
    """The fields that every model has; docs/model-manifest.md names them and those that some add."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "name": name,
        "version": str(version),
        "surface": schema.surface,
        "description": description,
        "file": "model.onnx",
        "sha256": digest,
        "tasks": list(tasks),
        "output": {"name": OUTPUT, "dtype": "float32", "shape": ["candidates", len(tasks)]},
        "inputs": inputs(schema),
        "features": features(schema),
        "valueModel": {"kind": "weighted-sum", "weights": weights},
        "golden": {"file": "golden.json"},
        "provenance": provenance,
    }
