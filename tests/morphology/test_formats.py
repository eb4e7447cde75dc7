"""NeuroM: the oracle for healthy files, and the reader of other formats."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Morphology
from rall.morphology.report import info


def neurites(tree):
    return ~np.isin(tree.sections.type, (1,))


@pytest.mark.parametrize("seed", range(6))
def test_healthy_files_have_neuroms_sections_lengths_and_areas(seed, random_tree, swc):
    neurom = pytest.importorskip("neurom")
    path = swc(random_tree(seed, samples=200))
    tree, oracle = Morphology.from_file(path).flatten(), neurom.load_morphology(str(path))
    chosen = neurites(tree)
    assert chosen.sum() == sum(len(n.sections) for n in oracle.neurites)
    lengths = sorted(s.length for n in oracle.neurites for s in n.sections)
    assert np.allclose(sorted(tree.sections.length[chosen]), lengths, rtol=1e-4)
    areas = np.bincount(tree.section, tree.area)[chosen]
    assert np.isclose(areas.sum(), sum(neurom.get("section_areas", oracle)), rtol=1e-4)
    volumes = np.bincount(tree.section, tree.volume)[chosen]
    assert np.isclose(volumes.sum(), sum(neurom.get("section_volumes", oracle)), rtol=1e-4)
    paths = sorted(neurom.get("section_path_distances", oracle))
    ends = sorted((tree.sections.distance + tree.sections.length)[chosen])
    assert np.allclose(ends, paths, rtol=1e-4)
    kinds = {n.type.value for n in oracle.neurites}
    assert kinds == set(tree.sections.type[chosen].tolist())


ASC = """
("CellBody" (Color Red) (CellBody)
 (5 0 0 0) (0 5 0 0) (-5 0 0 0) (0 -5 0 0))
((Color Cyan) (Dendrite)
 (6 0 0 2) (20 0 0 1.8)
 ( (40 5 0 1.4) (60 12 0 1) | (40 -5 0 1.2) (62 -11 0 0.8) ))
((Color Blue) (Axon) (-6 0 0 1) (-40 0 0 1))
"""


def test_asc_and_h5_give_the_same_cell(swc, tmp_path):
    morphio = pytest.importorskip("morphio")
    pytest.importorskip("neurom")
    asc = Morphology.from_file(swc(ASC, "cell.asc")).flatten()
    assert asc.sections.type.tolist() == [1, 3, 3, 3, 2]
    assert np.allclose(asc.sections.length[1], 14) and np.allclose(asc.area[0], 100 * np.pi)
    assert np.allclose(asc.diameters[1], [2, 1.8])
    morphio.mut.Morphology(str(tmp_path / "cell.asc")).write(str(tmp_path / "cell.h5"))
    h5 = Morphology.from_file(tmp_path / "cell.h5").flatten()
    assert np.allclose(h5.area, asc.area, rtol=1e-6) and h5.parent.tolist() == asc.parent.tolist()


def test_a_broken_asc_file_is_a_rall_error(swc):
    pytest.importorskip("neurom")
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(swc("(((", "cell.asc"))
    assert caught.value.code == "ParseError"
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(swc(b"\0\1\2", "cell.h5"))
    assert caught.value.code == "ParseError"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MorphologyError, match=r"none\.asc"):
        Morphology.from_file(tmp_path / "none.asc")


def test_without_neurom_the_message_says_what_to_install(swc, base, monkeypatch):
    monkeypatch.setitem(sys.modules, "neurom", None)
    with pytest.raises(MorphologyError, match=r"pip install 'rall\[morphology\]'"):
        Morphology.from_file(swc(ASC, "cell.asc"))
    m = Morphology.from_file(swc(base))
    with pytest.raises(MorphologyError, match=r"rall\[morphology\]"):
        info(m, True)
    assert "all" in str(m.info())
