"""What may stand in Eq. 3's place with more than two modalities, which the paper leaves open.
Letters: B batch, D embedding width, M modalities.

With M = 2 there is one question, "which of the two?". With more there are several ways to ask it:
one classifier of all M whose gradient is reversed (`disentangle.adversarial_loss`), one whose
answer the encoders push to uniform (`confusion_loss`), or one discriminator for each pair
(`pairwise_loss`).
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from discom.losses.disentangle import reverse_gradient

__all__ = ["ADVERSARIES", "confusion_loss", "pairwise_loss"]


def confusion_loss(embeddings: Mapping[str, Any], heads: Any, *, grl_lambda: float = 1.0) -> Tensor:
    r"""The classifier learns to tell modalities, the encoders to leave it in doubt.

    .. math:: L_{conf} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}), m)
              - \frac{\lambda}{M} \sum_m \sum_k \log
              \mathrm{softmax}_k(\mathrm{Cl}_{adv}^*(z_{inv}))

    sg stops the gradient before the encoders, and Cl_adv* is Cl_adv with its weights held fixed:
    the first sum trains the classifier alone, the second the encoders alone. A reversed gradient
    drives an encoder towards whatever the classifier takes for another modality; this one stops at
    even odds, and does not fade where the classifier is sure.

    Source: the domain confusion loss of Tzeng et al. (ICCV 2015), both of its steps in one.

    Args:
        embeddings: modality → an Embedding, its inv [B, D]; B may differ. Their order numbers the
        modalities.
        heads: `.adv` is linear, D → M.
        grl_lambda: weight λ of the encoders' sum, under the name that the reversal's strength has.

    Returns:
        A scalar ≥ λ·M·log M; (1 + λ)·M·log M where nothing tells the modalities apart.

    >>> import torch
    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.zeros(3, 2, 8)) for m in ("rgb", "depth", "thermal")}
    >>> heads = Heads(list(z), 8, 4)
    >>> _ = heads.adv.bias.data.zero_()
    >>> round(confusion_loss(z, heads).item(), 4)  # 2 · 3 · log 3
    6.5917
    """
    told = [F.cross_entropy(heads.adv(z.inv.detach()), z.inv.new_full((len(z.inv),), number).long())
            for number, z in enumerate(embeddings.values())]  # fmt: skip
    weight, bias = heads.adv.weight.detach(), heads.adv.bias.detach()
    doubted = [
        -F.linear(z.inv, weight, bias).log_softmax(1).mean() for z in embeddings.values()
    ]  # mean over B and M
    return sum(told) + grl_lambda * sum(doubted)


def pairwise_loss(embeddings: Mapping[str, Any], heads: Any, *, grl_lambda: float = 1.0) -> Tensor:
    r"""One discriminator for each pair of modalities.

    .. math:: L_{pair} = \frac{1}{M-1} \sum_{a<b}
              [\mathrm{CE}(\mathrm{Cl}_{ab}(\mathrm{GRL}(z^a_{inv})), 0) +
              \mathrm{CE}(\mathrm{Cl}_{ab}(\mathrm{GRL}(z^b_{inv})), 1)]

    Every modality is in M - 1 pairs, so each has the weight that it has in Eq. 3; with M = 2 this
    is Eq. 3.

    Source: ours.

    Args:
        embeddings: modality → an Embedding, its inv [B, D]; B may differ.
        heads: `.adv` maps the names "a-b" of two modalities, in the order of `embeddings`, to a
        linear layer D → 2.
        grl_lambda: strength λ of the gradient reversal.

    Returns:
        A scalar ≥ 0; M·log 2 where nothing tells the modalities apart.

    >>> import torch
    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.zeros(3, 2, 8)) for m in ("rgb", "depth", "thermal")}
    >>> heads = Heads(list(z), 8, 4, pairwise=True)
    >>> for head in heads.adv.values():
    ...     _ = head.bias.data.zero_()
    >>> round(pairwise_loss(z, heads).item(), 4)  # 3 · log 2
    2.0794
    """
    total = 0.0
    for pair in combinations(embeddings, 2):
        for number, name in enumerate(pair):
            logits = heads.adv["-".join(pair)](
                reverse_gradient(embeddings[name].inv, grl_lambda)
            )  # [B, 2]
            total = total + F.cross_entropy(logits, logits.new_full((len(logits),), number).long())
    return total / (len(embeddings) - 1)


# option `adversary` of DisCoM-KD → what stands in Eq. 3's place; None is Eq. 3 itself
ADVERSARIES: dict[str, Callable[..., Tensor] | None] = {
    "reversal": None,
    "confusion": confusion_loss,
    "pairwise": pairwise_loss,
}
