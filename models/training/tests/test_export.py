"""The exported graph answers as PyTorch does, for any mix of requests."""

import json

import numpy as np
import onnx
import pytest
import torch
from conftest import SEED

from training.export import parity
from training.export.digest import sha256
from training.export.model_folder import export_model
from training.export.world_files import write_world
from training.students.plans import PLANS

PLAN = next(p for p in PLANS if p.name == "radio-kd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, served, inputs):
    root = tmp_path_factory.mktemp("repository")
    export_model(root, SEED, PLAN, served[PLAN.name], inputs[PLAN.surface], {}, 400)
    return root / PLAN.name / "1"


def answer(folder, tensors):
    graph = parity.open_graph(folder / "model.onnx")
    names = [i.name for i in graph.get_inputs()]
    return graph.run(None, dict(zip(names, (t.numpy() for t in tensors), strict=True)))[0]


@pytest.mark.parametrize("counts", [[1], [1, 1], [200], [3, 1, 300, 17]])
def test_any_ragged_mix_agrees_with_pytorch(folder, served, inputs, counts):
    tensors = parity.ragged(np.random.default_rng(2), inputs[PLAN.surface], counts)
    difference = np.abs(answer(folder, tensors) - served[PLAN.name].score(tensors).numpy()).max()
    assert difference <= parity.TOLERANCE


def test_a_request_scores_the_same_alone_and_in_company(folder, inputs):
    *named, row = parity.ragged(np.random.default_rng(3), inputs[PLAN.surface], [5, 9])
    together = answer(folder, (*named, row))
    mine = row == 1
    alone = [t[1:2] if len(t) == 2 else t[mine] for t in named]
    assert answer(folder, (*alone, row[mine] * 0)) == pytest.approx(together[mine.numpy()], abs=1e-6)


def test_parity_fails_loudly_on_another_students_graph(folder, served, inputs):
    with pytest.raises(ArithmeticError, match="differ by"):
        parity.largest_difference(SEED, served["radio-control"], inputs[PLAN.surface], folder / "model.onnx")


def test_the_export_drops_the_auxiliary_head_and_the_tower(folder):
    graph = onnx.load(folder / "model.onnx").graph
    assert [d.dim_value for d in graph.output[0].type.tensor_type.shape.dim][1] == 3
    names = " ".join(i.name for i in graph.initializer)
    assert "auxiliary" not in names
    assert "position" not in names


def test_the_manifest_describes_the_graph(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    graph = parity.open_graph(folder / "model.onnx")
    assert [i["name"] for i in manifest["inputs"]] == [i.name for i in graph.get_inputs()]
    assert [i["shape"] for i in manifest["inputs"]] == [i.shape for i in graph.get_inputs()]
    assert manifest["output"]["shape"] == graph.get_outputs()[0].shape
    assert manifest["sha256"] == sha256(folder / "model.onnx")


def test_golden_answers_are_those_of_the_graph(folder):
    golden = json.loads((folder / "golden.json").read_text())
    graph = parity.open_graph(folder / "model.onnx")
    types = {i.name: np.int32 if "int32" in i.type else np.float32 for i in graph.get_inputs()}
    feed = {n: np.array(t["data"], types[n]).reshape(t["dims"]) for n, t in golden["inputs"].items()}
    wanted = np.array(golden["output"]["data"]).reshape(golden["output"]["dims"])
    assert graph.run(None, feed)[0] == pytest.approx(wanted, abs=golden["tolerance"])


def test_the_worlds_truth_survives_the_export(tmp_path, world):
    write_world(tmp_path, SEED, world)
    described = json.loads((tmp_path / "world.json").read_text())
    assert all(sha256(tmp_path / name) == digest for name, digest in described["files"].items())
    graph = parity.open_graph(tmp_path / "truth.onnx")
    rows = [np.array(r, np.int32) for r in ([0, 1, 2], [5, 6, 7], [-1, 3, 4], [1, 2, 10])]
    got = graph.run(["home", "radio"], dict(zip(("user_row", "item_row", "seed_row", "position"), rows, strict=True)))
    with torch.no_grad():
        wanted = world.music_truth(*(torch.from_numpy(r) for r in rows))
    for one, other in zip(got, wanted, strict=True):
        assert one == pytest.approx(other.numpy(), abs=1e-6)
