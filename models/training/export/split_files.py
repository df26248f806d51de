"""Writes item.onnx and request.onnx, and proves that together they answer as the reference graph does."""

from pathlib import Path

import numpy as np
import torch

from training.export.digest import sha256
from training.export.graph import export_graph
from training.export.manifest import OUTPUT
from training.export.parity import REQUESTS, TOLERANCE, example, open_graph, random_requests
from training.export.split import ITEM_ROW, ITEM_ROWS, ItemGraph, RequestGraph, item_inputs, request_inputs
from training.features.music_inputs import MusicInputs
from training.features.schema import Schema
from training.randomness import stream
from training.students.serving import ServingStudent


def export_split(folder: Path, student: ServingStudent, inputs: MusicInputs) -> dict:
    """Writes both graphs into `folder`; returns the manifest's `split`."""
    schema = inputs.schema
    tensors = dict(zip([i.name for i in schema.inputs] + ["request_row"], example(inputs), strict=True))
    items, others = item_inputs(schema), request_inputs(schema)
    item, request = ItemGraph(student).eval(), RequestGraph(student, schema).eval()
    of_items = tuple(tensors[name] for name in items)
    export_graph(item, of_items, items, ["items"] * len(items), [ITEM_ROWS], folder / "item.onnx")
    with torch.no_grad():
        # A slab of another length than the candidates: alike, the exporter would take the two for one dimension.
        slab = torch.cat([item(*of_items)] * 2)
    row = torch.arange(len(tensors["request_row"]), dtype=torch.int32)
    export_graph(
        request,
        (*(tensors[name] for name in others), slab, row, tensors["request_row"]),
        [*others, ITEM_ROWS, ITEM_ROW, "request_row"],
        ["requests"] * len(others) + ["slab_rows", "candidates", "candidates"],
        [OUTPUT],
        folder / "request.onnx",
    )
    files = {name: {"file": f"{name}.onnx", "sha256": sha256(folder / f"{name}.onnx")} for name in ("item", "request")}
    return {**files, "rowWidth": item.row_width}


def split_difference(seed: int, schema: Schema, inputs: MusicInputs, folder: Path, requests: int = REQUESTS) -> float:
    """Largest absolute difference from model.onnx over `requests` random requests; raises above TOLERANCE.

    The item rows lie in the slab in random order, and the request graph has to find them.
    """
    rng = stream(seed, "split parity")
    reference, item, request = (open_graph(folder / f"{name}.onnx") for name in ("model", "item", "request"))
    names = [i.name for i in schema.inputs] + ["request_row"]
    largest = 0.0
    for tensors in random_requests(rng, inputs, requests):
        named = dict(zip(names, (t.numpy() for t in tensors), strict=True))
        (wanted,) = reference.run(None, named)
        (rows,) = item.run(None, {name: named.pop(name) for name in item_inputs(schema)})
        place = rng.permutation(len(rows)).astype(np.int32)
        slab = np.empty_like(rows)
        slab[place] = rows
        (answer,) = request.run(None, {**named, ITEM_ROWS: slab, ITEM_ROW: place})
        largest = max(largest, float(np.abs(answer - wanted).max()))
    if not largest <= TOLERANCE:
        raise ArithmeticError(
            f"{folder}: item.onnx with request.onnx differs from model.onnx by {largest:.2e}, more than {TOLERANCE:.0e}"
        )
    return largest
