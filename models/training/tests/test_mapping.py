"""The mapping from a target's features to the teacher's inputs: what it gives, and what it refuses."""

import numpy as np
import pytest
import torch

from training.features.mapping import Absent, MappedInputs, Same, TeacherInput, Translated
from training.features.schema import number
from training.features.teacher_inputs import MISSING, TEACHER_INPUTS
from training.features.teacher_mapping import music_inputs, music_sources
from training.features.teacher_view import music_view
from training.features.translations import Ladder, LogAge

INPUTS = (
    TeacherInput("taste", 2, torch.float32, 0.0, required=True),
    TeacherInput("age", 1, torch.float32, 0.65, required=True),
    TeacherInput("maker", 1, torch.int32, 7, required=False),
)
FEATURES = (number("taste", "user", 0.0, 0.0), number("age_days", "item", 0.0), number("plays", "item", 0.0))
SOURCES = {"taste": Same("taste"), "age": Translated(("age_days",), LogAge())}
COLUMNS = {"taste": torch.tensor([[1.0, 2.0]] * 3), "age_days": torch.tensor([[0.0], [1.0], [-5.0]])}


def mapped(sources):
    return MappedInputs("mapping of music", INPUTS, sources, FEATURES)


def test_same_translated_and_absent_inputs_come_in_the_teachers_order_and_dtype():
    taste, age, maker = mapped(SOURCES)(COLUMNS)
    assert torch.equal(taste, COLUMNS["taste"])
    assert age[:, 0].tolist() == pytest.approx([0.0, np.log(2) / 8, 0.0])
    assert maker.tolist() == [[7], [7], [7]]
    assert maker.dtype == torch.int32


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"taste": Same("taste")}, r'mapping of music: expected teacher input "age" to be declared .*found nothing'),
        (SOURCES | {"makr": Absent()}, r'unknown teacher input "makr".*did you mean "maker"'),
        (SOURCES | {"taste": Same("tast")}, r'teacher input "taste": unknown feature "tast".*did you mean "taste"'),
        (SOURCES | {"age": Translated(("age_dys",), LogAge())}, r'unknown feature "age_dys".*did you mean "age_days"'),
        (SOURCES | {"taste": Same("plays")}, r'input "taste": expected 2 columns of torch.float32, found .*with 1'),
        (SOURCES | {"maker": Same("plays")}, r'input "maker": expected 1 columns of torch.int32, found .*float32'),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(sources, words):
    with pytest.raises(ValueError, match=words):
        mapped(sources)


def test_a_required_input_may_be_declared_absent():
    taste, _, _ = mapped(SOURCES | {"taste": Absent()})(COLUMNS)
    assert taste.tolist() == [[0.0, 0.0]] * 3


def test_the_ladder_is_the_empirical_distribution():
    counts = np.array([3.0, 0.0, 3.0, 10.0], np.float32)
    asked = np.array([0.0, 1.0, 3.0, 3.5, 4.0, 10.0, 11.0, 1e9, -2.0], np.float32)
    wanted = np.searchsorted(np.sort(counts), asked) / len(counts)
    assert Ladder(counts)(torch.from_numpy(asked)[:, None])[:, 0].tolist() == pytest.approx(wanted.tolist())


@pytest.mark.parametrize("counts", [[], [0.5], [-1.0], [np.nan]])
def test_the_ladder_refuses_what_are_no_counts(counts):
    with pytest.raises(ValueError, match="whole counts"):
        Ladder(np.array(counts))


def test_music_declares_every_teacher_input(world):
    assert set(music_sources(world.tracks)) == {i.name for i in TEACHER_INPUTS}


def test_hiding_an_input_gives_its_missing_value_and_leaves_the_others(world):
    rows = np.arange(5)
    ask = (rows, rows, rows, np.zeros(5, np.int32))
    whole = music_view(world.people, world.tracks).inputs(*ask)
    hidden = music_view(world.people, world.tracks, ("popularity",)).inputs(*ask)
    for one, before, after in zip(TEACHER_INPUTS, whole, hidden, strict=True):
        wanted = torch.full_like(before, MISSING[one.name]) if one.name == "popularity" else before
        assert torch.equal(after, wanted), one.name
    with pytest.raises(ValueError, match=r'unknown teacher input "populrity".*did you mean "popularity"'):
        music_inputs(world.tracks, ("populrity",))
