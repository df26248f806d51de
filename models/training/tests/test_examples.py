"""Ragged requests: what is taken, joined, batched and refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import SEED

from training.examples import Examples, music_examples
from training.logs.unlabelled import draw_unlabelled, unlabelled_examples
from training.students.plans import PLANS, StudentPlan
from training.students.training import train_student


@pytest.fixture
def ragged(examples):
    """Radio's requests with the last few candidates of some cut off."""
    whole = examples["radio"]
    kept = np.flatnonzero(whole.position <= 1 + np.arange(len(whole.position)) // 10 % 10)
    counts = np.bincount(np.repeat(np.arange(len(whole)), np.diff(whole.start))[kept])
    return replace(
        whole,
        item_inputs={n: a[kept] for n, a in whole.item_inputs.items()},
        start=np.concatenate([[0], np.cumsum(counts)]),
        **{n: getattr(whole, n)[kept] for n in ("position", "labels", "teacher")},
    )


def test_a_batch_is_what_the_inputs_would_gather(world, inputs, examples):
    log, rows = world.logs["radio"], np.array([7, 2, 30])
    some = log.take(rows)
    gathered = inputs["radio"].gather(some.user, some.seed, some.days_ago, some.item.ravel(), np.repeat(range(3), 10))
    batch = examples["radio"].batch(rows)
    assert all(torch.equal(a, b) for a, b in zip(gathered, batch.inputs, strict=True))
    assert batch.labels.tolist() == some.labels.reshape(30, 3).tolist()


def test_taking_and_joining_keeps_each_request_with_its_candidates(ragged):
    halves = [ragged.take(np.arange(0, 30)), ragged.take(np.arange(30, len(ragged)))]
    joined = Examples.concatenate(halves)
    rows = np.array([41, 3, 29, 30])
    for mine, own in (
        (joined.batch(rows), ragged.batch(rows)),
        (ragged.take(rows).batch(np.arange(4)), ragged.batch(rows)),
    ):
        assert all(torch.equal(a, b) for a, b in zip(mine.inputs, own.inputs, strict=True))
        assert torch.equal(mine.teacher, own.teacher)
        assert torch.equal(mine.position, own.position)


def test_a_student_learns_from_ragged_requests(ragged):
    student = train_student(SEED, PLANS[3], 1, ragged)
    assert all(torch.isfinite(w).all() for w in student.state_dict().values())


def test_a_position_beyond_the_tower_counts_as_its_last(trained, examples):
    batch = examples["home"].batch(np.arange(2))
    with torch.no_grad():
        last, _, _ = trained["home-kd"](batch.inputs, torch.full((20,), 10))
        beyond, _, _ = trained["home-kd"](batch.inputs, torch.full((20,), 300))
    assert torch.equal(last, beyond)


def test_requests_of_different_surfaces_do_not_join(examples):
    with pytest.raises(ValueError, match="share schema and tasks"):
        Examples.concatenate([examples["home"], examples["radio"]])


def test_not_a_number_in_a_feature_is_refused_by_name_and_place(examples):
    numbers = examples["home"].item_inputs["item_numbers"].copy()
    numbers[17, examples["home"].schema.input("item_numbers").columns("plays_week")] = np.nan
    spoilt = replace(examples["home"], item_inputs={**examples["home"].item_inputs, "item_numbers": numbers})
    with pytest.raises(ValueError, match=r"'plays_week' \(input 'item_numbers', row 17, .*finite number, found nan"):
        train_student(SEED, PLANS[0], 1, spoilt)


@pytest.mark.parametrize(
    ("value", "message"),
    [(1.0, "expected both outcomes, found 1 in all"), (np.nan, "expected outcomes, found none"), (2.0, "from 0 to 1")],
)
def test_a_label_that_teaches_nothing_is_refused_by_name(examples, value, message):
    labels = examples["home"].labels.copy()
    labels[:, 2] = value
    with pytest.raises(ValueError, match=rf"task 'like' on surface 'home'.*{message}"):
        train_student(SEED, PLANS[0], 1, replace(examples["home"], labels=labels))


def test_a_log_without_teacher_labels_trains_a_control(world, inputs):
    bare = music_examples(world.logs["home"], inputs["home"])
    assert np.isnan(bare.teacher).all()
    train_student(SEED, PLANS[0], 1, bare)


def test_augmentation_holds_new_releases_and_no_outcome(world, inputs, teacher, examples):
    log = draw_unlabelled(SEED, "home", 200, world)
    more = unlabelled_examples(log, inputs["home"], teacher, world)
    assert np.isnan(more.labels).all()
    assert np.isfinite(more.teacher).all()
    assert not more.validation.any()
    assert (world.tracks.age_days[log.item] <= 7).mean() > 0.05
    plan = StudentPlan("a", "home", "augmentation", "", {"weight": 4.0})
    student = train_student(SEED, plan, 1, Examples.concatenate([examples["home"], more]))
    assert all(torch.isfinite(w).all() for w in student.state_dict().values())
