"""A teacher's inputs, and where a target domain takes each one from: declared as data, checked before training."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.features.schema import Feature
from training.refusal import RefusedError, refuse_unknown


@dataclass(frozen=True)
class TeacherInput:
    """One input of the teacher, [n, width]. `missing` fills every column where the value is not known; a `required`
    input must be declared by every mapping, if only as absent, and another one that is not declared is absent."""

    name: str
    width: int
    dtype: torch.dtype
    missing: float
    required: bool


@dataclass(frozen=True)
class Same:
    """The target's feature as it stands."""

    feature: str


@dataclass(frozen=True)
class Translated:
    """A function of target features: `by` takes their columns [n, width] in this order and answers [n, input width]."""

    features: tuple[str, ...]
    by: nn.Module


@dataclass(frozen=True)
class Absent:
    """The target has nothing of the kind: the teacher's missing value."""


Source = Same | Translated | Absent
Sources = Mapping[str, Source]


def read_features(source: Source) -> tuple[str, ...]:
    """Names of the target features that a source reads."""
    if isinstance(source, Same):
        return (source.feature,)
    return source.features if isinstance(source, Translated) else ()


def check_mapping(place: str, inputs: Iterable[TeacherInput], sources: Sources, features: Iterable[Feature]) -> None:
    """Raises RefusedError that names `place` and the input or feature: an unknown name (with the nearest), a required
    input that is not declared, or a `Same` of another width or dtype."""
    known, target = {i.name: i for i in inputs}, {f.name: f for f in features}
    for name, source in sources.items():
        refuse_unknown("teacher input", name, known, place)
        for feature in read_features(source):
            refuse_unknown("feature", feature, target, f'{place}, teacher input "{name}"')
        if isinstance(source, Same):
            _check_same(place, known[name], target[source.feature])
    for name, one in known.items():
        if one.required and name not in sources:
            raise RefusedError(
                f'{place}: expected teacher input "{name}" to be declared as same, translated or absent, found nothing'
            )


def _check_same(place: str, wanted: TeacherInput, found: Feature) -> None:
    dtype = getattr(torch, found.encoding.dtype)
    if (found.width, dtype) != (wanted.width, wanted.dtype):
        raise RefusedError(
            f'{place}, teacher input "{wanted.name}": expected {wanted.width} columns of {wanted.dtype}, '
            f'found feature "{found.name}" with {found.width} of {dtype}; declare it as translated'
        )


class MappedInputs(nn.Module):
    """From a target's features to the teacher's inputs, in the teacher's order. Part of the exported graph, so that
    labels in training and labels of the log come from one piece of code."""

    def __init__(
        self, place: str, inputs: tuple[TeacherInput, ...], sources: Sources, features: tuple[Feature, ...]
    ) -> None:
        super().__init__()
        check_mapping(place, inputs, sources, features)
        self.inputs = inputs
        self.sources = {i.name: sources.get(i.name, Absent()) for i in inputs}
        translations = {name: s.by for name, s in self.sources.items() if isinstance(s, Translated)}
        self.translations = nn.ModuleDict(translations)

    def forward(self, columns: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Each input [n, width] in its dtype, from the features' columns [n, width] by name."""
        rows = next(iter(columns.values()))
        return tuple(self._one(i, columns, rows) for i in self.inputs)

    def _one(self, one: TeacherInput, columns: dict[str, Tensor], rows: Tensor) -> Tensor:
        source = self.sources[one.name]
        if isinstance(source, Same):
            return columns[source.feature].to(one.dtype)
        if isinstance(source, Translated):
            return self.translations[one.name](*(columns[f] for f in source.features)).to(one.dtype)
        return rows.new_full((rows.shape[0], one.width), one.missing, dtype=one.dtype)
