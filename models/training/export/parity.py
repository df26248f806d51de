"""Does ONNX Runtime answer as PyTorch does? Asked with random ragged requests."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from training.features.music_inputs import MusicInputs
from training.randomness import stream
from training.students.serving import ServingStudent

TOLERANCE = 1e-5
REQUESTS = 10_000
REQUESTS_A_RUN = 40
CANDIDATES_MAX = 30
# One run in fifty has requests as large as the server lets through often.
LARGE_EVERY = 50
CANDIDATES_LARGE = 300


def ragged(rng: np.random.Generator, inputs: MusicInputs, counts: list[int]) -> tuple[Tensor, ...]:
    """The graph's inputs for requests of random listeners with `counts[k]` random candidates each.

    Candidates of different requests are interleaved, which the contract allows.
    """
    users = rng.integers(inputs.users, size=len(counts))
    seeds = rng.integers(inputs.items, size=len(counts))
    row = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    item = rng.integers(inputs.items, size=len(row))
    return inputs.gather(users, seeds, np.zeros(len(counts), np.int32), item, row)


def open_graph(path: Path) -> onnxruntime.InferenceSession:
    """An ONNX session on one CPU thread, as the server opens it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def random_requests(rng: np.random.Generator, inputs: MusicInputs, requests: int) -> Iterator[tuple[Tensor, ...]]:
    """Batches of ragged requests, `requests` in all, at least one batch of large ones."""
    for number, first in enumerate(range(0, requests, REQUESTS_A_RUN)):
        candidates = CANDIDATES_MAX if number % LARGE_EVERY else CANDIDATES_LARGE
        counts = rng.integers(1, candidates + 1, size=min(REQUESTS_A_RUN, requests - first)).tolist()
        yield ragged(rng, inputs, counts)


def largest_difference(
    seed: int, student: ServingStudent, inputs: MusicInputs, path: Path, requests: int = REQUESTS
) -> float:
    """Largest absolute difference over `requests` random requests; raises above TOLERANCE."""
    rng = stream(seed, "parity")
    graph = open_graph(path)
    names = [i.name for i in graph.get_inputs()]
    largest = 0.0
    for tensors in random_requests(rng, inputs, requests):
        (answer,) = graph.run(None, dict(zip(names, (t.numpy() for t in tensors), strict=True)))
        largest = max(largest, float(np.abs(answer - student.score(tensors).numpy()).max()))
    if not largest <= TOLERANCE:
        raise ArithmeticError(f"{path}: ONNX Runtime and PyTorch differ by {largest:.2e}, more than {TOLERANCE:.0e}")
    return largest


def example(inputs: MusicInputs) -> tuple[Tensor, ...]:
    """A small ragged batch to trace the graph with."""
    with torch.no_grad():
        return ragged(np.random.default_rng(0), inputs, [3, 1, 4])
