"""The chosen requests of a log as Examples: encoded as serving encodes them, with labels, logits and weights."""

import numpy as np

from training.examples import Examples
from training.features.schema import Schema
from training.from_log.catalogue import EntityTable, context_inputs
from training.from_log.joined_log import JoinedLog
from training.from_log.labels import logits
from training.from_log.served import put_served
from training.logs.music_log import SHOWN


def student_examples(
    schema: Schema,
    tasks: tuple[str, ...],
    log: JoinedLog,
    rows: np.ndarray,
    users: EntityTable,
    items: EntityTable,
    served: dict[int, dict] | None = None,
) -> Examples:
    """Examples of these requests, each of weight 1 and none held back; positions beyond the tower's are its last.

    Features are those of `served` (see served_rows) where it has the request, else what it sent, over the files.
    """
    counts = log.start[rows + 1] - log.start[rows]
    at = np.concatenate([np.arange(log.start[r], log.start[r + 1]) for r in rows])
    request_inputs = users.inputs(log.user[rows], log.user_features[rows])
    request_inputs |= context_inputs(schema, log.request[rows], log.context_features[rows])
    item_inputs = items.inputs(log.item[at], log.item_features[at])
    put_served(schema, served or {}, rows, counts, request_inputs, item_inputs)
    return Examples(
        schema=schema,
        tasks=tasks,
        teacher_tasks=log.teacher_tasks,
        request_inputs=request_inputs,
        item_inputs=item_inputs,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        position=np.clip(log.position[at], 0, SHOWN),
        labels=log.labels[at],
        teacher=logits(log.teacher_tasks, log.teacher[at]),
        weight=np.ones(len(rows), np.float32),
        validation=np.zeros(len(rows), bool),
    )
