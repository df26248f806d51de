"""What publishing refuses, which number a model takes, and that nothing is ever written over."""

import json
import multiprocessing
import os
import shutil
from pathlib import Path

import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper

from training.export.digest import sha256, write_json
from training.publish import REPOSITORY, main
from training.publishing import next_version
from training.publishing.next_version import publish, versions
from training.publishing.staging import PREFIX
from training.refusal import RefusedError

COMMITTED = REPOSITORY / "home-kd" / "1"


@pytest.fixture
def model(tmp_path):
    return Path(shutil.copytree(COMMITTED, tmp_path / "model"))


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_model_takes_the_number_after_the_highest(model, repository):
    for number in ("1", "2", "3"):
        version, difference = publish(model, repository)
        assert version == repository / "home-kd" / number
        assert json.loads((version / "manifest.json").read_text())["version"] == number
        assert difference <= 1e-5
    (repository / "home-kd" / "7").mkdir()
    shutil.copy(COMMITTED / "manifest.json", repository / "home-kd" / "7")
    assert publish(model, repository)[0].name == "8"


def test_numbers_compare_as_numbers_and_other_names_are_no_versions(tmp_path):
    for name in ("9", "10", "011", "x", "0"):
        (tmp_path / name).mkdir()
    assert versions(tmp_path) == [9, 10]


def test_the_version_holds_the_manifests_files_and_its_table_and_nothing_else(model, repository):
    (model / "notes.txt").write_text("mine")
    version, _ = publish(model, repository)
    graphs = {"model.onnx", "item.onnx", "request.onnx"}
    assert {p.name for p in version.iterdir()} == {*graphs, "golden.json", "manifest.json", "offline.md"}
    assert sha256(version / "model.onnx") == sha256(COMMITTED / "model.onnx")
    table = (version / "offline.md").read_text()
    auc = json.loads((COMMITTED / "manifest.json").read_text())["provenance"]["offlineMetrics"]["all/click/auc"]
    assert f"| all | click | {auc:.4f} |" in table
    assert not list(repository.glob(f"{PREFIX}*"))


def without(*path):
    def change(manifest):
        for key in path[:-1]:
            manifest = manifest[key]
        del manifest[path[-1]]

    return change


def set_to(value, *path):
    def change(manifest):
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    return change


def drop_task_metrics(task):
    def change(manifest):
        metrics = manifest["provenance"]["offlineMetrics"]
        for name in [n for n in metrics if f"/{task}/" in n]:
            del metrics[name]

    return change


def diversity(*steps):
    return set_to(list(steps), "valueModel", "diversity")


FAULTS = {
    "missing field": (without("surface"), '"surface" is missing'),
    "unknown field": (set_to(1, "taskz"), 'unknown field "taskz"; did you mean "tasks"'),
    "wrong type": (set_to(1, "version"), '"version" should be of type str, found int'),
    "schema version": (set_to(2, "schemaVersion"), "expected schemaVersion 1, found 2"),
    "name": (set_to("../up", "name"), r"a model's name is \[a-z0-9-\]\{1,64\}"),
    "role": (set_to("techer", "role"), 'unknown role "techer"; did you mean "teacher"'),
    "file leads out": (set_to("../model.onnx", "file"), "plain file name"),
    "no golden": (without("golden"), '"golden" is missing'),
    "tasks repeat": (set_to(["click", "click", "like"], "tasks"), '"click" stands there 2 times'),
    "output width": (set_to(["candidates", 2], "output", "shape"), "one column a task"),
    "weights": (set_to({"clik": 1.0}, "valueModel", "weights"), '"clik"; did you mean "click"'),
    "column unfilled": (without("features", 0), 'column 0 of input "user_numbers" is filled by no feature'),
    "column filled twice": (set_to(1, "features", 2, "offset"), 'column 1 of input "user_numbers" is filled by 2'),
    "column beyond": (set_to(99, "features", 3, "offset"), "is filled by"),
    "encoding": (set_to({"kind": "hsh"}, "features", 0, "encoding"), 'unknown encoding "hsh"; did you mean "hash"'),
    "encoding no text": (set_to(["hash"], "features", 0, "encoding", "kind"), r"unknown encoding \"\['hash'\]\""),
    "no buckets": (set_to(0, "features", 4, "encoding", "buckets"), "buckets should be from 1 to 2147483646, found 0"),
    "words that are none": (set_to([1], "features", 5, "encoding", "values"), "values should be at least one text"),
    "words twice": (set_to(["a", "a"], "features", 5, "encoding", "values"), "each once, found"),
    "input dtype": (set_to("float64", "inputs", 0, "dtype"), 'unknown dtype "float64"; did you mean "float32"'),
    "input entity": (set_to("usr", "inputs", 0, "entity"), 'unknown entity "usr"; did you mean "user"'),
    "value model": (set_to("weighted-sums", "valueModel", "kind"), 'kind "weighted-sums"; did you mean "weighted-sum"'),
    "weight": (set_to("1", "valueModel", "weights", "like"), 'the weight of "like" should be a finite number, found 1'),
    "no weights": (set_to({}, "valueModel", "weights"), "should weigh at least one task, found none"),
    "a weight beyond": (set_to(10**400, "valueModel", "weights", "like"), 'the weight of "like" should be a finite'),
    "unknown field of it": (set_to(1, "valueModel", "power"), 'unknown field "power"; did you mean "powers"'),
    "powers of another type": (set_to([], "valueModel", "powers"), '"powers" should be of type dict, found list'),
    "no powers": (set_to({}, "valueModel", "powers"), "should raise at least one task, or be left out"),
    "power 0": (set_to({"like": 0}, "valueModel", "powers"), "above 0 and of at most 100, found 0"),
    "power 101": (set_to({"like": 101}, "valueModel", "powers"), "above 0 and of at most 100, found 101"),
    "power no number": (set_to({"like": True}, "valueModel", "powers"), 'power of "like" should be .*, found True'),
    "power of no task": (set_to({"lik": 2}, "valueModel", "powers"), 'a task that has a weight, found "lik"; did you'),
    "powers of a product": (
        set_to({"kind": "weighted-product", "weights": {"like": 1}, "powers": {"like": 2}}, "valueModel"),
        "a weighted-product has no powers",
    ),
    "diversity of another type": (set_to({}, "valueModel", "diversity"), '"diversity" should be of type list'),
    "five steps": (
        set_to([{"by": str(k), "decay": 1} for k in range(5)], "valueModel", "diversity"),
        "at most 4 steps, found 5",
    ),
    "step": (diversity("artist"), r"diversity\[0\]: expected an object, found str"),
    "step without decay": (diversity({"by": "artist"}), r'diversity\[0\]: "decay" is missing'),
    "step without by": (diversity({"decay": 1}), r'diversity\[0\]: "by" is missing'),
    "step's field": (diversity({"by": "artist", "decay": 1, "flor": 0}), 'unknown field "flor"; did you mean "floor"'),
    "step's decay": (diversity({"by": "artist", "decay": 1.1}), "decay should be a number from 0 to 1, found 1.1"),
    "step's floor": (diversity({"by": "artist", "decay": 1, "floor": float("nan")}), "floor should be .* found nan"),
    "step by nothing": (diversity({"by": "", "decay": 1}), "by should be the name of an item feature"),
    "step by two": (diversity({"by": ["artist"], "decay": 1}), "by should be the name of an item feature"),
    "step again": (
        diversity({"by": "artist", "decay": 1}, {"by": "genre", "decay": 1}, {"by": "artist", "decay": 0}),
        r'diversity\[2\]: expected one step a feature, found a second by "artist"',
    ),
    "step by no item's": (
        diversity({"by": "artis", "decay": 1}),
        'unknown item feature "artis"; did you mean "artist"',
    ),
    "step by a user's": (diversity({"by": "country", "decay": 1}), 'unknown item feature "country"'),
    "step by the id": (diversity({"by": "id", "decay": 1}), 'unknown item feature "id"'),
    "default": (set_to([0.0], "features", 0, "default"), 'default of feature "taste"'),
    "sha256": (set_to("0" * 64, "sha256"), "expected sha256 0000"),
    "no offline metrics": (without("provenance", "offlineMetrics"), "should hold the offline metrics of every task"),
    "empty offline metrics": (set_to({}, "provenance", "offlineMetrics"), "should hold the offline metrics"),
    "a metric that is none": (
        set_to(float("nan"), "provenance", "offlineMetrics", "all/click/auc"),
        "should be a finite number, found nan",
    ),
    "a task unmeasured": (drop_task_metrics("like"), 'no metric of task "like"'),
    "metric of no task": (set_to(0.5, "provenance", "offlineMetrics", "all/clik/auc"), 'did you mean "click"'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_manifest_is_refused_and_leaves_nothing(model, repository, fault):
    change, said = FAULTS[fault]
    edit(model, change)
    with pytest.raises(RefusedError, match=said):
        publish(model, repository)
    assert list(repository.iterdir()) == []


VALUE_MODELS = {
    "powers": {"kind": "weighted-sum", "weights": {"click": 1, "like": -1}, "powers": {"click": 1e-9, "like": 100}},
    "product": {"kind": "weighted-product", "weights": {"click": 0.5}, "diversity": []},
    "diversity": {
        "kind": "weighted-sum",
        "weights": {"click": 1},
        "diversity": [{"by": "artist", "decay": 0}, {"by": "genre", "decay": 1, "floor": 0.2}],
    },
}


@pytest.mark.parametrize("one", VALUE_MODELS)
def test_a_value_model_that_the_server_takes_is_published_as_it_is(model, repository, one):
    value_model = VALUE_MODELS[one]
    edit(model, set_to(value_model, "valueModel"))
    version, _ = publish(model, repository)
    assert json.loads((version / "manifest.json").read_text())["valueModel"] == value_model


def test_diversity_goes_by_columns_of_the_world_and_by_what_other_students_read(model, repository, tmp_path):
    edit(model, diversity({"by": "label", "decay": 0.5}))
    with pytest.raises(RefusedError, match='unknown item feature "label"'):
        publish(model, repository)
    pq.write_table(pa.table({"id": ["t1"], "label": ["a"]}), tmp_path / "items.parquet")
    assert publish(model, repository, tmp_path)[0].name == "1"
    other = repository / "other" / "1"
    shutil.copytree(COMMITTED, other)
    edit(other, set_to("label", "features", -1, "name"))
    assert publish(model, repository)[0].name == "2"
    edit(other, set_to("teacher", "role"))
    with pytest.raises(RefusedError, match='unknown item feature "label"'):
        publish(model, repository)
    with pytest.raises(RefusedError, match=r"items\.parquet: is no Parquet file that can be read; --world"):
        publish(model, repository, tmp_path / "nowhere")


def test_a_teachers_diversity_is_not_asked_for_its_features(model, repository):
    """The server orders nothing by a teacher."""
    edit(model, set_to("teacher", "role"))
    edit(model, diversity({"by": "label", "decay": 0.5}))
    assert publish(model, repository)[0].name == "1"


def golden_of(model, change):
    path = model / "golden.json"
    golden = json.loads(path.read_text())
    change(golden)
    path.write_text(json.dumps(golden))


def test_a_graph_that_answers_its_golden_inputs_otherwise_is_refused(model, repository):
    golden_of(model, lambda g: g["output"]["data"].__setitem__(0, g["output"]["data"][0] + 1e-3))
    with pytest.raises(RefusedError, match=r"differs from the golden answers by 1\.00e-03"):
        publish(model, repository)
    assert list(repository.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.__setitem__("inputs", list(g["inputs"])),
        lambda g: g["inputs"]["request_row"]["data"].__setitem__(0, 2**40),
        lambda g: g["inputs"]["request_row"].__setitem__("dims", "x"),
    ],
)
def test_golden_inputs_that_are_none_are_refused(model, repository, change):
    golden_of(model, change)
    with pytest.raises(RefusedError, match=r"golden\.json: no golden inputs and answers as"):
        publish(model, repository)


def test_a_version_before_it_that_is_no_manifest_is_refused(model, repository):
    (repository / "home-kd" / "1").mkdir(parents=True)
    (repository / "home-kd" / "1" / "manifest.json").write_text("[]")
    with pytest.raises(RefusedError, match="the version before this one cannot be read"):
        publish(model, repository)


def test_a_tolerance_that_allows_everything_is_refused(model, repository):
    golden_of(model, lambda g: g.__setitem__("tolerance", 1))
    with pytest.raises(RefusedError, match="tolerance"):
        publish(model, repository)


def test_a_graph_of_another_signature_is_refused(model, repository):
    shutil.copy(REPOSITORY / "radio-kd" / "1" / "model.onnx", model / "model.onnx")
    edit(model, set_to(sha256(model / "model.onnx"), "sha256"))
    with pytest.raises(RefusedError, match='input "context_indices"'):
        publish(model, repository)


def test_damage_is_refused(model, repository):
    (model / "model.onnx").write_bytes(b"no graph")
    edit(model, set_to(sha256(model / "model.onnx"), "sha256"))
    with pytest.raises(RefusedError, match="ONNX Runtime cannot load it"):
        publish(model, repository)
    (model / "golden.json").unlink()
    with pytest.raises(RefusedError, match="the manifest names it, but No such file"):
        publish(model, repository)
    (model / "manifest.json").write_text("{")
    with pytest.raises(RefusedError, match="is not JSON"):
        publish(model, repository)


def test_a_next_version_of_another_surface_is_refused(model, repository):
    publish(model, repository)
    edit(model, set_to("radio", "surface"))
    with pytest.raises(RefusedError, match='version 1 serves "home", the next one would serve "radio"'):
        publish(model, repository)


def test_a_teacher_is_no_next_version_of_a_student(model, repository):
    publish(model, repository)
    edit(model, set_to("teacher", "role"))
    with pytest.raises(RefusedError, match="version 1 is a student, the next one would be a teacher"):
        publish(model, repository)


def test_a_number_that_another_publisher_took_meanwhile_is_passed_over(model, repository, monkeypatch):
    """The other's model lands between reading the numbers and the renaming."""
    seen, calls = next_version.versions, []

    def outdated(folder):
        found = seen(folder)
        if not calls:
            shutil.copytree(COMMITTED, folder / "1")
        calls.append(found)
        return found

    monkeypatch.setattr(next_version, "versions", outdated)
    version, _ = publish(model, repository)
    assert calls == [[], [1]]
    assert version.name == "2"
    assert (repository / "home-kd" / "1" / "manifest.json").read_bytes() == (COMMITTED / "manifest.json").read_bytes()


def test_publishers_at_the_same_time_take_a_number_each(model, repository):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        taken = pool.starmap(publish, [(model, repository)] * 6)
    assert sorted(int(version.name) for version, _ in taken) == [1, 2, 3, 4, 5, 6]
    for version, _ in taken:
        assert json.loads((version / "manifest.json").read_text())["version"] == version.name


class Killed(BaseException):
    """Ends a publisher without its clean-up, as a kill would."""


@pytest.mark.parametrize("step", ["copyfile", "fsync", "rename"])
def test_a_publisher_killed_on_its_way_leaves_nothing_that_a_server_would_load(model, repository, monkeypatch, step):
    def kill(*_):
        raise Killed

    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(shutil if step == "copyfile" else os, step, kill)
    with pytest.raises(Killed):
        publish(model, repository)
    monkeypatch.undo()
    left = [p for p in repository.iterdir() if not p.name.startswith(PREFIX)]
    assert all(p.name == "home-kd" and versions(p) == [] for p in left)
    assert len(list(repository.glob(f"{PREFIX}*"))) == 1
    assert publish(model, repository)[0].name == "1"


def test_the_command_says_one_sentence_and_exits_with_1(tmp_path, repository, capsys):
    for argv, said in (
        ([tmp_path / "nowhere", "--repository", repository], "a model's folder holds a manifest.json"),
        ([COMMITTED, "--repository", tmp_path / "nowhere"], "expected the folder of a model repository"),
    ):
        assert main([str(word) for word in argv]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    with pytest.raises(SystemExit) as wrong:
        main([str(COMMITTED), "--repo", str(repository)])
    assert wrong.value.code == 2
    assert main([str(COMMITTED), "--repository", str(repository)]) == 0
    assert "home-kd/1" in capsys.readouterr().out


def test_every_committed_student_could_be_published(repository):
    """Their folders are complete, in parity and measured, whoever made them."""
    for name in ("home-control", "home-kd", "radio-control", "radio-kd"):
        assert publish(REPOSITORY / name / "1", repository)[0] == repository / name / "1"


def split_model(model):
    """Gives the model a split: an item graph that repeats the item's numbers, a request graph that looks them up."""
    graph = onnx.load(model / "model.onnx")
    width = next(i.type.tensor_type.shape.dim[1].dim_value for i in graph.graph.input if i.name == "item_numbers")
    item = helper.make_graph(
        [helper.make_node("Identity", ["item_numbers"], ["rows"])],
        "item",
        [helper.make_tensor_value_info("item_numbers", TensorProto.FLOAT, ["items", width])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["items", width])],
    )
    versions_of = {"opset_imports": graph.opset_import, "ir_version": graph.ir_version}
    onnx.save(helper.make_model(item, **versions_of), model / "item.onnx")
    kept = [i for i in graph.graph.input if i.name != "item_numbers"]
    del graph.graph.input[:]
    slab = helper.make_tensor_value_info("item_rows", TensorProto.FLOAT, ["slab_rows", width])
    place = helper.make_tensor_value_info("item_row", TensorProto.INT32, ["candidates"])
    graph.graph.input.extend([*kept, slab, place])
    graph.graph.node.insert(0, helper.make_node("Gather", ["item_rows", "item_row"], ["item_numbers"]))
    onnx.save(graph, model / "request.onnx")
    files = {n: {"file": f"{n}.onnx", "sha256": sha256(model / f"{n}.onnx")} for n in ("item", "request")}
    edit(model, set_to(files | {"rowWidth": width}, "split"))


def test_the_halves_of_a_split_are_asked_too(model, repository):
    split_model(model)
    version, difference = publish(model, repository)
    assert (version / "item.onnx").is_file()
    assert (version / "request.onnx").is_file()
    assert difference <= 1e-5
    edit(model, set_to(1, "split", "rowWidth"))
    with pytest.raises(RefusedError, match="expected a row of 1 numbers a candidate"):
        publish(model, repository)


def test_halves_that_belong_to_another_model_are_refused(model, repository):
    split_model(model)
    other = model.parent / "other"
    shutil.copytree(REPOSITORY / "home-control" / "1", other)
    split_model(other)
    shutil.copy(other / "request.onnx", model / "request.onnx")
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["split"]["request"]["sha256"] = sha256(model / "request.onnx")
    write_json(model / "manifest.json", manifest)
    with pytest.raises(RefusedError, match=r"request\.onnx: differs from the golden answers"):
        publish(model, repository)
