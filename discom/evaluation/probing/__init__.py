"""What an embedding holds: linear probes, disentanglement (SAP, MIG, DCI), and the likeness of two
embeddings (CKA).

Letters: N samples, D units of an embedding, K factors, M modalities. The same arguments give the
same numbers. Every function raises a DataError for NaN or infinity, shapes or lengths that do not
fit, a factor with one value, and a value too rare to be in every fold (of a probe) or in both
halves (of a score).
"""

from discom.evaluation.probing.linear import Probe, modality_probe, probe, probe_matrix
from discom.evaluation.probing.scores import cka, dci, dci_parts, mig, sap

__all__ = [
    "Probe",
    "cka",
    "dci",
    "dci_parts",
    "mig",
    "modality_probe",
    "probe",
    "probe_matrix",
    "sap",
]
