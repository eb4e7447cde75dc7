"""Looking at cells and recordings: `view3d` for pictures of a tree, `plot` for traces."""

from __future__ import annotations

from rall.plugins.viewer.base import AbstractViewer, Drawing, Scene, Text
from rall.plugins.viewer.matplotlib import plot, plot_traces
from rall.plugins.viewer.view import View, view3d

__all__ = ["AbstractViewer", "Drawing", "Scene", "Text", "View", "plot", "plot_traces", "view3d"]
