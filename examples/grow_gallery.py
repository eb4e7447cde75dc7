"""Cells that rall grows: one of each kind, drawn by region and measured.  Writes pyramidal.png and so on."""

from rall import *

for kind in ('pyramidal', 'purkinje', 'granule'):
    morpho = Morphology.grow(kind, seed=3)
    print(kind)
    print(morpho.info())
    view3d(morpho).screenshot(f'{kind}.png')
    morpho.save(f'{kind}.swc')
