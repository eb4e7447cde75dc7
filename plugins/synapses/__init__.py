"""Synapses: which pairs of elements they join, and what travels over them."""
