"""What is saved reads as the same sections."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.units import um


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Morphology.from_file(path, **options)


def same(a, b):
    for name in ("section", "parent", "area", "volume", "xyz", "r_axial_near", "r_axial_far", "type"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert np.array_equal(a.polyline.id, b.polyline.id)


@pytest.mark.parametrize("soma", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_files_come_back_exactly(seed, soma, random_tree, swc, tmp_path):
    m = read(swc(random_tree(seed, soma=soma)))
    m.save(tmp_path / "again.swc")
    same(m.flatten(), read(tmp_path / "again.swc").flatten())


@pytest.mark.parametrize(
    "name",
    [
        "ca1_n120",
        "fly_ct12t2_nosoma",
        "granule_gc2",
        "l5_allen_515570710",
        "l5pc_bbp_axon",
        "pyramidal_nmo49821",
    ],
)
def test_real_cells_come_back_exactly(name, shared, tmp_path):
    m = read(shared / "morphologies" / f"{name}.swc")
    m.save(tmp_path / "again.swc")
    same(m.flatten(), read(tmp_path / "again.swc").flatten())


def test_a_soma_read_as_a_cylinder_is_written_as_its_sample(base, swc, tmp_path):
    m = Morphology.from_file(swc(base), soma="cylinder")
    m.save(tmp_path / "again.swc")
    same(m.flatten(), Morphology.from_file(tmp_path / "again.swc", soma="cylinder").flatten())
    assert (tmp_path / "again.swc").read_text().count("\n") == len(base.splitlines()) + 2


def test_cells_made_by_hand_come_back(tmp_path):
    m = Soma(diameter=20 * um)
    m.dend = Section(diameter=[4, 3, 2] * um, n=2, length=[10, 20] * um)
    m.dend.L = Cylinder(diameter=1 * um, length=20 * um, n=2)
    m.dend.R = Cylinder(diameter=2 * um, length=30 * um, n=3)
    m.axon = Cylinder(diameter=1 * um, length=50 * um)
    with pytest.raises(MorphologyError, match="generate_coordinates"):
        m.save(tmp_path / "cell.swc")
    m.generate_coordinates()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m.save(tmp_path / "cell.swc")
        again = Morphology.from_file(tmp_path / "cell.swc").flatten()
    tree = m.flatten()
    assert again.sections.parent.tolist() == tree.sections.parent.tolist()
    assert np.allclose(again.sections.length, tree.sections.length)
    assert np.isclose(again.volume.sum(), tree.volume.sum())
    # A child thinner than its parent's end starts with a step in diameter, whose ring has some area.
    steps = np.pi * (1 - 0.25)
    assert np.isclose(again.area.sum(), tree.area.sum() + steps)


def test_samples_are_numbered_anew_where_ids_are_missing(base, swc, tmp_path):
    m = Morphology.from_file(swc(base))
    m.attach(m.sample(9), Section(diameter=[1, 1] * um, x=[0, -20] * um))
    m.save(tmp_path / "longer.swc")
    again = read(tmp_path / "longer.swc")
    assert sorted(again.flatten().polyline.id.tolist())[-1] == 10
    assert np.isclose(again.flatten().total_length(), m.flatten().total_length())


def test_a_failed_save_leaves_the_old_file(base, swc, tmp_path, monkeypatch):
    m = Morphology.from_file(swc(base))
    target = tmp_path / "kept.swc"
    target.write_text("precious")

    def full(*args):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(MorphologyError, match="no space left"):
        m.save(target)
    assert target.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cell.swc", "kept.swc"]


def test_a_folder_that_is_not_there(base, swc, tmp_path):
    with pytest.raises(MorphologyError, match="cannot be written") as caught:
        Morphology.from_file(swc(base)).save(tmp_path / "none" / "x.swc")
    assert caught.value.code == "NoFile"
