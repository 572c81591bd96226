"""Methods by name; the order in which they are imported is the order of tables."""

# isort: off
from discom.methods.base import Method, build, get, label, names, register
from discom.methods.baselines import Student, Student2x, Teacher
from discom.methods.distilled import CTKD, DKD, MLKD, Distilled, KDv1, KDv2
from discom.methods.contrastive import NTXent, SimCLR
from discom.methods.disentangled import DisCoMKD, DisCoMSolo, MDiCo
from discom.methods.dense import DenseKDv2, DenseSelf, DenseSimCLR, DenseTeacher, KDNet, MasKD
from discom.methods.dense import ProtoKD, Single, Single2x
from discom.methods.crodino import CroDiNoKD

__all__ = ["CTKD", "DKD", "MLKD", "CroDiNoKD", "DenseKDv2", "DenseSelf", "DenseSimCLR"]
__all__ += [
    "DenseTeacher",
    "DisCoMKD",
    "DisCoMSolo",
    "Distilled",
    "KDNet",
    "KDv1",
    "KDv2",
    "MDiCo",
    "MasKD",
]
__all__ += ["Method", "NTXent", "ProtoKD", "SimCLR", "Single", "Single2x", "Student", "Student2x"]
__all__ += ["Teacher", "build", "get", "label", "names", "register"]
