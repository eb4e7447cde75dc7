"""Samples to sections: each clause of the geometry rule by hand, real cells against the kit's numbers."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest

from rall.morphology import Morphology
from rall.units import um

SPHERE = "1 1 0 0 0 5 -1\n"
THREE_POINT = "1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n"


def cone(r1, r2, length):
    return math.pi * (r1 + r2) * math.hypot(length, r1 - r2)


def area(tree, section):
    return float(tree.area[tree.section == section].sum())


@pytest.fixture
def load(swc):
    def read(text, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Morphology.from_file(swc(text), **options).flatten()

    return read


@pytest.mark.parametrize("soma", [SPHERE, THREE_POINT, "1 1 0 0 0 5 -1\n2 1 0 0 0 5 1\n"])
def test_a_soma_of_one_or_three_samples_is_a_sphere(soma, load):
    tree = load(soma + "4 3 6 0 0 1 1\n5 3 16 0 0 2 4\n")
    assert tree.sections.sphere.tolist() == [True, False]
    assert tree.sections.attach[1] == 0.5
    assert np.isclose(tree.area[0], 100 * math.pi) and np.isclose(tree.volume[0], 4 / 3 * math.pi * 125)
    assert tree.r_axial_near[0] == tree.r_axial_far[0] == 0
    # The neurite starts at its first sample: no link.
    assert tree.length[1] == 10 and np.isclose(tree.area[1], cone(1, 2, 10))
    assert tree.distance.tolist() == [0, 5]
    assert np.isclose(tree.r_axial_near[1] + tree.r_axial_far[1], 10 / (math.pi * 1 * 2))


@pytest.mark.parametrize("away", [4.8, 5.25])
def test_three_points_may_be_a_little_off(away, load):
    text = f"1 1 0 0 0 5 -1\n2 1 0 {-away} 0 5 1\n3 1 0 {away} 0 5 1\n"
    assert load(text).sections.sphere.tolist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "1 1 0 0 0 5 -1\n2 1 0 -7 0 5 1\n3 1 0 7 0 5 1\n",  # too far
        "1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 2\n",  # a chain
        "1 1 0 0 0 5 -1\n2 1 0 5 0 5 1\n",  # two samples
    ],
)
def test_other_somata_are_cable(text, load):
    tree = load(text)
    assert not tree.sections.sphere.any() and (tree.sections.type == 1).all()
    assert tree.total_length() > 0


def test_a_cable_soma_is_cut_where_a_neurite_leaves_and_the_link_is_a_cylinder(load):
    tree = load("1 1 0 0 0 5 -1\n2 1 0 10 0 4 1\n3 1 0 20 0 3 2\n4 3 8 10 0 1 2\n5 3 18 10 0 2 4\n")
    # 1-2 soma, 2-3 soma, neurite with its link from the middle sample
    assert tree.sections.type.tolist() == [1, 1, 3]
    assert tree.sections.parent.tolist() == [-1, 0, 0]
    assert tree.sections.attach[1:].tolist() == [1, 1]
    assert tree.sections.length.tolist() == [10, 10, 18]
    assert np.isclose(area(tree, 2), 2 * math.pi * 8 + cone(1, 2, 10))


def test_what_leaves_the_root_sample_of_a_cable_soma_hangs_on_its_start(load):
    tree = load("1 1 0 0 0 5 -1\n2 3 -8 0 0 1 1\n3 3 -18 0 0 1 2\n4 1 0 10 0 4 1\n5 3 0 30 0 1 4\n")
    # The soma comes first although its sample has the larger id.
    assert tree.sections.type.tolist() == [1, 3, 3]
    assert dict(zip(tree.sections.length.tolist(), tree.sections.attach.tolist()))[18.0] == 0.0
    assert tree.parent[tree.sections.first[2]] == 0
    assert tree.distance[tree.sections.first[2]] == 4.0


def test_a_neurite_of_one_sample_is_a_cylinder_from_the_soma(load):
    tree = load(SPHERE + "2 3 8 0 0 1 1\n")
    assert tree.sections.length.tolist() == [10, 8]
    assert np.isclose(tree.area[1], 2 * math.pi * 8) and tree.paths[1].ids.tolist() == [1, 2]


def test_a_single_sample_that_only_carries_a_branch_point_is_no_cable(load):
    tree = load(SPHERE + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n4 3 8 10 0 1 2\n")
    assert tree.sections.length.tolist() == [10, 10, 10]
    assert tree.sections.parent.tolist() == [-1, 0, 0] and tree.sections.attach[1:].tolist() == [0.5, 0.5]
    assert tree.sample_place(2) == (1, 0.0)


def test_children_start_with_the_branch_points_radius(load):
    tree = load(SPHERE + "2 3 6 0 0 3 1\n3 3 16 0 0 2 2\n4 3 26 0 0 1 3\n5 3 16 10 0 1 3\n")
    assert np.isclose(area(tree, 2), cone(2, 1, 10)) and np.isclose(area(tree, 3), cone(2, 1, 10))


def test_sections_end_where_the_type_changes(load):
    tree = load(SPHERE + "2 2 6 0 0 1 1\n3 2 30 0 0 1 2\n4 3 60 0 0 1 3\n5 3 90 0 0 1 4\n")
    assert tree.sections.type.tolist() == [1, 2, 3] and tree.sections.length[1:].tolist() == [24, 60]
    # No branch point lies between them.
    assert tree.sections.branch_order.tolist() == [0, 1, 1]


def test_a_step_without_length_changes_the_diameter_only(load):
    tree = load(SPHERE + "2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 16 0 0 2 3\n5 3 26 0 0 2 4\n")
    assert tree.n == 3 and tree.length[1:].tolist() == [10, 10]
    ring = math.pi * (2**2 - 1**2)
    assert np.isclose(tree.area[1], 20 * math.pi) and np.isclose(tree.area[2], 40 * math.pi + ring)
    assert tree.diameters[1:].tolist() == [[2, 2], [4, 4]]


def test_sections_without_length_leave_their_samples_and_children_to_their_parent(load):
    text = (
        SPHERE
        + "2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 16 0 0 1 3\n5 3 16 10 0 1 3\n6 3 26 0 0 1 4\n7 3 30 9 0 1 4\n"
    )
    tree = load(text)
    assert tree.sections.length.tolist() == [10, 10, 10, math.hypot(14, 9), 10]
    assert tree.sections.parent.tolist() == [-1, 0, 1, 1, 1]
    # A tip on top of its branch point: the same place.
    tip = load(SPHERE + "2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 16 0 0 1 3\n5 3 16 10 0 1 3\n")
    assert tip.sample_place(4) == tip.sample_place(3) == (1, 10.0)


def test_a_tree_without_soma_starts_with_its_first_section(load):
    tree = load("1 2 0 0 0 1 -1\n2 2 10 0 0 1 1\n3 2 0 20 0 1 1\n4 2 0 0 30 1 1\n")
    assert tree.sections.parent.tolist() == [-1, 0, 0] and tree.sections.attach[1:].tolist() == [0, 0]
    assert tree.distance.tolist() == [5, 10, 15] and tree.parent.tolist() == [-1, 0, 0]


def test_a_root_section_without_length_is_skipped(load):
    tree = load("1 2 0 0 0 1 -1\n2 2 0 0 0 1 1\n3 2 10 0 0 1 2\n4 2 0 20 0 1 2\n5 2 0 0 5 1 1\n")
    assert tree.sections.length.tolist() == [10, 20, 5] and tree.sections.attach[1:].tolist() == [0, 0]


def test_soma_cylinder(load):
    tree = load(SPHERE + "2 3 6 0 0 1 1\n3 3 16 0 0 2 2\n", soma="cylinder")
    assert not tree.sections.sphere.any() and tree.sections.attach[1] == 1
    assert tree.length[0] == 10 and np.isclose(tree.area[0], 100 * math.pi)
    assert tree.sample_place(1) == (0, 5.0)
    assert tree.xyz[0].tolist() == [[0, -5, 0], [0, 0, 0], [0, 5, 0]]
    assert tree.length[1] == 10 and tree.distance.tolist() == [5, 15]
    assert np.isclose(tree.r_axial_near[0], 5 / (math.pi * 25))


def test_soma_brian_has_cable_from_the_centre(load):
    tree = load(SPHERE + "2 3 6 0 0 1 1\n3 3 16 0 0 2 2\n", soma="brian")
    assert tree.sections.sphere.tolist() == [True, False] and tree.length.tolist() == [10, 6, 10]
    assert np.isclose(tree.area[1], 2 * math.pi * 6) and tree.distance.tolist() == [0, 3, 11]


REAL = (
    "ca1_n120", "fly_ct12t2_nosoma", "granule_gc2", "l5_allen_515570710", "l5pc_bbp_axon", "pvalb_469628681",
    "pyramidal_nmo49821", "flywire_720575940661205633_nm",
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
@pytest.mark.filterwarnings("ignore")
def test_real_cells_have_the_sections_length_and_area_of_the_kit(name, shared):
    path = shared / "morphologies" / f"{name}.swc"
    records = json.loads((shared / "morphologies" / "stats.json").read_text())
    kit = next(r["kit"] for r in records if r["file"] == path.name)
    nanometres = name.endswith("_nm")
    tree = Morphology.from_file(path, min_radius=1e-9 * um if nanometres else None).flatten()
    unit = 1e3 if nanometres else 1.0
    soma, soma_section = tree.type == 1, tree.sections.type == 1
    assert len(tree.sections) == kit["sections"]
    assert soma_section.sum() == kit["soma_sections"]
    assert bool(tree.sections.sphere[0]) == kit["isopotential_soma"]
    assert np.isclose(tree.length[~soma].sum() * unit, kit["neurite_length"], rtol=1e-6)
    assert np.isclose(tree.area[~soma].sum() * unit**2, kit["neurite_area"], rtol=1e-6)
    assert np.isclose(tree.area[soma].sum() * unit**2, kit["soma_area"], rtol=1e-5)


@pytest.mark.parametrize("name", ["granule_gc2", "ca1_n120", "pyramidal_nmo49821"])
def test_reference_cells_have_every_section_of_the_reference(name, shared):
    reference = json.loads((shared / "reference" / "hh_morph" / f"{name}.json").read_text())
    tree = Morphology.from_file(shared / "morphologies" / f"{name}.swc").flatten()
    areas = np.bincount(tree.section, tree.area)
    assert len(tree.sections) == reference["totals"]["sections"]
    for k, parent, attach, kind, _, length, surface, first, last in reference["sections"]:
        assert tree.sections.parent[k] == parent and tree.sections.type[k] == kind
        assert parent < 0 or tree.sections.attach[k] == attach
        assert tree.paths[k].ids[0] == first and tree.paths[k].ids[-1] == last
        assert abs(tree.sections.length[k] - length) < 1e-5 and abs(areas[k] - surface) < 1e-5
    assert np.isclose(tree.total_length(), reference["totals"]["length_um"], rtol=1e-6)
    assert np.isclose(tree.area.sum(), reference["totals"]["area_um2"], rtol=1e-6)
    for site in reference["sites"]:
        section, position = tree.sample_place(site["swc_sample"])
        end = position / tree.sections.length[section]
        assert (section, end) == (site["section"], site["end"])
        along = 0.0 if tree.sections.sphere[section] else position
        assert abs(tree.sections.distance[section] + along - site["path_distance_um"]) < 1e-4


def test_the_benchmark_cell_in_equal_compartments(shared):
    cell = Morphology.from_file(shared / "morphologies" / "l5_allen_515570710.swc", soma="cylinder")
    tree = cell.discretize(max_length=20 * um).flatten()
    assert len(tree.sections) == 103 and tree.n == 328
    assert cell.discretize(max_length=10 * um).flatten().n == 606
    assert np.isclose(tree.total_length(), 5561.485, atol=1e-3) and np.isclose(
        tree.area.sum(), 8630.579, atol=1e-3
    )


def test_brian_reading_of_a_real_cell(shared):
    tree = Morphology.from_file(shared / "morphologies" / "granule_gc2.swc", soma="brian").flatten()
    assert np.isclose(tree.total_length(), 1783.589, atol=1e-3)
    assert np.isclose(tree.area[1:].sum(), 2507.51, atol=1e-2)
    assert tree.n == 353  # one compartment for each sample
