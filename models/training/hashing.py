"""The contract's hash encoding: 1 + murmur3_x86_32(utf8(value), seed 0) mod buckets; 0 means missing."""

import mmh3


def bucket(value: str, buckets: int) -> int:
    """Index of a value in a table of `buckets + 1` rows, in [1, buckets]."""
    return 1 + mmh3.hash(value.encode(), 0, signed=False) % buckets
