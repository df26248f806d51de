"""Rank-based distillation that agrees with calibrated probabilities."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from training.examples import Batch
from training.techniques.direct import Direct
from training.techniques.hard import hard_loss


def rank_loss(logits: Tensor, soft: Tensor, request_row: Tensor) -> Tensor:
    """Listwise cross-entropy a request and task, averaged over requests and summed over tasks; [candidates, tasks].

    With p the teacher's and q the student's probabilities of one request's candidates, L = -sum_i P_i log Q_i,
    P_i = p_i / sum_j p_j and Q_i = q_i / sum_j q_j. Lists are normalised over sigmoids, not by softmax over logits
    as ListNet does: then L is least where q is proportional to p, which holds at q = p, so that the listwise and the
    pointwise loss share their optimum (regression compatible: Bai et al., arXiv 2211.01494; demanded of
    distillation as calibration compatibility by CLID, arXiv 2312.08727). NaN soft labels are left out.
    """
    known = ~torch.isnan(soft)
    requests = int(request_row[-1]) + 1
    teacher = torch.where(known, soft, 0.0)
    student = torch.where(known, torch.sigmoid(logits), 0.0)
    empty = torch.zeros(requests, soft.shape[1])
    of_teacher = empty.index_add(0, request_row, teacher)
    of_student = empty.index_add(0, request_row, student)
    listed = of_teacher > 0
    share = teacher / of_teacher[request_row].clamp(min=1e-12)
    log_share = logsigmoid(logits) - of_student[request_row].clamp(min=1e-12).log()
    return -(share * torch.where(known, log_share, 0.0)).sum() / listed.any(dim=1).sum().clamp(min=1)


class Rank(Direct):
    """L = hard + weight * listwise soft loss on the serving logits, within each request."""

    options: ClassVar[Mapping[str, object]] = {"weight": 1.0, "tasks": None}

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, batch: Batch, soft: Tensor) -> Tensor:
        """Hard where it was shown, listwise as it will be served."""
        return hard_loss(shown, batch) + self.weight * rank_loss(served[:, self.own], soft, batch.request_row)
