"""Reactions: lines such as ``A + B <-> C : k_on, k_off`` beside the other equations."""
