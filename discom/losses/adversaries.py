"""What may take Eq. 3's place: the confusion loss, and the two sides of an adversary that takes
steps of its own.

All take modality → an Embedding, whose inv is [B, D] and whose B may differ. M modalities.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from discom.losses import full_precision


def confusion_loss(embeddings: Mapping[str, Any], heads: Any, *, grl_lambda: float = 1.0) -> Tensor:
    r"""The classifier learns to tell modalities apart, the encoders to make its answer uniform.

    .. math:: L_{conf} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}), m)
              - \frac{\lambda}{M} \sum_m \sum_k \log
              \mathrm{softmax}_k(\mathrm{Cl}_{adv}^*(z_{inv}))

    sg stops the gradient before the encoders, and Cl_adv* is the linear layer `heads.adv` (D → M)
    with frozen weights: the first sum trains the classifier alone, the second the encoders alone.
    The value is (1 + λ)·M·log M where nothing tells the modalities apart.

    Source: the domain confusion loss of Tzeng et al. (ICCV 2015), both of its steps in one.

    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.zeros(3, 2, 8)) for m in ("rgb", "depth", "thermal")}
    >>> heads = Heads(list(z), 8, 4)
    >>> _ = heads.adv.bias.data.zero_()
    >>> round(confusion_loss(z, heads).item(), 4)  # 2 · 3 · log 3
    6.5917
    """
    weight, bias = heads.adv.weight.detach(), heads.adv.bias.detach()
    losses = []
    for number, z in enumerate(embeddings.values()):
        logits = heads.adv(z.inv.detach())  # [B, M]
        labels = torch.full((len(logits),), number, device=logits.device)
        doubt = -F.linear(z.inv, weight, bias).log_softmax(1).mean()  # over B and M
        losses.append(F.cross_entropy(logits, labels) + grl_lambda * doubt)
    return torch.stack(losses).sum()


def discriminator_loss(embeddings: Mapping[str, Any], heads: Any) -> Tensor:
    r"""The classifier's side of the alternating adversary: it learns to tell modalities apart.

    .. math:: L_{disc} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}), m)

    sg stops the gradient before the encoders. Cl_adv is `heads.adv`, any network D → M. The value
    is M·log M where nothing tells the modalities apart. All is computed in float32 at least.

    Source: Goodfellow et al. (NeurIPS 2014), Algorithm 1, where the discriminator takes several
    steps before each step of the other network; here it is the classifier of Eq. 3.

    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.zeros(3, 2, 8)) for m in ("rgb", "depth")}
    >>> heads = Heads(list(z), 8, 4)
    >>> _ = heads.adv.bias.data.zero_()
    >>> round(discriminator_loss(z, heads).item(), 4)  # 2 · log 2
    1.3863
    """
    return _told_apart([z.inv.detach() for z in embeddings.values()], heads.adv)


def minimax_loss(embeddings: Mapping[str, Any], heads: Any, *, grl_lambda: float = 1.0) -> Tensor:
    r"""The encoders' side of the alternating adversary: they raise the classifier's cross-entropy.

    .. math:: L_{adv} = -\lambda \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}^*(z_{inv}), m)

    Cl_adv* is `heads.adv` with frozen weights, so that the encoders alone learn. The value is
    negative: near 0 while the classifier tells the modalities apart, -λ·M·log M where it cannot.
    All is computed in float32 at least.

    Source: Goodfellow et al. (NeurIPS 2014), the minimax form, with the classifier of Eq. 3.

    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.zeros(3, 2, 8)) for m in ("rgb", "depth")}
    >>> heads = Heads(list(z), 8, 4)
    >>> _ = heads.adv.bias.data.zero_()
    >>> round(minimax_loss(z, heads).item(), 4)  # -2 · log 2
    -1.3863
    """
    weights = {name: weight.detach() for name, weight in heads.adv.named_parameters()}
    frozen = partial(functional_call, heads.adv, weights)
    return -grl_lambda * _told_apart([z.inv for z in embeddings.values()], frozen)


def _told_apart(invariant: list[Tensor], head: Callable[[Tensor], Tensor]) -> Tensor:
    """Σ_m CE(head(z), m), the order of the parts [B, D] being that of the modalities."""
    losses = []
    with torch.autocast(invariant[0].device.type, enabled=False):
        for number, z in enumerate(invariant):
            logits = head(full_precision(z))  # [B, M]
            labels = torch.full((len(logits),), number, device=logits.device)
            losses.append(F.cross_entropy(logits, labels))
    return torch.stack(losses).sum()
