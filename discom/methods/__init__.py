"""Methods by name: what a table's rows are."""

from discom.methods.base import Method, build, get, names, register
from discom.methods.baselines import Student, Student2x, Teacher
from discom.methods.distilled import CTKD, DKD, MLKD, Distilled, KDv1, KDv2

# isort: split
# last, because the order of imports is the order of tables
from discom.methods.disentangled import DisCoMKD, DisCoMSolo

__all__ = [
    "CTKD",
    "DKD",
    "MLKD",
    "DisCoMKD",
    "DisCoMSolo",
    "Distilled",
    "KDv1",
    "KDv2",
    "Method",
    "Student",
    "Student2x",
    "Teacher",
    "build",
    "get",
    "names",
    "register",
]
