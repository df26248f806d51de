"""Features and inputs as the manifest describes them, and the encoding the server will do, done here the same way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.hashing import bucket

Value = str | float | Sequence[str] | Sequence[float] | None


@dataclass(frozen=True)
class Number:
    """`width` finite numbers as they are."""

    dtype = "float32"

    def manifest(self) -> dict:
        """As the manifest says it."""
        return {"kind": "number"}

    def encode(self, value: Value, width: int) -> list[float]:
        """Exactly `width` columns for one value."""
        return [float(v) for v in np.atleast_1d(value)]


@dataclass(frozen=True)
class Hash:
    """Strings hashed into 1..buckets, padded with 0."""

    buckets: int
    dtype = "int32"

    def manifest(self) -> dict:
        """As the manifest says it."""
        return {"kind": "hash", "buckets": self.buckets}

    def encode(self, value: Value, width: int) -> list[int]:
        """Exactly `width` columns for one value."""
        return _padded([bucket(v, self.buckets) for v in _strings(value)], width)


@dataclass(frozen=True)
class Vocabulary:
    """1 + the place among `values`; 0 for a value that is not there."""

    values: tuple[str, ...]
    dtype = "int32"

    def manifest(self) -> dict:
        """As the manifest says it."""
        return {"kind": "vocabulary", "values": list(self.values)}

    def encode(self, value: Value, width: int) -> list[int]:
        """Exactly `width` columns for one value."""
        return _padded([self.values.index(v) + 1 if v in self.values else 0 for v in _strings(value)], width)


def _strings(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _padded(indices: list[int], width: int) -> list[int]:
    return (indices + [0] * width)[:width]


@dataclass(frozen=True)
class Feature:
    """One feature: what it is of, how many columns it fills, and its value when nobody knows one."""

    name: str
    entity: str
    encoding: Number | Hash | Vocabulary
    width: int = 1
    default: tuple[float, ...] | tuple[str, ...] = ()

    def encode(self, value: Value) -> list[float] | list[int]:
        """The feature's `width` columns; None takes the default."""
        return self.encoding.encode(self.default if value is None else value, self.width)


def number(name: str, entity: str, *default: float) -> Feature:
    """A feature of as many numbers as its default has."""
    return Feature(name, entity, Number(), len(default), default)


@dataclass(frozen=True)
class Input:
    """One input of the graph: every feature of one entity and one dtype, side by side."""

    name: str
    entity: str
    dtype: str
    features: tuple[Feature, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(f.width for f in self.features)

    @property
    def rows(self) -> str:
        """Name of the dynamic dimension."""
        return "candidates" if self.entity == "item" else "requests"

    def columns(self, feature: str) -> slice:
        """Where a feature stands in this input."""
        names = [f.name for f in self.features]
        place = names.index(feature)
        offset = sum(f.width for f in self.features[:place])
        return slice(offset, offset + self.features[place].width)


@dataclass(frozen=True)
class Schema:
    """Every feature of one surface's models; inputs follow from it, in the order the graph takes them."""

    surface: str
    features: tuple[Feature, ...]
    inputs: tuple[Input, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self._inputs()))

    def _inputs(self) -> list[Input]:
        kinds = (("numbers", "float32"), ("indices", "int32"))
        grouped = [
            Input(f"{entity}_{kind}", entity, dtype, self._of(entity, dtype))
            for entity in ("user", "context", "item")
            for kind, dtype in kinds
        ]
        return [i for i in grouped if i.features]

    def _of(self, entity: str, dtype: str) -> tuple[Feature, ...]:
        return tuple(f for f in self.features if f.entity == entity and f.encoding.dtype == dtype)

    def input(self, name: str) -> Input:
        """The input of that name."""
        return next(i for i in self.inputs if i.name == name)

    def encode(self, entity: str, table: dict[str, Sequence[Value]]) -> dict[str, np.ndarray]:
        """Encodes a table of raw values, one column a feature, into the entity's inputs [rows, width]."""
        encoded = {}
        for one in self.inputs:
            if one.entity == entity:
                columns = [np.array([f.encode(v) for v in table[f.name]], one.dtype) for f in one.features]
                encoded[one.name] = np.concatenate(columns, axis=1)
        return encoded
