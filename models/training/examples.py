"""What a student learns from and is measured on: requests with what they showed, already encoded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.features.music_inputs import MusicInputs
from training.features.schema import Schema
from training.logs.music_log import SHOWN, SURFACE_TASKS, MusicLog
from training.logs.video_log import TASKS
from training.refusal import RefusedError

VALIDATION_DAYS = 3


@dataclass(frozen=True)
class Batch:
    """Some requests as tensors. `inputs` are in the graph's order, `request_row` last; the others are a candidate's:
    position int64 [candidates], labels and teacher float32 [candidates, tasks], weight float32 [candidates], and
    `candidate` int64 [candidates], the rows of the Examples they came from."""

    inputs: tuple[Tensor, ...]
    position: Tensor
    labels: Tensor
    teacher: Tensor
    weight: Tensor
    candidate: Tensor

    @property
    def request_row(self) -> Tensor:
        """int64 [candidates]: which of the batch's requests each candidate belongs to."""
        return self.inputs[-1].long()


@dataclass(frozen=True)
class Examples:
    """Requests with what they showed. Candidates of request r are rows start[r]:start[r + 1].

    request_inputs, item_inputs by name: [requests, width], [candidates, width]; start int64 [requests + 1];
    position int64 [candidates], 1-based, 0 unknown; labels float32 [candidates, tasks], NaN where there was never an
    outcome; teacher float32 [candidates, teacher_tasks], logits, NaN where there is no teacher label; weight float32
    [requests] multiplies the request's hard loss, 1 is neutral; validation bool [requests] is held back for the
    stopping rule.
    """

    schema: Schema
    tasks: tuple[str, ...]
    teacher_tasks: tuple[str, ...]
    request_inputs: dict[str, np.ndarray]
    item_inputs: dict[str, np.ndarray]
    start: np.ndarray
    position: np.ndarray
    labels: np.ndarray
    teacher: np.ndarray
    weight: np.ndarray
    validation: np.ndarray

    def __len__(self) -> int:
        return len(self.weight)

    def candidates(self, rows: np.ndarray) -> np.ndarray:
        """int64: the candidate rows of these requests, request after request."""
        counts = self.start[rows + 1] - self.start[rows]
        first = np.cumsum(counts) - counts
        return np.repeat(self.start[rows] - first, counts) + np.arange(counts.sum())

    def take(self, rows: np.ndarray) -> "Examples":
        """The examples of some requests, in the order asked for."""
        at = self.candidates(rows)
        return Examples(
            self.schema,
            self.tasks,
            self.teacher_tasks,
            {name: a[rows] for name, a in self.request_inputs.items()},
            {name: a[at] for name, a in self.item_inputs.items()},
            np.concatenate([[0], np.cumsum(self.start[rows + 1] - self.start[rows])]).astype(np.int64),
            *(a[at] for a in (self.position, self.labels, self.teacher)),
            self.weight[rows],
            self.validation[rows],
        )

    @staticmethod
    def concatenate(parts: "Sequence[Examples]") -> "Examples":
        """All requests of all parts, which must agree on schema and tasks."""
        first = parts[0]
        for part in parts[1:]:
            if (part.schema, part.tasks, part.teacher_tasks) != (first.schema, first.tasks, first.teacher_tasks):
                raise RefusedError(
                    f"examples to put together must share schema and tasks: expected {first.schema.surface} "
                    f"{first.tasks} {first.teacher_tasks}, found {part.schema.surface} {part.tasks} "
                    f"{part.teacher_tasks}"
                )
        offsets = np.cumsum([0] + [part.start[-1] for part in parts])
        return Examples(
            first.schema,
            first.tasks,
            first.teacher_tasks,
            {name: np.concatenate([p.request_inputs[name] for p in parts]) for name in first.request_inputs},
            {name: np.concatenate([p.item_inputs[name] for p in parts]) for name in first.item_inputs},
            np.concatenate([[0], *(p.start[1:] + o for p, o in zip(parts, offsets, strict=False))]).astype(np.int64),
            *(
                np.concatenate([getattr(p, name) for p in parts])
                for name in ("position", "labels", "teacher", "weight", "validation")
            ),
        )

    def batch(self, rows: np.ndarray) -> Batch:
        """Tensors of some requests, as the graph takes them."""
        at = self.candidates(rows)
        request_row = np.repeat(np.arange(len(rows), dtype=np.int32), self.start[rows + 1] - self.start[rows])
        arrays = {name: a[rows] for name, a in self.request_inputs.items()}
        arrays |= {name: a[at] for name, a in self.item_inputs.items()}
        return Batch(
            tuple(torch.from_numpy(a) for a in [*(arrays[i.name] for i in self.schema.inputs), request_row]),
            *(torch.from_numpy(a[at]) for a in (self.position, self.labels, self.teacher)),
            torch.from_numpy(self.weight[rows][request_row]),
            torch.from_numpy(at),
        )

    def check(self) -> None:
        """Refuses, before any training, what would spoil it; RefusedError names the feature or task and the place."""
        self._check_inputs()
        requests = np.repeat(np.arange(len(self)), np.diff(self.start))
        for part, held_back in (("training", False), ("validation", True)):
            rows = self.validation[requests] == held_back
            for column, task in enumerate(self.tasks):
                seen = self.labels[rows, column]
                seen = seen[~np.isnan(seen)]
                place = f"labels of task {task!r} on surface {self.schema.surface!r} ({part} rows)"
                if not len(seen):
                    raise RefusedError(f"{place}: expected outcomes, found none among {rows.sum()} candidates")
                if seen.min() < 0 or seen.max() > 1:
                    raise RefusedError(f"{place}: expected values from 0 to 1, found {seen.min()} to {seen.max()}")
                if not held_back and seen.min() == seen.max():
                    raise RefusedError(f"{place}: expected both outcomes, found {seen[0]:g} in all {len(seen)}")
        bad = np.flatnonzero(~(np.isfinite(self.weight) & (self.weight >= 0)))
        if len(bad):
            raise RefusedError(
                f"weight of request {bad[0]}: expected a finite number >= 0, found {self.weight[bad[0]]}"
            )

    def _check_inputs(self) -> None:
        for one in self.schema.inputs:
            array = (self.item_inputs if one.entity == "item" else self.request_inputs)[one.name]
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                row, column = bad[0]
                feature = next(f.name for f in one.features if column < one.columns(f.name).stop)
                raise RefusedError(
                    f"feature {feature!r} (input {one.name!r}, row {row}, column {column}): expected a finite number, "
                    f"found {array[row, column]}"
                )


def music_examples(log: MusicLog, inputs: MusicInputs, teacher_logits: np.ndarray | None = None) -> Examples:
    """The simulated log as examples; teacher_logits [requests, SHOWN, teacher tasks] belong to its impressions, and
    without them there is no teacher label. The log's last days are held back."""
    requests, shown = log.item.shape
    row = np.repeat(np.arange(requests), shown)
    encoded = inputs.gather(log.user, log.seed, log.days_ago, log.item.ravel(), row)
    arrays = {one.name: a.numpy() for one, a in zip(inputs.schema.inputs, encoded, strict=False)}
    items = {one.name for one in inputs.schema.inputs if one.entity == "item"}
    if teacher_logits is None:
        teacher_logits = np.full((requests, shown, len(TASKS)), np.nan, np.float32)
    return Examples(
        inputs.schema,
        SURFACE_TASKS[log.surface],
        TASKS,
        {name: a for name, a in arrays.items() if name not in items},
        {name: a for name, a in arrays.items() if name in items},
        np.arange(0, requests * shown + 1, shown, dtype=np.int64),
        np.tile(np.minimum(np.arange(1, shown + 1), SHOWN), requests),
        log.labels.reshape(-1, log.labels.shape[-1]),
        teacher_logits.reshape(-1, teacher_logits.shape[-1]),
        np.ones(requests, np.float32),
        log.days_ago <= VALIDATION_DAYS,
    )
