"""Morphologies: read, grown or made by hand; cut into compartments; flattened for solvers."""

from __future__ import annotations

from rall.morphology.findings import Finding
from rall.morphology.graph import ConductanceGraph
from rall.morphology.morphology import Morphology
from rall.morphology.places import Place, Selection
from rall.morphology.shapes import Cylinder, Section, Soma
from rall.morphology.tree import Polyline, Sections, Tree

__all__ = [
    "ConductanceGraph", "Cylinder", "Finding", "Morphology", "Place", "Polyline", "Section", "Sections",
    "Selection", "Soma", "Tree",
]  # fmt: skip
