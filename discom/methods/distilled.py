"""Students that learn from a trained teacher's logits: KDv1, KDv2, DKD, CTKD, MLKD, and each with
LSKD in front.

The teacher is a run of its own (`teacher`), trained before and frozen; its logits come with the
batch, as labels do. A student for every modality trains beside the others, nothing shared. B batch,
C classes.
"""

from collections.abc import Mapping
from functools import partialmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import multilevel
from discom.losses.distill import (
    CurriculumTemperature,
    check_temperature,
    curriculum_lambda,
    dkd_terms,
    kd,
    standardize,
)
from discom.losses.multilevel import check_combination
from discom.methods.base import register
from discom.methods.baselines import OneNetworkEach, Teacher, students_of

__all__ = ["CTKD", "DKD", "MLKD", "Distilled", "KDv1", "KDv2"]


class Distilled(OneNetworkEach):
    """The student network of `student`, taught by a teacher; a subclass says what is copied.

    Args:
        teacher: what the teacher reads: "all" modalities, and there is a student for each
            (multi-modal distillation); or one by name, and there is a student for every other
            (cross-modal distillation).
        weights: term → factor in the total.

    Raises:
        ConfigError: a teacher of a modality that the data lacks, or no modality left for a student.
    """

    taught = True
    teacher_method = Teacher
    paired = True
    standardized = False  # LSKD: both networks' logits are standardised before they are compared

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", weights: Mapping[str, float] = {}
    ):
        super().__init__(students_of(teacher, channels), classes, encoder, weights=weights)
        self.reads = list(channels) if teacher == "all" else [teacher]

    def loss(self, batch):
        totals = dict.fromkeys(self.terms, 0.0)
        for name in self.deployed:
            views = [
                self.predict(name, seen.x[name]).float() for seen in (batch, batch.strong) if seen
            ]
            with torch.autocast(
                views[0].device.type, enabled=False
            ):  # differences of probabilities need their digits
                for term, value in self.distil(name, batch, *views).items():
                    totals[term] = totals[term] + value
        return totals

    def distil(
        self, modality: str, batch: Batch, logits: Tensor, strong_logits: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The named, unweighted terms of one student: its logits [B, C] for the batch and, where
        the method asks for strong views, for those; `batch.soft` and `batch.strong.soft` are the
        teacher's."""
        raise TypeError(f"{type(self).__name__} must define distil(modality, batch, logits)")

    def compared(self, logits: Tensor) -> Tensor:
        """The logits as the distillation term sees them."""
        return standardize(logits) if self.standardized else logits


class _KD(Distilled):
    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", temperature: float = 4.0,
        weights: Mapping[str, float] = {},
    ):  # fmt: skip
        check_temperature(temperature)
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        self.temperature = temperature

    def distil(self, modality, batch, logits):
        return {
            "cl": F.cross_entropy(logits, batch.y[modality]),
            "kd": kd(self.compared(logits), self.compared(batch.soft), self.temperature),
        }


@register("kdv1")
class KDv1(_KD):
    """α·CE + (1 - α)·T²·KL with α = 0 and T = 4 (DisCoM-KD, Eq. 1): the teacher alone, no label."""

    terms = {"cl": 0.0, "kd": 1.0}


@register("kdv2")
class KDv2(_KD):
    """α·CE + (1 - α)·T²·KL with α = ½ and T = 4 (DisCoM-KD, Eq. 1)."""

    terms = {"cl": 0.5, "kd": 0.5}


@register("dkd")
class DKD(Distilled):
    """CE + min(epoch / 20, 1)·(TCKD + 8·NCKD), T = 4 (Zhao et al., CVPR 2022).

    Args:
        temperature: T > 0.
        warmup: epochs over which the distillation comes in.
        first_epoch: the number of the first epoch; 1 in the official code, 0 in the DisCoM-KD
            authors'.
    """

    terms = {"cl": 1.0, "tckd": 1.0, "nckd": 8.0}
    published = {"first_epoch": 0}

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", temperature: float = 4.0, warmup: int = 20,
        first_epoch: int = 1, weights: Mapping[str, float] = {},
    ):  # fmt: skip
        check_temperature(temperature)
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        if warmup < 1:
            raise ConfigError(
                f"warmup: {warmup} epochs; use 1 for none to speak of, 20 as in the paper"
            )
        self.temperature, self.warmup, self.first_epoch = temperature, warmup, first_epoch

    def distil(self, modality, batch, logits):
        terms = dkd_terms(
            self.compared(logits), self.compared(batch.soft), batch.y[modality], self.temperature
        )
        share = min((batch.epoch + self.first_epoch) / self.warmup, 1.0)
        return {
            "cl": F.cross_entropy(logits, batch.y[modality]),
            "tckd": share * terms[0],
            "nckd": share * terms[1],
        }


@register("ctkd")
class CTKD(Distilled):
    """.1·CE + .9·T²·KL with a temperature that is learned against the student (Li et al., AAAI
    2023).

    Args:
        loops: epochs until the temperature's reversed gradient has its full size.
        first_epoch: the number of the first epoch; 1 in the official code, 0 in the DisCoM-KD
            authors'.
    """

    terms = {"cl": 0.1, "kd": 0.9}
    published = {"loops": 5, "first_epoch": 0}

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", loops: int = 10, first_epoch: int = 1,
        weights: Mapping[str, float] = {},
    ):  # fmt: skip
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        curriculum_lambda(0, loops)  # refuses what cannot be a number of epochs
        self.temperatures = nn.ModuleDict({name: CurriculumTemperature() for name in self.deployed})
        self.loops, self.first_epoch = loops, first_epoch

    def distil(self, modality, batch, logits):
        temperature = self.temperatures[modality](
            curriculum_lambda(batch.epoch + self.first_epoch, self.loops)
        )
        return {
            "cl": F.cross_entropy(logits, batch.y[modality]),
            "kd": kd(self.compared(logits), self.compared(batch.soft), temperature),
        }


@register("mlkd")
class MLKD(Distilled):
    """.1·CE on two views + .9·(instance + batch + classes) at five temperatures (Jin et al., CVPR
    2023).

    Args:
        temperature: the first of the five; the others are 3, 5, 2 and 6.
        combination: how temperatures and views add up: "official" is what the official code
            computes, "all-terms" its terms without the code's oddities, "discom-paper" what the
            DisCoM-KD authors ran (one view, swapped KL; its temperatures are 2 to 6 whatever
            `temperature` says). See `losses.multilevel`.
    """

    terms = {"cl": 0.1, "instance": 0.9, "batch": 0.9, "classes": 0.9}
    published = {"combination": "discom-paper", "weights": dict.fromkeys(terms, 1.0)}

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", temperature: float = 4.0,
        combination: str = "official", weights: Mapping[str, float] = {},
    ):  # fmt: skip
        check_temperature(temperature)
        check_combination(combination)
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        self.temperatures, self.combination = (temperature, 3.0, 5.0, 2.0, 6.0), combination
        self.strong_view = combination != "discom-paper"

    def distil(self, modality, batch, logits, strong_logits=None):
        task, weak = (
            F.cross_entropy(logits, batch.y[modality]),
            (logits, batch.soft),
        )
        if not self.strong_view:
            return {"cl": task, **multilevel.discom_paper(weak, standardized=self.standardized)}
        combine = multilevel.official if self.combination == "official" else multilevel.all_terms
        views = weak, (strong_logits, batch.strong.soft)
        return {
            "cl": task + F.cross_entropy(strong_logits, batch.y[modality]),
            **combine(*views, self.temperatures, self.standardized),
        }


# LSKD: standardised logits, T = 2, a weight of 9 on what is copied and 0.1 on the labels (Sun et
# al. 2024; its code multiplies DKD's two weights by 9 and keeps its cross-entropy). KDv1 still has
# no label. The DisCoM-KD authors standardised too, and left temperatures and weights as they were.
for _method, _terms in (
    (KDv1, {"cl": 0.0, "kd": 9.0}),
    (KDv2, {"cl": 0.1, "kd": 9.0}),
    (DKD, {"cl": 1.0, "tckd": 9.0, "nckd": 72.0}),
    (CTKD, {"cl": 0.1, "kd": 9.0}),
    (MLKD, {"cl": 0.1, "instance": 9.0, "batch": 9.0, "classes": 9.0}),
):
    _cooler = {} if _method is CTKD else {"temperature": 2.0}
    _warmer = {} if _method in (CTKD, MLKD) else {"temperature": 4.0}
    _body = {
        "__doc__": f"{_method.__name__} on standardised logits, with LSKD's temperature and weights.",
        "__init__": partialmethod(_method.__init__, **_cooler),
        "standardized": True,
        "terms": _terms,
        "published": {**_warmer, "weights": _method.terms, **_method.published},
    }
    register(f"{_method.name}+lskd")(type(f"{_method.__name__}LSKD", (_method,), _body))
