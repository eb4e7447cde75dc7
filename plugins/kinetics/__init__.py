"""Reactions: lines such as ``A + B <-> C : k_on, k_off`` beside the other equations."""

from __future__ import annotations

from rall.plugins.kinetics.conserved import conserved
from rall.plugins.kinetics.reactions import ReactionKind
from rall.plugins.kinetics.species import SPECIES, SpeciesKind

__all__ = ["SPECIES", "ReactionKind", "SpeciesKind", "conserved"]
