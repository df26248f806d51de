"""What is committed is whole, small, and says what was measured."""

import json

import pytest

from training.command_line import MODELS
from training.export.digest import sha256
from training.reporting.results_table import tables
from training.students.plans import PLANS

MIB = 2**20


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: p.name)
def test_each_model_is_small_and_is_the_one_its_manifest_names(plan):
    folder = MODELS / "repository" / plan.name / "1"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sha256"] == sha256(folder / "model.onnx")
    assert manifest["provenance"]["technique"] == plan.technique
    assert (folder / "model.onnx").stat().st_size <= 8 * MIB


def test_the_world_is_the_one_its_description_names():
    folder = MODELS / "world"
    described = json.loads((folder / "world.json").read_text())
    assert {name: sha256(folder / name) for name in described["files"]} == described["files"]
    assert min(described["counts"]["users"], described["counts"]["items"]) >= 5_000


def test_outputs_fit_into_forty_megabytes():
    files = [p for room in ("repository", "world") for p in (MODELS / room).rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 40e6


def test_the_readmes_tables_are_those_of_the_results_file():
    results = json.loads((MODELS / "training" / "results" / "seeds.json").read_text())
    assert tables(results) in (MODELS / "README.md").read_text()
    assert len(results["runs"]) >= 5
