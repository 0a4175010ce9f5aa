"""What the student is told: to reach the teacher's hidden states, and to choose as it does."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class Reach:
    """The distance of hidden states to the teacher's, each number over its own spread.

    `spread` [taps, width] is the variance of the teacher's numbers. The first token of a text is
    left out: in Llamas its numbers are a thousand times those of others.
    """

    def __init__(self, sample: Tensor) -> None:
        """sample: [tokens, taps, width]."""
        spread = sample.float().var(0)
        self._weight = 1 / (spread + 0.05 * spread.mean(1, keepdim=True))

    def loss(self, tap: int, made: Tensor, wanted: Tensor, real: Tensor) -> Tensor:
        """made and wanted: [rows, tokens, width]; `real` [rows, tokens] is False for padding."""
        apart = ((made - wanted) ** 2 * self._weight[tap]).mean(-1)
        real = real.clone()
        real[:, 0] = False
        return apart[real].mean()


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the student's choice from the teacher's; both are logits
    [tokens, candidates] (Hinton et al. 2015, arXiv:1503.02531)."""
    mine, its = student.log_softmax(-1), teacher.log_softmax(-1)
    return functional.kl_div(mine, its, reduction="batchmean", log_target=True)


def candidates(chosen: Tensor, frequent: Tensor) -> Tensor:
    """The ids among which tokens are compared: the texts' own, and the most frequent ones."""
    return torch.unique(torch.cat((chosen.flatten(), frequent)))
