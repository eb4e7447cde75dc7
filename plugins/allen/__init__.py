"""Biophysical models of the Allen Cell Types Database as cells."""
