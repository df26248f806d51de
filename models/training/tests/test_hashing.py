"""The hash encoding agrees with every other murmur3_x86_32."""

import mmh3
import pytest

from training.hashing import bucket

# Published values of MurmurHash3_x86_32, seed 0.
VECTORS = [
    ("", 0x00000000),
    ("hello", 0x248BFA47),
    ("hello, world", 0x149BBB7F),
    ("The quick brown fox jumps over the lazy dog", 0x2E4FF723),
]


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_hash_equals_the_published_vectors(text, expected):
    assert mmh3.hash(text.encode(), 0, signed=False) == expected
    assert bucket(text, 16_384) == 1 + expected % 16_384


def test_bucket_zero_is_left_for_missing():
    assert all(1 <= bucket(f"t{n}", 7) <= 7 for n in range(1_000))


def test_text_is_hashed_as_utf8():
    assert bucket("Björk", 2**31) == 1 + mmh3.hash(b"Bj\xc3\xb6rk", 0, signed=False) % 2**31
