"""The exported teacher answers what the labels in training say."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import SEED

from training.command_line import MODELS
from training.export.digest import sha256
from training.export.parity import TOLERANCE, largest_difference, open_graph
from training.export.teacher_folder import export_teacher
from training.export.teacher_graph import TeacherGraph
from training.features.music_inputs import MusicInputs
from training.features.teacher_mapping import music_inputs, teacher_schema


@pytest.fixture(scope="module")
def graph(teacher, world):
    mapped = music_inputs(world.tracks)
    return TeacherGraph(teacher, mapped, teacher_schema(mapped))


@pytest.fixture(scope="module")
def read(graph, world):
    return MusicInputs("video", world.people, world.listening, world.tracks, graph.schema)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, teacher, world):
    root = tmp_path_factory.mktemp("repository")
    assert export_teacher(root, SEED, teacher, world, {"seed": SEED}, 400) <= TOLERANCE
    return root / "video-teacher" / "1"


@pytest.mark.parametrize("surface", ["home", "radio"])
def test_the_graph_gives_the_labels_that_training_uses(folder, world, labels, read, surface):
    log = world.logs[surface]
    requests, shown = log.item.shape
    row = np.repeat(np.arange(requests), shown)
    gathered = read.gather(log.user, log.seed, log.days_ago, log.item.ravel(), row)
    session = open_graph(folder / "model.onnx")
    feed = {one.name: tensor.numpy() for one, tensor in zip(session.get_inputs(), gathered, strict=True)}
    feed["context_numbers"][log.seed < 0] = 0
    (answer,) = session.run(None, feed)
    wanted = 1 / (1 + np.exp(-labels[surface].reshape(-1, 4).astype(np.float64)))
    assert np.abs(answer - wanted).max() <= TOLERANCE


def test_parity_fails_loudly_where_a_translation_is_another(folder, graph, read, world, teacher):
    # Other tracks' plays make another ladder, in a graph with the same inputs.
    fewer = replace(world.tracks, daily=world.tracks.daily * 2)
    other = TeacherGraph(teacher, music_inputs(fewer), graph.schema)
    with pytest.raises(ArithmeticError, match="differ by"):
        largest_difference(SEED, other, read, folder / "model.onnx", 100)


def test_the_manifest_is_a_teachers_and_fits_its_graph(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["role"], manifest["surface"]) == ("teacher", "video")
    assert manifest["tasks"] == ["click", "watch_fraction", "like", "watch_next"]
    session = open_graph(folder / "model.onnx")
    assert [(i["name"], i["shape"]) for i in manifest["inputs"]] == [(i.name, i.shape) for i in session.get_inputs()]
    assert [f["name"] for f in manifest["features"]] == ["taste", "seed_content", "content", "plays_week", "age_days"]
    assert manifest["sha256"] == sha256(folder / "model.onnx")
    assert (folder / "model.onnx").stat().st_size < 1e6


def test_golden_has_requests_with_and_without_a_seed(folder):
    golden = json.loads((folder / "golden.json").read_text())
    context = np.array(golden["inputs"]["context_numbers"]["data"]).reshape(-1, 16)
    seeded = (context != 0).any(axis=1)
    assert seeded.any()
    assert not seeded.all()


def test_the_committed_teacher_answers_its_golden_example():
    committed = MODELS / "repository" / "video-teacher" / "1"
    manifest = json.loads((committed / "manifest.json").read_text())
    assert (manifest["role"], manifest["sha256"]) == ("teacher", sha256(committed / "model.onnx"))
    golden = json.loads((committed / "golden.json").read_text())
    session = open_graph(committed / "model.onnx")
    types = {i.name: np.int32 if "int32" in i.type else np.float32 for i in session.get_inputs()}
    feed = {n: np.array(t["data"], types[n]).reshape(t["dims"]) for n, t in golden["inputs"].items()}
    wanted = np.array(golden["output"]["data"]).reshape(golden["output"]["dims"])
    assert session.run(None, feed)[0] == pytest.approx(wanted, abs=golden["tolerance"])
