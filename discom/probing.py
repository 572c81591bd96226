"""`discom.evaluation.probing` under the name that scripts use."""

from discom.evaluation.probing import (
    Probe,
    cka,
    dci,
    dci_parts,
    mig,
    modality_probe,
    probe,
    probe_matrix,
    sap,
)

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
