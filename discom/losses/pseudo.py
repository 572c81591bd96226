"""Pseudo-labels: where a prediction is confident enough, it becomes a label.

U samples, C classes; logits are [U, C], and τ is in (0, 1], else there is a ValueError. All is
computed in float32 at least, and no gradient reaches what gives the labels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.losses import full_precision


def pseudo_labels(logits: Tensor, threshold: float = 0.95) -> tuple[Tensor, Tensor]:
    r"""The class of each row [U], int64, and whether its probability reaches the threshold, [U].

    .. math:: \hat y_u = \arg\max_c p_{uc}, \qquad m_u = [\max_c p_{uc} \ge \tau], \qquad
              p_u = \mathrm{softmax}(z_u)

    Source: Sohn et al., NeurIPS 2020 (FixMatch). Log-probabilities of several sensors, added up,
    give the labels on which the sensors agree.

    >>> labels, accepted = pseudo_labels(torch.tensor([[4.0, 0.0], [0.1, 0.0]]))
    >>> labels.tolist(), accepted.tolist()
    ([0, 0], [True, False])
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold: {threshold} is out of range; use above 0, to 1")
    if logits.ndim != 2:
        raise ValueError(f"pseudo_labels: logits are {tuple(logits.shape)}; give [U, C]")
    with torch.autocast(logits.device.type, enabled=False):
        confidence, labels = full_precision(logits.detach()).softmax(1).max(1)
    return labels, confidence >= threshold


def fixmatch(weak: Tensor, strong: Tensor, threshold: float = 0.95) -> Tensor:
    r"""Cross-entropy of strong views with the confident labels of weak views, mean over all U rows.

    .. math:: L = \frac{1}{U} \sum_u m_u\, \mathrm{CE}(\hat y_u, z^{strong}_u), \qquad
              \hat y_u, m_u \text{ of } z^{weak}_u

    Source: Sohn et al., NeurIPS 2020 (FixMatch), with hard labels. The mean counts rejected rows,
    too; 0 where none is accepted. Row i of both views is the same sample; weak gets no gradient.

    >>> weak, strong = torch.tensor([[9.0, 0.0], [0.0, 0.1]]), torch.zeros(2, 2)
    >>> round(fixmatch(weak, strong).item(), 4)  # half of log 2
    0.3466
    """
    if weak.shape != strong.shape:
        shapes = f"{tuple(weak.shape)} and {tuple(strong.shape)}"
        raise ValueError(f"fixmatch: logits are {shapes}; give two [U, C]")
    labels, accepted = pseudo_labels(weak, threshold)
    with torch.autocast(weak.device.type, enabled=False):
        errors = F.cross_entropy(full_precision(strong), labels, reduction="none")
        return (errors * accepted).mean()
