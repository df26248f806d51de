"""Each loss against numbers worked out by hand, its masks, and where its optimum lies."""

from math import log

import numpy as np
import pytest
import torch

from training.examples import Batch
from training.students.plans import StudentPlan
from training.techniques import technique_of
from training.techniques.hard import hard_loss, masked_loss
from training.techniques.rank import rank_loss

TASKS = ("click", "completion", "like")
TEACHER_TASKS = ("click", "watch_fraction", "like", "watch_next")
NAN = float("nan")


def plan(technique, surface="home", **options):
    return StudentPlan("a", surface, technique, "", options)


def batch(labels, weight=None, request_row=None):
    rows = torch.tensor(request_row or [0] * len(labels), dtype=torch.int32)
    labels = torch.tensor(labels)
    weight = torch.ones(len(labels)) if weight is None else torch.tensor(weight)
    return Batch((rows,), rows.long(), labels, labels, weight, torch.arange(len(labels)))


def logit(p):
    return torch.logit(torch.tensor(p))


def test_hard_loss_is_the_mean_over_candidates_of_the_sum_over_tasks():
    logits = logit([[0.5, 0.25], [0.5, 0.5]])
    found = hard_loss(logits, batch([[1.0, 0.0], [0.0, 1.0]]))
    assert found.item() == pytest.approx((log(2) - log(0.75) + 2 * log(2)) / 2, rel=1e-6)


def test_what_has_no_outcome_has_no_say_and_no_gradient():
    logits = torch.zeros(3, 1, requires_grad=True)
    loss = masked_loss(logits, torch.tensor([[1.0], [NAN], [0.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(log(2), rel=1e-6)
    assert logits.grad.flatten().tolist() == [-0.25, 0.0, 0.25]


def test_nothing_known_is_a_loss_of_nothing():
    assert masked_loss(torch.ones(2, 2), torch.full((2, 2), NAN)).item() == 0


def test_a_weight_multiplies_its_request_and_divides_nothing():
    found = hard_loss(torch.zeros(2, 1), batch([[1.0], [0.0]], weight=[3.0, 1.0]))
    assert found.item() == pytest.approx(2 * log(2), rel=1e-6)


def test_direct_adds_the_weighted_soft_loss_on_the_chosen_tasks():
    technique = technique_of(plan("direct", weight=4.0, tasks={"like": "like"}), TASKS, TEACHER_TASKS)
    labels = [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    served = logit([[0.9, 0.9, 0.8], [0.9, 0.9, 0.5]])
    soft = torch.tensor([[0.6], [NAN]])
    found = technique.loss(torch.zeros(2, 3), served, None, batch(labels), soft)
    by_hand = 3 * log(2) + 4 * -(0.6 * log(0.8) + 0.4 * log(0.2))
    assert found.item() == pytest.approx(by_hand, rel=1e-5)


def test_a_masked_teacher_label_takes_no_part_in_the_shift():
    technique = technique_of(plan("direct", tasks={"click": "click"}), TASKS, TEACHER_TASKS)
    labels = torch.tensor([[1.0, 0, 0], [0.0, 0, 0], [NAN, NAN, NAN], [1.0, 0, 0]])
    teacher = torch.tensor([[2.0], [1.0], [30.0], [NAN]]).repeat(1, 4)
    soft = technique.prepare(labels, teacher)
    assert soft[:2].mean().item() == pytest.approx(0.5, abs=1e-6)
    assert soft[2].item() == pytest.approx(1.0, abs=1e-6)
    assert torch.isnan(soft[3]).all()


@pytest.mark.parametrize(
    ("labels", "found"), [([0.0, 0.0, 1.0], "0 in all 2"), ([NAN, NAN, 1.0], "none"), ([1.0, 1.0, 0.0], "1 in all 2")]
)
def test_outcomes_that_give_the_soft_labels_no_rate_are_refused(labels, found):
    """Both outcomes are there, but not among the items that the teacher labelled."""
    technique = technique_of(plan("direct", tasks={"like": "like"}), TASKS, TEACHER_TASKS)
    teacher = torch.tensor([[1.0], [2.0], [NAN]]).repeat(1, 4)
    with pytest.raises(
        ValueError, match=f'"like" where the teacher has one too: expected both outcomes, found {found}'
    ):
        technique.prepare(torch.tensor(labels)[:, None].repeat(1, 3), teacher)


def test_auxiliary_leaves_the_serving_logits_to_the_outcomes():
    technique = technique_of(plan("auxiliary", "radio", weight=6.0, tasks=["watch_next"]), TASKS, TEACHER_TASKS)
    served = torch.zeros(1, 3, requires_grad=True)
    extra = torch.zeros(1, 1, requires_grad=True)
    loss = technique.loss(torch.zeros(1, 3), served, extra, batch([[1.0, 0.0, 0.0]]), torch.tensor([[0.75]]))
    loss.backward()
    assert loss.item() == pytest.approx(9 * log(2), rel=1e-5)
    assert served.grad is None
    assert extra.grad.item() == pytest.approx(6 * (0.5 - 0.75))


@pytest.mark.parametrize("temperature", [5.0, 20.0])
def test_the_soft_gradient_keeps_its_scale_at_any_temperature(temperature):
    # Hinton et al.: for T large against the logits, T^2 times the gradient of the softened loss tends to
    # sigmoid'(0) * (student - teacher) = (student - teacher) / 4, whatever T.
    technique = technique_of(plan("direct", temperature=temperature, tasks={"click": "click"}), TASKS, TEACHER_TASKS)
    served = torch.full((1, 3), 0.6, requires_grad=True)
    soft = torch.sigmoid(torch.tensor([[0.2]]) / temperature)
    technique.loss(torch.zeros(1, 3), served, None, batch([[1.0, 0.0, 0.0]]), soft).backward()
    assert served.grad[0, 0].item() == pytest.approx((0.6 - 0.2) / 4, rel=0.01)


def test_temperature_moves_the_path_and_not_the_optimum():
    technique = technique_of(plan("direct", temperature=3.0, tasks={"click": "click"}), TASKS, TEACHER_TASKS)
    teacher = torch.tensor([[1.2], [-0.7]])
    served = teacher.expand(2, 3).clone().requires_grad_()
    technique.loss(torch.zeros(2, 3), served, None, batch([[1.0, 0, 0]] * 2), torch.sigmoid(teacher / 3)).backward()
    assert served.grad.abs().max().item() < 1e-6


def test_rank_loss_is_the_cross_entropy_of_shares_a_request():
    # Request 0: p = (0.6, 0.2), shares 3/4, 1/4; q = (0.5, 0.5), shares 1/2. Request 1 has one candidate: no order.
    soft = torch.tensor([[0.6], [0.2], [0.3]])
    found = rank_loss(logit([[0.5], [0.5], [0.9]]), soft, torch.tensor([0, 0, 1]))
    assert found.item() == pytest.approx(log(2) / 2, rel=1e-6)


def test_rank_loss_leaves_out_what_has_no_teacher_label():
    soft = torch.tensor([[0.6], [NAN], [0.2]])
    logits = logit([[0.5], [0.9], [0.5]]).requires_grad_()
    found = rank_loss(logits, soft, torch.tensor([0, 0, 0]))
    found.backward()
    assert found.item() == pytest.approx(log(2), rel=1e-6)
    assert logits.grad[1].item() == 0
    assert torch.isfinite(logits.grad).all()


def _optimum(loss):
    logits = torch.zeros(3, 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = loss(logits)
        value.backward()
        return value

    optimiser.step(closure)
    return torch.sigmoid(logits.detach()).flatten().tolist()


def test_the_rank_loss_agrees_with_calibrated_probabilities_and_softmax_does_not():
    rates = torch.tensor([[0.8], [0.3], [0.1]])
    one_request = torch.zeros(3, dtype=torch.long)

    def softmax(logits):
        return -(rates / rates.sum() * torch.log_softmax(logits, dim=0)).sum()

    calibrated = _optimum(lambda x: masked_loss(x, rates) + 4 * rank_loss(x, rates, one_request))
    assert calibrated == pytest.approx(rates.flatten().tolist(), abs=1e-3)
    assert (
        np.abs(np.array(_optimum(lambda x: masked_loss(x, rates) + 4 * softmax(x))) - rates.numpy()[:, 0]).max() > 0.05
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (plan("direct", wieght=1.0), r'unknown option "wieght".*did you mean "weight"'),
        (plan("direct", tasks={"clik": "click"}), r'unknown task "clik".*did you mean "click"'),
        (plan("direct", tasks={"click": "watch_fractoin"}), r'unknown teacher task.*did you mean "watch_fraction"'),
        (plan("auxiliary", tasks=["watchnext"]), r'unknown teacher task.*did you mean "watch_next"'),
        (plan("auxiliary", tasks="watch_next"), r"expected a list of the teacher's tasks, found 'watch_next'"),
        (plan("auxiliary", tasks={"click": "like"}), r"expected a list of the teacher's tasks, found \{'click'"),
        (plan("auxiliary", tasks=["click", "click"]), r'expected every task once, found "click" again'),
        (plan("direct", tasks={}), r"expected a table from student task to teacher task, found \{\}"),
        (plan("direct", "radio"), r'surface "radio" has no correspondence'),
        (plan("direct", weight=-1.0), r"option 'weight': expected a number above 0, found -1.0"),
        (plan("direct", temperature="hot"), r"option 'temperature'.*found 'hot'"),
        (plan("none", weight=1.0), r'unknown option "weight"'),
    ],
)
def test_a_plan_that_cannot_be_trained_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        technique_of(wrong, TASKS, TEACHER_TASKS)
