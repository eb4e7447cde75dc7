"""Biophysical models of the Allen Cell Types Database as cells."""

from __future__ import annotations

from rall.plugins.allen.model import AllenModel, load_allen

__all__ = ["AllenModel", "load_allen"]
