"""Does the exported truth answer as the one the logs were drawn from?"""

from pathlib import Path

import numpy as np
import torch

from training.export.parity import TOLERANCE, open_graph
from training.logs.music_log import SHOWN
from training.randomness import stream
from training.world.behaviour import MusicTruth

TRIPLES = 10_000


def check_truth(seed: int, truth: MusicTruth, path: Path) -> None:
    """Asks both about random (listener, track, seed track, position); raises when they differ by over TOLERANCE."""
    rng = stream(seed, "truth parity")
    users, items = len(truth.taste), len(truth.content)
    rows = {
        "user_row": rng.integers(users, size=TRIPLES),
        "item_row": rng.integers(items, size=TRIPLES),
        "seed_row": rng.integers(-1, items, size=TRIPLES),
        "position": rng.integers(1, SHOWN + 1, size=TRIPLES),
    }
    feed = {name: row.astype(np.int32) for name, row in rows.items()}
    with torch.no_grad():
        wanted = truth(*(torch.from_numpy(row) for row in feed.values()))
    answers = open_graph(path).run(["home", "radio"], feed)
    largest = max(float(np.abs(a - w.numpy()).max()) for a, w in zip(answers, wanted, strict=True))
    if not largest <= TOLERANCE:
        raise ArithmeticError(f"{path}: ONNX Runtime and PyTorch differ by {largest:.2e}, more than {TOLERANCE:.0e}")
