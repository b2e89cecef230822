"""Admission: a decision about a request, asked for before anything is opened and renewed while long work runs."""

from xinglin.admission.stores import Progress, Stores

__all__ = ["Progress", "Stores"]
