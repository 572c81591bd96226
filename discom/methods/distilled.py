"""Students that learn from a teacher's logits: KDv1, KDv2, DKD, CTKD, MLKD, and each with LSKD.

The teacher is a run of its own, trained before and frozen; its logits come with the batch, as
labels do. A student for every modality trains beside the others, nothing shared. B batch, C
classes.
"""

from typing import Literal

import torch
from pydantic import PositiveFloat
from torch import nn

from discom.data.batches import Batch
from discom.losses import distill
from discom.losses.distill import kd
from discom.methods.baselines import Taught, Teacher
from discom.methods.returned import as_terms

PAPER_EPOCHS = 300  # of the paper's protocol: curricula are shares of a run of that length
REVERSED = 10  # of these epochs, until the gradient of CTKD's temperature has its full size


class Distilled(Taught):
    """The network of `student`, taught by a teacher's logits: a subclass defines `distil(modality,
    batch, view)`, one student's terms beside `cl`. A view is a pair of logits [B, C], the student's
    and the teacher's; of a second, strong view of the batch there is another pair."""

    teacher_method = Teacher
    paired = True
    standardized = False  # LSKD: both networks' logits are standardised before they are compared

    def loss_of(self, modality, batch):
        batches = [batch] if batch.strong is None else [batch, batch.strong]
        logits = [self.predict(modality, view.x[modality]).float() for view in batches]
        # differences of probabilities need their digits
        with torch.autocast(logits[0].device.type, enabled=False):
            cl = sum(self.cross_entropy(z, batch.y[modality]) for z in logits)
            views = [(z, view.teacher_output) for z, view in zip(logits, batches, strict=True)]
            copied = as_terms(f"{self.name}.distil", self.distil(modality, batch, *views))
            return {"cl": cl, **copied}

    def compared(self, view: distill.View) -> distill.View:
        """The logits of both networks as the distillation term sees them."""
        student, teacher = view
        if self.standardized:
            return distill.standardize(student), distill.standardize(teacher)
        return student, teacher


class _AtTemperature(Distilled):
    def __init__(self, *parts, temperature: PositiveFloat = 4.0, **options):
        super().__init__(*parts, **options)
        self.temperature = temperature


class KDv1(_AtTemperature, name="kdv1"):
    """α·CE + (1 - α)·T²·KL with α = 0 and T = 4 (DisCoM-KD, Eq. 1): the teacher alone, no label."""

    terms = {"cl": 0.0, "kd": 1.0}
    unlabelled = ("kd",)

    def distil(self, modality, batch, view):
        return {"kd": kd(*self.compared(view), self.temperature)}


class KDv2(KDv1, name="kdv2"):
    """α·CE + (1 - α)·T²·KL with α = ½ and T = 4 (DisCoM-KD, Eq. 1)."""

    terms = {"cl": 0.5, "kd": 0.5}


def _elapsed(batch: Batch) -> float:
    """The share of the run that is over, on the official codes' axis: epochs 1 to 300 (the
    DisCoM-KD authors count from 0)."""
    return batch.progress + 1 / PAPER_EPOCHS


class DKD(_AtTemperature, name="dkd"):
    """CE + min(15·p, 1)·(TCKD + 8·NCKD) at progress p, T = 4 (Zhao et al., CVPR 2022): the
    distillation comes in over the paper's 20 of 300 epochs."""

    terms = {"cl": 1.0, "tckd": 1.0, "nckd": 8.0}
    every_label = True

    def distil(self, modality, batch, view):
        pair, labels = self.compared(view), batch.y[modality]
        tckd, nckd = distill.dkd_terms(*pair, labels, self.temperature)
        share = min(_elapsed(batch) / (20 / PAPER_EPOCHS), 1.0)
        return {"tckd": share * tckd, "nckd": share * nckd}


class CTKD(Distilled, name="ctkd"):
    """.1·CE + .9·T²·KL with a temperature learned against the student (Li et al., AAAI 2023)."""

    terms = {"cl": 0.1, "kd": 0.9}
    unlabelled = ("kd",)
    undecayed = ("theta",)  # of the temperature, which decay would draw to its middle

    def __init__(self, *parts, **options):
        super().__init__(*parts, **options)
        learned = {name: distill.CurriculumTemperature() for name in self.deployed}
        self.temperatures = nn.ModuleDict(learned)

    def distil(self, modality, batch, view):
        lambda_ = distill.curriculum_lambda(_elapsed(batch), REVERSED / PAPER_EPOCHS)
        return {"kd": kd(*self.compared(view), self.temperatures[modality](lambda_))}


class MLKD(_AtTemperature, name="mlkd"):
    """.1·CE on two views + .9·(instance + batch + classes), five T (Jin et al., CVPR 2023).

    The term `classes` is divided by (B / C)², with which it grows: its official weight was chosen
    at batch 64 for 100 classes.

    Args:
        temperature: the first of the five; the others are 3, 5, 2 and 6.
        class_term: "scaled" divides the term `classes`, "official" does not.
    """

    terms = {"cl": 0.1, "instance": 0.9, "batch": 0.9, "classes": 0.9}
    unlabelled = ("instance", "batch", "classes")

    needs_strong_view = True

    def __init__(self, *parts, class_term: Literal["scaled", "official"] = "scaled", **options):
        super().__init__(*parts, **options)
        self.class_term = class_term

    def distil(self, modality, batch, weak, strong):
        terms = distill.mlkd_official(weak, strong, self.temperature, self.standardized)
        if self.class_term == "official":
            return terms
        samples, classes = weak[0].shape
        return terms | {"classes": terms["classes"] / (samples / classes) ** 2}


class LSKD(_AtTemperature):
    """LSKD (Sun et al. 2024) before a method: standardised logits, T = 2, a weight of 9 on what is
    copied and .1 on the labels; its code multiplies DKD's two weights by 9 and keeps DKD's
    cross-entropy. KDv1 still has no label. The DisCoM-KD authors standardised too, but left
    temperatures and weights as they were."""

    standardized = True
    least_classes = 3  # of two, standardised logits are ±.7 whatever the network says

    def __init__(self, *parts, temperature: PositiveFloat = 2.0, **options):
        super().__init__(*parts, temperature=temperature, **options)


class KDv1LSKD(LSKD, KDv1, name="kdv1+lskd"):
    """`kdv1` with LSKD."""

    terms = {"cl": 0.0, "kd": 9.0}


class KDv2LSKD(LSKD, KDv2, name="kdv2+lskd"):
    """`kdv2` with LSKD."""

    terms = {"cl": 0.1, "kd": 9.0}


class DKDLSKD(LSKD, DKD, name="dkd+lskd"):
    """`dkd` with LSKD."""

    terms = {"cl": 1.0, "tckd": 9.0, "nckd": 72.0}


class CTKDLSKD(CTKD, name="ctkd+lskd"):
    """`ctkd` with LSKD, whose temperature is learned."""

    terms = {"cl": 0.1, "kd": 9.0}
    standardized = True
    least_classes = 3


class MLKDLSKD(LSKD, MLKD, name="mlkd+lskd"):
    """`mlkd` with LSKD."""

    terms = {"cl": 0.1, "instance": 9.0, "batch": 9.0, "classes": 9.0}
