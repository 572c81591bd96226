"""Methods by name; the order in which they are imported is the order of tables."""
# ruff: noqa: F401, I001

from discom.methods.base import Method, build, get, label, lacks_labels, names, register
from discom.methods.baselines import Student, Student2x, Teacher
from discom.methods.semi_supervised import AgreedLabels, DeCUR, FixMatch, NTXent, SimCLR
from discom.methods.distilled import CTKD, DKD, MLKD, Distilled, KDv1, KDv2
from discom.methods.disentangled import DisCoMKD, DisCoMSolo, MDiCo
from discom.methods.dense import DenseKDv2, DenseSelf, DenseSimCLR, DenseTeacher, KDNet, MasKD
from discom.methods.dense import ProtoKD, Single, Single2x
from discom.methods.crodino import CroDiNoKD
from discom.methods.code import code
