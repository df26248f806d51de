"""Example inputs with PyTorch's answers: the server runs them when it loads the model."""

from pathlib import Path

import numpy as np
from torch import Tensor

from training.export.digest import write_json
from training.export.parity import TOLERANCE, ragged
from training.features.music_inputs import MusicInputs
from training.students.serving import ServingStudent

COUNTS = [5, 1, 7]


def _tensor(tensor: Tensor) -> dict:
    return {"dims": list(tensor.shape), "data": tensor.flatten().tolist()}


def write_golden(path: Path, student: ServingStudent, inputs: MusicInputs) -> None:
    """Three ragged requests; float32 values written in full, so that reading them gives the same bits."""
    tensors = ragged(np.random.default_rng(7), inputs, COUNTS)
    names = [i.name for i in inputs.schema.inputs] + ["request_row"]
    write_json(
        path,
        {
            "inputs": {name: _tensor(t) for name, t in zip(names, tensors, strict=True)},
            "output": _tensor(student.score(tensors)),
            "tolerance": TOLERANCE,
        },
    )
