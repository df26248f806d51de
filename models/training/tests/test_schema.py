"""Encodings and the manifest's columns."""

import pytest

from training.export.manifest import features, inputs
from training.features.music_features import SCHEMAS
from training.features.schema import Feature, Hash, Vocabulary
from training.hashing import bucket


@pytest.mark.parametrize("surface", SCHEMAS)
def test_every_column_belongs_to_exactly_one_feature(surface):
    schema = SCHEMAS[surface]
    claimed = [
        (f["input"], column) for f in features(schema) for column in range(f["offset"], f["offset"] + f["width"])
    ]
    wanted = [(i["name"], c) for i in inputs(schema)[:-1] for c in range(i["shape"][1])]
    assert sorted(claimed) == sorted(wanted)


@pytest.mark.parametrize("surface", SCHEMAS)
def test_defaults_fill_their_columns(surface):
    for feature in SCHEMAS[surface].features:
        assert len(feature.encode(None)) == feature.width


def test_lists_are_cut_and_padded_with_missing():
    history = Feature("history", "user", Hash(100), 3)
    assert history.encode(["a"]) == [bucket("a", 100), 0, 0]
    assert history.encode(["a", "b", "c", "d"]) == [bucket(v, 100) for v in "abc"]


def test_an_unknown_word_is_missing():
    country = Feature("country", "user", Vocabulary(("DE", "FR")))
    assert [country.encode(v) for v in ("DE", "FR", "XX", None)] == [[1], [2], [0], [0]]
