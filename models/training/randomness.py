"""Every draw comes from a named stream of the one seed, so that adding a draw here moves nothing there."""

import random
import zlib

import numpy as np
import threadpoolctl
import torch


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that depends on the seed and the name alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def fix_threads() -> None:
    """One thread, for this process: sums are then added in one order, and the bits are the same on any machine's
    number of cores. Cores are used by running seeds side by side."""
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1)


def seed_torch(seed: int, name: str) -> None:
    """Seeds initialisation, dropout and shuffling of one training; the same pair gives the same weights."""
    number = int(stream(seed, name).integers(2**31))
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)
    torch.use_deterministic_algorithms(True)
