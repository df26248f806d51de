"""The world's Parquet files as the feature store reads them, encoded once, with a request's own features over them."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from training.features.schema import Feature, Number, Schema
from training.refusal import RefusedError


def _checked(place: str, feature: Feature, value: object) -> object:
    """The value if it fits the feature; None, which takes the default, if it is lacking."""
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    if isinstance(feature.encoding, Number):
        if len(values) != feature.width or not all(isinstance(v, (int, float)) for v in values):
            raise RefusedError(f'{place}: feature "{feature.name}" should be {feature.width} numbers, found {value}')
        if not all(math.isfinite(v) for v in values):
            raise RefusedError(f'{place}: feature "{feature.name}" should be finite, found {value}')
    elif not all(isinstance(v, str) for v in values):
        raise RefusedError(f'{place}: feature "{feature.name}" should be text, found {value}')
    return value


class EntityTable:
    """Every user or item: raw values by id, and the schema's inputs of them [rows + 1, width].

    The last row is that of an entity nobody knows: defaults.
    """

    def __init__(self, schema: Schema, entity: str, path: Path) -> None:
        self._schema, self._entity, self._path = schema, entity, path
        self.features = tuple(f for f in schema.features if f.entity == entity)
        try:
            table = pq.read_table(path)
        except (OSError, ValueError) as error:
            raise RefusedError(f"{path}: is no Parquet file that can be read; --world names its folder") from error
        if "id" not in table.column_names:
            raise RefusedError(f'{path}: the column "id" is missing; found {", ".join(table.column_names)}')
        self.ids = table["id"].to_pylist()
        self._row = {name: row for row, name in enumerate(self.ids)}
        columns = {f.name: table[f.name].to_pylist() for f in self.features if f.name in table.column_names}
        self.raw = {
            f.name: [
                _checked(f'{path}: {entity} "{one}"', f, value)
                for one, value in zip(self.ids, columns.get(f.name, [None] * len(self.ids)), strict=True)
            ]
            for f in self.features
        }
        self.encoded = schema.encode(entity, {name: [*values, None] for name, values in self.raw.items()})

    def inputs(self, ids: np.ndarray, overrides: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs [n, width] of these ids; an override is a JSON object of features, or None."""
        rows = np.array([self._row.get(one, len(self.ids)) for one in ids], np.int64)
        arrays = {name: encoded[rows] for name, encoded in self.encoded.items()}
        for n in np.flatnonzero((overrides != None) | (rows == len(self.ids))):  # noqa: E711 (an array of objects)
            self._override(arrays, int(n), int(rows[n]), ids[n], overrides[n])
        return arrays

    def _override(self, arrays: dict[str, np.ndarray], n: int, row: int, own: str, override: str | None) -> None:
        given = _object(f'{self._entity} "{own}"', override)
        values = {f.name: self.raw[f.name][row] if row < len(self.ids) else None for f in self.features}
        for feature in self.features:
            if feature.name in given:
                values[feature.name] = _checked(f'{self._entity} "{own}"', feature, given[feature.name])
            elif feature.name == "id":
                values["id"] = own
        for name, encoded in self._schema.encode(self._entity, {k: [v] for k, v in values.items()}).items():
            arrays[name][n] = encoded[0]


def _object(place: str, text: str | None) -> dict:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RefusedError(f"{place}: its logged features are no JSON ({error})") from error
    if not isinstance(found, dict):
        raise RefusedError(f"{place}: its logged features should be a JSON object, found {text[:60]}")
    return found


def context_inputs(schema: Schema, requests: np.ndarray, logged: np.ndarray) -> dict[str, np.ndarray]:
    """The context's inputs [requests, width] from what was logged with each request; {} for a schema without any."""
    features = [f for f in schema.features if f.entity == "context"]
    if not features:
        return {}
    table: dict[str, list] = {f.name: [] for f in features}
    for request, text in zip(requests, logged, strict=True):
        place = f'request "{request}"'
        given = _object(place, text)
        for f in features:
            table[f.name].append(_checked(place, f, given.get(f.name)))
    return schema.encode("context", table)
