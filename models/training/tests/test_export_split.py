"""The item graph and the request graph together answer as the reference graph does."""

import json

import numpy as np
import pytest
from conftest import SEED

from training.export import parity
from training.export.digest import sha256
from training.export.model_folder import export_model
from training.export.split_files import split_difference
from training.scale import FULL
from training.students.plans import PLANS

PLAN = next(p for p in PLANS if p.name == "radio-kd")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, served, inputs):
    root = tmp_path_factory.mktemp("repository")
    plans = [PLAN, next(p for p in PLANS if p.name == "radio-control")]
    for plan in plans:
        export_model(root, SEED, plan, served[plan.name], inputs[plan.surface], {}, 400)
    return [root / plan.name / "1" for plan in plans]


def test_as_many_requests_are_asked_as_it_says(inputs):
    batches = list(parity.random_requests(np.random.default_rng(1), inputs["radio"], 130))
    assert sum(len(batch[0]) for batch in batches) == 130
    assert parity.REQUESTS == FULL.parity_requests == 10_000


def test_the_manifest_describes_both_graphs(folders):
    folder = folders[0]
    manifest = json.loads((folder / "manifest.json").read_text())
    split = manifest["split"]
    assert [split[g]["sha256"] for g in ("item", "request")] == [
        sha256(folder / f"{g}.onnx") for g in ("item", "request")
    ]
    item, request = (parity.open_graph(folder / split[g]["file"]) for g in ("item", "request"))
    assert item.get_outputs()[0].shape[1] == split["rowWidth"]
    assert {i.name for i in item.get_inputs()} == {i["name"] for i in manifest["inputs"] if i["entity"] == "item"}
    others = {i["name"] for i in manifest["inputs"] if i["entity"] != "item"}
    assert {i.name for i in request.get_inputs()} == others | {"item_rows", "item_row"}


def test_another_students_request_graph_is_refused(folders, inputs, tmp_path):
    mine, other = folders
    for name, origin in (("model", mine), ("item", mine), ("request", other)):
        (tmp_path / f"{name}.onnx").write_bytes((origin / f"{name}.onnx").read_bytes())
    with pytest.raises(ArithmeticError, match=r"differs from model\.onnx by"):
        split_difference(SEED, inputs["radio"].schema, inputs["radio"], tmp_path, 80)
