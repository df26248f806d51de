"""What students learn from, and what of them is served."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import SEED

from training.export.parity import ragged
from training.students.plans import PLANS
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.techniques.direct import shifted_to_rate


def test_a_control_never_reads_teacher_labels(examples, trained):
    control = next(p for p in PLANS if p.name == "home-control")
    again = train_student(SEED, control, 1, replace(examples["home"], teacher=np.zeros_like(examples["home"].teacher)))
    for name, weight in trained["home-control"].state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_control_and_treated_start_from_the_same_trunk(examples):
    plans = [p for p in PLANS if p.surface == "radio"]
    trunks = [train_student(SEED, p, 0, examples["radio"]).trunk.state_dict() for p in plans]
    assert all(torch.equal(trunks[0][name], trunks[1][name]) for name in trunks[0])


def test_auxiliary_head_and_position_tower_are_not_served(trained, served):
    assert any("auxiliary" in name for name in trained["radio-kd"].state_dict())
    for student in served.values():
        assert not [n for n in student.state_dict() if "auxiliary" in n or "position" in n]


def test_serving_equals_training_with_the_position_missing(trained, served, inputs):
    tensors = ragged(np.random.default_rng(1), inputs["home"], [4, 2])
    missing = torch.zeros(6, dtype=torch.long)
    with torch.no_grad():
        shown, without, _ = trained["home-kd"](tensors, missing)
    assert torch.equal(shown, without)
    assert torch.allclose(torch.sigmoid(shown), served["home-kd"].score(tensors), atol=1e-6)


def test_the_tower_says_nothing_at_serving(trained, inputs):
    tensors = ragged(np.random.default_rng(1), inputs["home"], [4, 2])
    student = trained["home-kd"]
    before = ServingStudent(student).score(tensors)
    with torch.no_grad():
        kept = student.position.weight[1:].clone()
        student.position.weight[1:] += 1.0
        after = ServingStudent(student).score(tensors)
        student.position.weight[1:] = kept
    assert torch.equal(before, after)


def test_direct_labels_take_the_rate_of_the_domain():
    logits = torch.randn(5_000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    rate = torch.tensor([0.05, 0.6])
    soft = torch.sigmoid(shifted_to_rate(logits, rate.expand(5_000, 2)))
    assert soft.mean(dim=0).tolist() == pytest.approx(rate.tolist(), abs=1e-5)
    ordered = soft.gather(0, logits.argsort(dim=0))
    assert bool((ordered.diff(dim=0) >= 0).all())


def test_a_teacher_far_from_the_rate_is_brought_to_it():
    # From these, a plain Newton step leaves the numbers.
    logits = torch.full((5_000, 2), 30.0)
    logits[0] = -40.0
    rate = torch.tensor([0.05, 0.6])
    soft = torch.sigmoid(shifted_to_rate(logits, rate.expand(5_000, 2)))
    assert soft.mean(dim=0).tolist() == pytest.approx(rate.tolist(), abs=1e-5)


def test_an_unplanned_technique_is_refused(examples):
    plan = replace(PLANS[0], technique="derect")
    with pytest.raises(ValueError, match=r'unknown technique "derect".*did you mean "direct"'):
        train_student(SEED, plan, 1, examples["home"])
