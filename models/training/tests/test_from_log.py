"""From the log to examples: joins and weights worked out by hand, features as served, and every refusal."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_on_disk import assigned, impression, mark, outcome, write_labels, write_segment

from training.features.music_features import SCHEMAS
from training.features.schema import Feature, Hash, Vocabulary
from training.from_log.arguments import WORLD, arguments
from training.from_log.catalogue import EntityTable
from training.from_log.chosen_rows import choose_rows, inverse_propensity, the_experiment
from training.from_log.joined_log import read_log
from training.from_log.labels import check_labels, logits
from training.from_log.segments import label_files, log_files
from training.from_log.served import encoding_name, served_rows, unknown_users
from training.from_log.student_examples import student_examples
from training.from_log.time_parts import time_parts
from training.publishing.next_version import publish
from training.refusal import RefusedError
from training.train import main

HOME = ("click", "completion", "like")
TEACHER_TASKS = ("click", "watch_fraction", "like", "watch_next")


def read(data, surface="home", tasks=HOME):
    return read_log(surface, tasks, log_files(data), label_files(data, "video-teacher"))


@pytest.fixture
def by_hand(tmp_path):
    """Two segments; requests out of order, an outcome twice, a label missing, and an unfinished segment."""
    control, treated = [assigned("control", 0.25)], [assigned("kd-direct", 0.75)]
    write_segment(
        tmp_path,
        "000001",
        [
            impression("r2", 20, ["t3", "t1"], control, model="home-control"),
            impression("r1", 10, ["t1", "t2", "t3"], treated),
            impression("r3", 30, ["t9"], treated, model=None),
            impression("x1", 15, ["t1"], treated, surface="radio"),
        ],
        [
            outcome(1, "r1", "t2", "click"),
            outcome(2, "r1", "t2", "click"),
            outcome(3, "r1", "t2", "like"),
            outcome(4, "r2", "t1", "completion"),
            outcome(5, "r2", "t7", "click"),
            outcome(6, "r1", "t1", "skip"),
        ],
    )
    write_segment(
        tmp_path,
        "000002",
        [
            impression("r4", 40, ["t2"], [assigned("control", 0.25, overridden=True)]),
            impression("r5", 50, ["t2"], []),
            impression("r1", 60, ["t5"], control),
        ],
        [outcome(7, "r4", "t2", "click")],
    )
    write_segment(tmp_path, "000003", [impression("r9", 90, ["t1"], control)], [], done=False)
    labels = [
        {"request": "r1", "item": "t1", "click": 0.5, "watch_fraction": 0.25, "like": 0.0, "watch_next": 1.0},
        {"request": "r2", "item": "t1", "click": 0.9, "watch_fraction": 0.1, "like": 0.2, "watch_next": 0.3},
    ]
    write_labels(tmp_path, "000001", labels, TEACHER_TASKS)
    return tmp_path


def test_the_join_worked_out_by_hand(by_hand):
    log = read(by_hand)
    assert log.request.tolist() == ["r1", "r2", "r3", "r4", "r5"]
    assert log.start.tolist() == [0, 3, 5, 6, 7, 8]
    assert log.item.tolist() == ["t1", "t2", "t3", "t3", "t1", "t9", "t2", "t2"]
    assert log.position.tolist() == [1, 2, 3, 1, 2, 1, 1, 1]
    wanted = np.zeros((8, 3))
    wanted[1] = [1, 0, 1]  # r1, t2: clicked (twice told) and liked
    wanted[4] = [0, 1, 0]  # r2, t1
    wanted[6] = [1, 0, 0]  # r4, t2
    assert np.array_equal(log.labels, wanted)
    assert log.model.tolist() == ["home-kd", "home-control", None, "home-kd", "home-kd"]
    assert log.teacher_tasks == TEACHER_TASKS
    assert log.teacher[0] == pytest.approx([0.5, 0.25, 0.0, 1.0])
    assert log.teacher[4] == pytest.approx([0.9, 0.1, 0.2, 0.3])
    assert np.isnan(np.delete(log.teacher, [0, 4], axis=0)).all()


def test_fallbacks_overrides_and_strangers_to_the_experiment_are_left_out(by_hand):
    log = read(by_hand)
    chosen = choose_rows(log, the_experiment(log, None), ["all"], "home-kd")
    assert log.request[chosen.rows].tolist() == ["r1", "r2"]
    assert chosen.arm.tolist() == ["kd-direct", "control"]
    assert chosen.left_out == {"fallback": 1, "overridden": 1, "outside the experiment": 1}


@pytest.mark.parametrize(
    ("asked", "learns"),
    [(["all"], [True, True]), (["own"], [True, False]), (["control"], [False, True])],
)
def test_the_arms_that_are_learnt_from(by_hand, asked, learns):
    assert choose_rows(read(by_hand), "home-kd", asked, "home-kd").learns.tolist() == learns


def test_an_answer_that_two_arms_shared_is_no_arms_own(tmp_path):
    rows = [
        impression("r1", 1, ["t1"], [assigned("kd-direct")]),
        # An interleaving names the control's model, whosever an item is.
        impression("r2", 2, ["t1"], [assigned("interleaved")]),
    ]
    write_segment(tmp_path, "000001", rows, [])
    chosen = choose_rows(read(tmp_path), "home-kd", ["own"], "home-kd")
    assert dict(zip(chosen.arm.tolist(), chosen.learns.tolist(), strict=True)) == {
        "kd-direct": True,
        "interleaved": False,
    }


def test_weights_worked_out_by_hand():
    # 1/p: 4, 4/3, 100 clipped to 10; their mean is 46/9.
    weight = inverse_propensity(np.array([0.25, 0.75, 0.01]), 10)
    assert weight == pytest.approx([4 * 9 / 46, 4 / 3 * 9 / 46, 10 * 9 / 46])
    assert weight.mean() == pytest.approx(1)


def test_logits_are_clipped_and_stay_unknown():
    found = logits(tuple("abcde"), np.array([[0.5, 0.0, 1.0, np.nan, 0.9]], np.float32))
    wanted = [0, -math.log(1e6 - 1), math.log(1e6 - 1), np.nan, math.log(9)]
    assert found[0] == pytest.approx(wanted, rel=1e-4, nan_ok=True)
    assert found.dtype == np.float32
    with pytest.raises(RefusedError, match=r'teacher task "b": expected labels in \[0, 1\], found 1\.5'):
        logits(("a", "b"), np.array([[0.5, 0.5], [0.5, 1.5]]))


def test_time_is_cut_in_order_and_a_millisecond_is_never_cut():
    at_ms = np.array([30, 10, 20, 40, 40, 40, 50, 60, 70, 80])
    parts = time_parts(at_ms, 0.2, 0.3)
    assert at_ms[parts.training].tolist() == [30, 10, 20]
    assert at_ms[parts.validation].tolist() == [40, 40, 40, 50]
    assert at_ms[parts.held_out].tolist() == [60, 70, 80]
    with pytest.raises(RefusedError, match="the training part of the log's 3 requests is empty"):
        time_parts(np.array([5, 5, 5]), 0.2, 0.2)


def test_a_task_of_one_class_is_refused():
    check_labels("training", ("click",), np.array([[0.0], [1.0]]))
    with pytest.raises(RefusedError, match=r'task "like": the training part .* all of 2 are 0'):
        check_labels("training", ("like",), np.zeros((2, 1)))


@pytest.fixture(scope="module")
def tables():
    schema = SCHEMAS["radio"]
    return {e: EntityTable(schema, e, WORLD / f"{e}s.parquet") for e in ("user", "item")}


def test_features_are_the_worlds_under_the_requests_own(tmp_path, tables):
    content = [0.5] * 16
    context = json.dumps({"seed_content": content, "seed_track": "t7", "weather": "rain"})
    shown = ["t2", ("t2", json.dumps({"age_days": 3})), ("new", json.dumps({"content": content, "genre": "pop"}))]
    row = impression("r1", 1, shown, [assigned("control")], surface="radio", user="u5", context_features=context)
    row["user_features"] = json.dumps({"country": "nowhere", "weekly_plays": 12.5})
    write_segment(tmp_path, "000001", [row], [outcome(1, "r1", "new", "skip")])
    log = read(tmp_path, "radio", ("completion", "skip", "like"))
    schema = SCHEMAS["radio"]
    found = student_examples(schema, ("completion", "skip", "like"), log, np.array([0]), tables["user"], tables["item"])

    def column(arrays, feature):
        one = next(i for i in schema.inputs if feature in [f.name for f in i.features if f.entity == i.entity])
        return arrays[one.name][:, one.columns(feature)]

    assert column(found.request_inputs, "weekly_plays").tolist() == [[12.5]]
    assert column(found.request_inputs, "country").tolist() == [[0]]
    taste = tables["user"].raw["taste"][4]
    assert column(found.request_inputs, "taste")[0] == pytest.approx(taste)
    assert column(found.request_inputs, "seed_content")[0].tolist() == content
    track = schema.input("context_indices").features[0]
    assert column(found.request_inputs, "seed_track")[0].tolist() == track.encode("t7")
    ages = column(found.item_inputs, "age_days").ravel()
    assert ages.tolist() == pytest.approx([tables["item"].raw["age_days"][1], 3, 0])
    assert column(found.item_inputs, "content")[2].tolist() == content
    assert column(found.item_inputs, "content")[1] == pytest.approx(tables["item"].raw["content"][1])
    own = column(found.item_inputs, "id").ravel().tolist()
    assert own == [track.encode(i)[0] for i in ("t2", "t2", "new")]
    assert found.labels.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


PSEUDONYM = "hmac:OVNrwMIObvzSLsMLuW7sWg"


def served_of(schema, rows, base):
    """Every feature of the schema as served: rows of counting values from `base`, of items `rows` of them."""
    features = []
    for f in schema.features:
        values = [base + k for k in range(f.width * (rows if f.entity == "item" else 1))]
        said = {"numbers": values} if f.encoding.dtype == "float32" else {"indices": values}
        named = {"feature": f.name, "entity": f.entity, "tensor": "t", "encoding": encoding_name(f), "width": f.width}
        features.append(named | said)
    return {"model": "radio-kd", "model_version": "1", "item_rows": rows, "features": features}


def test_features_as_served_go_before_the_files_and_unknown_pseudonyms_are_left_out(tmp_path, tables):
    schema, tasks = SCHEMAS["radio"], ("completion", "skip", "like")
    control = [assigned("control")]
    rows = [
        # One item beyond the limit was scored too, and not shown.
        impression("r1", 1, ["t2", "t3"], control, surface="radio", user=PSEUDONYM)
        | {"served": [served_of(schema, 3, 100)]},
        impression("r2", 2, ["t4"], control, surface="radio", user="u5"),
        impression("r3", 3, ["t5"], control, surface="radio", user=PSEUDONYM),
        # A feature is another's here, and in the last an item was not scored: neither is all that is needed.
        impression("r4", 4, ["t6"], control, surface="radio", user=PSEUDONYM)
        | {"served": [served_of(schema, 1, 1) | {"features": served_of(schema, 1, 1)["features"][1:]}]},
        impression("r5", 5, ["t7", "t8"], control, surface="radio", user=PSEUDONYM)
        | {"served": [served_of(schema, 1, 1)]},
    ]
    write_segment(tmp_path, "000001", rows, [], served=True)
    log = read(tmp_path, "radio", tasks)
    served = served_rows(schema, log)
    chosen = choose_rows(log, "home-kd", ["all"], "radio-kd", unknown_users(log, served))
    assert log.request[chosen.rows].tolist() == ["r1", "r2"]
    assert chosen.left_out == {"pseudonym without served features": 3}
    found = student_examples(schema, tasks, log, chosen.rows, tables["user"], tables["item"], served)
    plain = student_examples(schema, tasks, log, chosen.rows, tables["user"], tables["item"])
    for one in schema.inputs:
        for f in one.features:
            inputs = found.item_inputs if f.entity == "item" else found.request_inputs
            shown = 2 if f.entity == "item" else 1
            wanted = np.arange(100, 100 + shown * f.width).reshape(shown, f.width)
            assert inputs[one.name][:shown, one.columns(f.name)].tolist() == wanted.tolist()
            looked_up = plain.item_inputs if f.entity == "item" else plain.request_inputs
            assert np.array_equal(inputs[one.name][shown:], looked_up[one.name][shown:])


def test_encodings_are_named_as_the_server_names_them():
    words = Feature("genre", "item", Vocabulary(("ambient", "pop", "jäzz")))
    assert encoding_name(words) == "vocabulary:3:2ad4a2cc"
    assert encoding_name(Feature("id", "item", Hash(50))) == "hash:50"


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ('{"age_days": NaN}', 'item "t1": feature "age_days" should be finite, found nan'),
        ('{"age_days": "3"}', 'item "t1": feature "age_days" should be 1 numbers, found 3'),
        ('{"content": [1, 2]}', 'item "t1": feature "content" should be 16 numbers'),
        ('{"genre": 3}', 'item "t1": feature "genre" should be text, found 3'),
        ("[", 'item "t1": its logged features are no JSON'),
    ],
)
def test_features_that_do_not_fit_are_refused(tables, features, said):
    with pytest.raises(RefusedError, match=said):
        tables["item"].inputs(np.array(["t1"], object), np.array([features], object))


def demo_log(data, requests=160, labelled=True):
    """A log whose clicks go to t1..t10 and whose likes go to even tracks, of two arms."""
    rng = np.random.default_rng(5)
    impressions, outcomes, labels = [], [], []
    for n in range(requests):
        arm, model = (("control", "home-control"), ("kd-direct", "home-kd"))[n % 2]
        items = [f"t{i + 1}" for i in rng.choice(20, 6, replace=False)]
        user = f"u{rng.integers(1, 50)}"
        impressions.append(impression(f"r{n}", n * 1000, items, [assigned(arm)], model=model, user=user))
        for item in items:
            number = int(item[1:])
            for kind, happens in (("click", number <= 10), ("completion", number <= 5), ("like", number % 2 == 0)):
                if happens and rng.random() < 0.8:
                    outcomes.append(outcome(len(outcomes), f"r{n}", item, kind))
            labels.append({"request": f"r{n}", "item": item, **dict.fromkeys(TEACHER_TASKS, 0.9 / (1 + number))})
    write_segment(data, "000001", impressions, outcomes)
    if labelled:
        write_labels(data, "000001", labels, TEACHER_TASKS)


def asked(data, out, *more):
    return ["--from-log", str(data), "--surface", "home", "--out", str(out), "--epochs", "1", *more]


@pytest.fixture
def refusal(capsys):
    """What the command says on stderr where it ends with 1, which is one line."""

    def said(*argv):
        capsys.readouterr()
        assert main(list(argv)) == 1
        text = capsys.readouterr().err
        assert text.count("\n") == 1
        return text

    return said


def test_a_student_made_from_the_log_can_be_published(tmp_path, capsys, refusal):
    demo_log(tmp_path)
    out = tmp_path / "made"
    assert main(asked(tmp_path, out, "--name", "home-kd", "--arm-rows", "own")) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    provenance = manifest["provenance"]
    assert provenance["technique"] == "direct"
    assert provenance["teacher"] == {
        "name": "video-teacher",
        "version": "1",
        "labelledSegments": 1,
        "coverage": 1.0,
    }
    assert provenance["log"]["arms"] == ["kd-direct"]
    assert (provenance["log"]["trainingRequests"], provenance["log"]["heldOutRequests"]) == (56, 24)
    metrics = provenance["offlineMetrics"]
    assert {name.split("/")[0] for name in metrics} == {"all", "control", "kd-direct"}
    assert all(math.isfinite(value) for value in metrics.values())
    said = capsys.readouterr().out
    assert "seed 1" in said
    assert f"{metrics['all/click/auc']:.4f}" in said
    repository = tmp_path / "repository"
    repository.mkdir()
    assert publish(out, repository)[0] == repository / "home-kd" / "1"
    assert "holds something" in refusal(*asked(tmp_path, out, "--name", "home-kd"))
    assert not list(tmp_path.glob(".train-*"))


def test_what_is_missing_is_refused_with_the_command_that_makes_it(tmp_path, refusal):
    out = tmp_path / "made"
    control, treated = ("--name", "home-control"), ("--name", "home-kd")
    assert f"make it with `npx setlist compact --data-dir {tmp_path}`" in refusal(*asked(tmp_path, out, *control))
    demo_log(tmp_path, labelled=False)
    assert f"run `npx setlist label --data-dir {tmp_path}`" in refusal(*asked(tmp_path, out, *treated))
    write_labels(tmp_path, "000001", [], TEACHER_TASKS)
    said = refusal(*asked(tmp_path, out, *treated, "--teacher", "video-techer"))
    assert 'no labels of the teacher "video-techer"; did you mean "video-teacher"?' in said
    assert "no logged item that is learnt from has a teacher label" in refusal(*asked(tmp_path, out, *treated))
    mark(tmp_path / "warehouse", "000002", ("impressions",))
    assert "000002.parquet: 000002.json says it is complete, and it is gone" in refusal(*asked(tmp_path, out, *control))
    (tmp_path / "warehouse" / "done" / "000002.json").write_text('{"parts": 3}')
    assert "000002.json: expected a marker of this version" in refusal(*asked(tmp_path, out, *control))
    assert not out.exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--arm-rows", "kd-dirct"], 'no rows of arm "kd-dirct"; did you mean "kd-direct"?'),
        (["--experiment", "home-kdd"], 'no assignment of experiment "home-kdd"; did you mean "home-kd"?'),
        (["--teacher-tasks", "clik=click"], 'unknown task "clik"'),
        (["--teacher-tasks", "click=clik"], 'unknown teacher task "clik"'),
        (["--surface", "radio"], '--name home-kd is a student of surface "home"'),
    ],
)
def test_unknown_names_of_the_log_are_refused_with_the_nearest(tmp_path, refusal, flags, said):
    demo_log(tmp_path, requests=40)
    assert said in refusal(*asked(tmp_path, tmp_path / "made", "--name", "home-kd", *flags))


def test_the_student_of_own_rows_must_have_served(tmp_path, refusal):
    demo_log(tmp_path, requests=40)
    flags = ("--name", "home-kf", "--technique", "none", "--arm-rows", "own")
    assert 'no arm of the log was served by "home-kf"; did you mean "home-kd"?' in refusal(
        *asked(tmp_path, tmp_path / "made", *flags)
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--surface", "hom"], 'unknown surface "hom"; did you mean "home"?'),
        (["--technique", "dirct"], 'unknown technique "dirct"; did you mean "direct"?'),
        (["--held-out", "0.7"], "expected a number above 0 and below 0.5, got '0.7'"),
        (["--name", "../up"], "expected a model's name, [a-z0-9-]{1,64}, got '../up'"),
        (["--armrows", "own"], "unrecognized arguments: --armrows"),
    ],
)
def test_wrong_usage_exits_with_2(tmp_path, capsys, flags, said):
    with pytest.raises(SystemExit) as stopped:
        arguments([*asked(tmp_path, tmp_path / "made", "--name", "x"), *flags])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def rewritten(path, name, column):
    """The file with one column in the place of another's, as another version would have written it."""
    table = pq.read_table(path)
    place = table.column_names.index(name)
    pq.write_table(table.remove_column(place) if column is None else table.set_column(place, name, column), path)


@pytest.mark.parametrize(
    ("table", "name", "column", "said"),
    [
        ("impressions", "items", None, 'the column "items" of impressions is missing; found request, at,'),
        ("impressions", "items", pa.array([""]), 'the column "items" of impressions should be STRUCT(id VARCHAR,'),
        ("impressions", "at", pa.array([1.0]), 'the column "at" of impressions should be TIMESTAMP, found DOUBLE'),
        ("outcomes", "type", pa.array([3]), 'the column "type" of outcomes should be VARCHAR, found BIGINT'),
    ],
)
def test_a_segment_of_another_schema_version_is_refused_wherever_it_stands(
    tmp_path, refusal, table, name, column, said
):
    demo_log(tmp_path)
    write_segment(tmp_path, "000002", [impression("r", 1, ["t1"], [])], [outcome(9_999, "r", "t1", "click")])
    newer = tmp_path / "warehouse" / table / "date=2026-05-01" / "000002.parquet"
    rewritten(newer, name, column)
    assert f"{newer}: {said}" in refusal(*asked(tmp_path, tmp_path / "made", "--name", "home-control"))


def test_a_damaged_segment_is_refused(tmp_path, refusal):
    demo_log(tmp_path)
    (tmp_path / "warehouse" / "outcomes" / "date=2026-05-01" / "000001.parquet").write_bytes(b"PAR1")
    said = refusal(*asked(tmp_path, tmp_path / "made", "--name", "home-control"))
    assert "000001.parquet: is no Parquet file of outcomes" in said


def test_labels_that_cannot_teach_are_refused_before_training(tmp_path, refusal):
    demo_log(tmp_path)
    argv = asked(tmp_path, tmp_path / "made", "--name", "home-kd")
    labels = tmp_path / "labels" / "teacher=video-teacher" / "version=1" / "date=2026-05-01" / "000001.parquet"
    count = pq.read_metadata(labels).num_rows
    rewritten(labels, "like", pa.nulls(count, pa.float32()))
    assert 'teacher task "like": no item that is learnt from has a label of it' in refusal(*argv)
    rewritten(labels, "like", pa.array([1.5] * count))
    assert 'teacher task "like": expected labels in [0, 1], found 1.5' in refusal(*argv)
    rewritten(labels, "like", pa.array(["a"] * count))
    assert '000001.parquet: the labels of "like" should be numbers, found VARCHAR' in refusal(*argv)
    write_labels(tmp_path, "000002", [], ("click", "like"))
    rewritten(labels, "like", pa.array([0.5] * count))
    assert "000002.parquet: expected the tasks of" in refusal(*argv)
    (labels.parents[2] / "version=new" / "done").mkdir(parents=True)
    assert "expected a whole number as the teacher's version" in refusal(*argv)


def test_a_task_that_never_happened_is_refused_before_training(tmp_path, refusal):
    demo_log(tmp_path)
    outcomes = tmp_path / "warehouse" / "outcomes" / "date=2026-05-01" / "000001.parquet"
    rewritten(outcomes, "type", pa.array(["click"] * pq.read_metadata(outcomes).num_rows))
    said = refusal(*asked(tmp_path, tmp_path / "made", "--name", "home-control"))
    assert 'task "completion": the training part should have labels of both classes' in said


def test_a_place_where_no_folder_can_be_is_refused_before_training(tmp_path, refusal):
    (tmp_path / "file").write_text("")
    said = refusal(*asked(tmp_path, tmp_path / "file" / "made", "--name", "home-control"))
    assert "file/made: expected a place for a folder, found" in said
