"""MDiCo: DisCoM-KD's branches and heads, with a contrast of pairs."""

from discom.discom_kd import (
    Disentangled,
    apply,
    auxiliary_loss,
    class_logits,
    modality_loss,
    task_loss,
)
from discom.losses.contrastive import contrastive_loss


class MDiCo(Disentangled, name="mdico"):
    """MDiCo (Mena et al., Machine Learning 2025): DisCoM-KD's branches and heads, with a contrast
    of pairs in the place of adversary and L_⊥.

    L = mean_m CE(Cl_m) + mean_m ½ Σ_{inv, inf} CE(Cl_aux) + L_con + mean_m ½ Σ_{inf, irr} CE(Cl_m)

    In the released code the second head of the modality reads z_inv in the place of z_irr.
    """

    terms = dict.fromkeys(("cl", "aux", "mod", "contrast"), 1.0)
    unlabelled = ("mod", "contrast")
    single_sensor_control = "discom-solo"
    paired = True

    def loss(self, batch):
        (inv, inf, irr), heads, count = self.parts(batch.x), self.model.heads, len(batch.x)
        labels = batch.y, "paper", self.class_weights
        cl = task_loss(class_logits(heads, inv, inf), *labels)
        aux = auxiliary_loss(apply(heads.aux, inv), apply(heads.aux, inf), *labels)
        mod = modality_loss(apply(heads.mod_inf, inf), apply(heads.mod_irr, irr))
        both, contrast = 2 * count, contrastive_loss(inv)  # aux and mod are of two parts
        return {"cl": cl / count, "aux": aux / both, "mod": mod / both, "contrast": contrast}
