"""Methods by name: what a table's rows are."""

from discom.methods.base import Method, build, get, label, names, register
from discom.methods.baselines import Student, Student2x, Teacher
from discom.methods.distilled import CTKD, DKD, MLKD, Distilled, KDv1, KDv2

# isort: split
# last, because the order of imports is the order of tables
from discom.methods.disentangled import DisCoMKD, DisCoMSolo

# isort: split
from discom.methods.dense import (
    CWD,
    MGD,
    DenseKDv2,
    DenseTeacher,
    KDNet,
    MasKD,
    ProtoKD,
    Single,
    Single2x,
)

# isort: split
from discom.methods.crodino import CroDiNoKD

__all__ = [
    "CTKD",
    "CWD",
    "DKD",
    "MGD",
    "MLKD",
    "CroDiNoKD",
    "DenseKDv2",
    "DenseTeacher",
    "DisCoMKD",
    "DisCoMSolo",
    "Distilled",
    "KDNet",
    "KDv1",
    "KDv2",
    "MasKD",
    "Method",
    "ProtoKD",
    "Single",
    "Single2x",
    "Student",
    "Student2x",
    "Teacher",
    "build",
    "get",
    "label",
    "names",
    "register",
]
