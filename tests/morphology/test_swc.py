"""Reading SWC text: what is refused, with which code and line, what loads, and that nothing is silent."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, MorphologyError, MorphologyWarning
from rall.morphology import Morphology
from rall.morphology.swc import parse
from rall.units import mV, um


def replace_line(text: str, number: int, line: str) -> str:
    lines = text.splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


BROKEN = {
    # name: (line to replace, its text, code)
    "word for a number": (4, "4 3 40 five 0 0.7 3", "ParseError"),
    "word for a type": (4, "4 dend 40 5 0 0.7 3", "ParseError"),
    "six columns": (4, "4 3 40 5 0 0.7", "ParseError"),
    "commas": (4, "4,3,40,5,0,0.7,3", "ParseError"),
    "decimal comma": (4, "4 3 40 5 0 0,7 3", "ParseError"),
    "underscore": (4, "4 3 4_0 5 0 0.7 3", "ParseError"),
    "nul bytes": (4, "4 3 40 5 \0 0.7 3", "ParseError"),
    "half an id": (4, "4.5 3 40 5 0 0.7 3", "BadId"),
    "id of 70 bits": (4, f"{2**70} 3 40 5 0 0.7 3", "BadId"),
    "id of 5000 digits": (4, "9" * 5000 + " 3 40 5 0 0.7 3", "BadId"),
    "negative id": (9, "-9 2 -40 0 0 0.5 8", "BadId"),
    "negative type": (9, "9 -2 -40 0 0 0.5 8", "BadType"),
    "id twice": (5, "4 3 40 -5 0 0.6 3", "DuplicateId"),
    "zero radius": (4, "4 3 40 5 0 0 3", "BadRadius"),
    "negative radius": (4, "4 3 40 5 0 -0.7 3", "BadRadius"),
    "nan radius": (4, "4 3 40 5 0 nan 3", "BadRadius"),
    "radius of metres": (4, "4 3 40 5 0 1e9 3", "BadRadius"),
    "infinite coordinate": (4, "4 3 inf 5 0 0.7 3", "BadCoordinate"),
    "nan coordinate": (4, "4 3 40 5 nan 0.7 3", "BadCoordinate"),
    "missing parent": (4, "4 3 40 5 0 0.7 99", "MissingParent"),
    "parent 0": (1, "1 1 0 0 0 5 0", "MissingParent"),
    "own parent": (4, "4 3 40 5 0 0.7 4", "Cycle"),
    "circle": (3, "3 3 20 0 0 0.9 6", "Cycle"),
    "no root": (1, "1 1 0 0 0 5 9", "Cycle"),
    "second root": (8, "8 2 -6 0 0 0.5 -1", "MultipleRoots"),
    "stray soma": (7, "7 1 62 -11 0 4 5", "SomaNotContiguous"),
    "root is no soma": (1, "1 3 0 0 0 5 -1", None),
}


@pytest.mark.parametrize("name", [name for name, row in BROKEN.items() if row[2]])
def test_broken_text_is_refused_with_code_and_line(name, base, swc):
    line, text, code = BROKEN[name]
    path = swc(replace_line(base, line, text))
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(path)
    error = caught.value
    assert error.code == code
    assert error.line == line
    assert error.file == str(path)
    assert str(path) in str(error) and f"line {line}" in str(error)
    assert any(f.code == code and f.level == "error" and f.line == line for f in error.findings)


def test_all_faults_of_a_stage_are_told_together(base, swc):
    text = replace_line(replace_line(base, 3, "3 3 20 0 0 -1 2"), 7, "7 4 inf -11 0 0.4 5")
    with pytest.raises(MorphologyError, match=r"1 more in \.findings") as caught:
        Morphology.from_file(swc(text))
    assert {(f.code, f.line, f.sample) for f in caught.value.findings} == {
        ("BadRadius", 3, 3),
        ("BadCoordinate", 7, 7),
    }


def test_no_root_is_a_finding_beside_the_circle(base, swc):
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(swc(replace_line(base, 1, "1 1 0 0 0 5 9")))
    assert {f.code for f in caught.value.findings} == {"Cycle", "NoRoot"}


def test_a_circle_is_named_by_its_samples_alone(swc):
    # 4 and 5 hang on the circle 2 -> 3 -> 2 and are not part of it.
    text = "1 1 0 0 0 5 -1\n5 3 1 9 0 1 4\n4 3 1 5 0 1 2\n2 3 6 0 0 1 3\n3 3 9 0 0 1 2\n"
    with pytest.raises(MorphologyError, match="2 -> 3 -> 2") as caught:
        Morphology.from_file(swc(text))
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EmptyFile"),
        (b"# nothing\n\n   # here\n", "EmptyFile"),
        (bytes(range(256)) * 8, "ParseError"),
        ("1 1 0 0 0 5 -1\n".encode("utf-16"), "ParseError"),
        (b"1 3 0 0 0 5 -1\n", "TooFewPoints"),
        (b"1 3 0 0 0 5 -1\n2 3 0 0 0 5 1\n", "TooFewPoints"),
        (b"1 3 40 0 0 .5 -1\n2 3 6 0 0 1 1\n3 1 0 0 0 5 2\n", "SomaNotRoot"),
    ],
)
def test_whole_files_that_are_refused(data, code, swc):
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(swc(data))
    assert caught.value.code == code


def test_a_message_names_the_comma(base, swc):
    with pytest.raises(MorphologyError, match="comma"):
        Morphology.from_file(swc(base.replace(" ", ",")))


def as_written(tree):
    return tree.polyline.xyz, tree.polyline.diameter, tree.sections.parent, tree.sections.type


LEGAL = {
    "windows": lambda t: "﻿".encode() + t.replace("\n", "\r\n").encode(),
    "old mac": lambda t: t.replace("\n", "\r").encode(),
    "tabs, blank lines, comments": lambda t: (
        "\n  # x\n" + t.replace(" ", "\t").replace("\n", " \n\n")
    ).encode(),
    "backwards": lambda t: "\n".join(reversed(t.splitlines())).encode(),
    "latin-1 comment": lambda t: b"# 5 \xb5m\n" + t.encode(),
    "no last line end": lambda t: t.rstrip("\n").encode(),
    "comment behind a row": lambda t: t.replace("9 2 -40 0 0 0.5 8", "9 2 -40 0 0 0.5 8 # tip").encode(),
    "header of um": lambda t: b'# Meta: {"units": "1 micrometer"}\n' + t.encode(),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_oddities_load_in_silence_as_the_same_tree(name, base, swc):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = Morphology.from_file(swc(base, "plain.swc"))
        odd = Morphology.from_file(swc(LEGAL[name](base)))
    for a, b in zip(as_written(plain.flatten()), as_written(odd.flatten())):
        assert np.array_equal(a, b)


def test_huge_sparse_ids_load_and_are_kept(base, swc):
    rows = [line.split() for line in base.splitlines()]
    big = {row[0]: str(2**40 + 7 * int(row[0]) ** 9) for row in rows} | {"-1": "-1"}
    text = "\n".join(" ".join([big[r[0]], *r[1:6], big[r[6]]]) for r in rows)
    m = Morphology.from_file(swc(text))
    plain = Morphology.from_file(swc(base, "plain.swc"))
    for sample in range(1, 10):
        assert m.sample(int(big[str(sample)])).compartment == plain.sample(sample).compartment


def test_ids_may_count_from_0(swc):
    m = Morphology.from_file(swc("0 1 0 0 0 5 -1\n1 3 6 0 0 1 0\n2 3 20 0 0 1 1\n"))
    assert m.total_sections == 2
    assert m.sample(0).section == 0 and m.sample(2).position == 14 * um


ODD = {
    # code: (edit of the base tree, line)
    "FloatId": (lambda t: t.replace("9 2 -40 0 0 0.5 8", "9.0 2.0 -40 0 0 0.5 8.0"), 9),
    "ExtraColumns": (lambda t: t.replace("0.5 8", "0.5 8 7 7"), 9),
    "TinyRadius": (lambda t: replace_line(t, 4, "4 3 40 5 0 1e-9 3"), 4),
    "LongSegment": (lambda t: replace_line(t, 9, "9 2 -4000 0 0 0.5 8"), 9),
    "ZeroLengthSegment": (lambda t: t + "10 3 60 12 0 0.3 6\n11 3 80 12 0 0.3 10\n", 10),
    "TypeChange": (lambda t: t + "10 2 70 12 0 0.3 6\n", 10),
    "UnitHeader": (lambda t: '# Meta: {"units": "1 nanometer"}\n' + t.replace(" 5 -1", " 5000 -1"), None),
    "BranchedSoma": (lambda t: t + "10 1 0 5 0 4 1\n11 1 5 0 0 4 1\n12 1 5 0 5 4 1\n", 1),
}


@pytest.mark.parametrize("code", ODD)
@pytest.mark.filterwarnings("ignore")
def test_what_is_odd_gives_one_warning_and_a_finding(code, base, swc):
    edit, line = ODD[code]
    path = swc(edit(base))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m = Morphology.from_file(path)
    assert [w.category for w in caught] == [MorphologyWarning]
    assert code in str(caught[0].message) and str(path) in str(caught[0].message)
    found = [f for f in m.findings if f.code == code]
    assert len(found) == 1 and found[0].level == "warning" and found[0].line == line
    assert np.isfinite(m.flatten().area).all() and np.isfinite(m.flatten().r_axial_near).all()


def test_types_other_than_the_named_ones_change_in_silence(swc):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        m = Morphology.from_file(
            swc("1 1 0 0 0 5 -1\n2 0 6 0 0 1 1\n3 5 30 0 0 1 2\n4 42 60 9 0 1 3\n5 7 60 -9 0 1 3\n")
        )
    assert set(m.region_arrays()) >= {"soma", "type_5", "type_7", "type_42"}


def test_header_unit_scale_and_min_radius(swc):
    header = '# Meta: {"units": "1 nanometer"}\n'
    text = "1 1 0 0 0 5000 -1\n2 3 6000 0 0 1000 1\n3 3 16000 0 0 0 2\n"
    with pytest.raises(MorphologyError, match="min_radius"):
        Morphology.from_file(swc(text), scale=1e-3)
    with pytest.warns(MorphologyWarning, match="RadiusRaised"):
        m = Morphology.from_file(swc(text), scale=1e-3, min_radius=0.05 * um)
    assert m.diameter[0] == 10 * um
    assert np.isclose(m.dend.end_diameter[0] / um, 0.1) and np.isclose(m.dend.length[0] / um, 10.0)
    with pytest.warns(MorphologyWarning, match="nanometer"):
        by_header = Morphology.from_file(swc(header + text), min_radius=0.05 * um)
    assert np.array_equal(by_header.flatten().area, m.flatten().area)
    # An explicit scale replaces the header's, and then nothing was guessed.
    with pytest.warns(MorphologyWarning) as caught:
        Morphology.from_file(swc(header + text), scale=1e-3, min_radius=0.05 * um)
    assert "UnitHeader" not in str(caught[0].message)


@pytest.mark.parametrize(
    ("comment", "scale"),
    [
        ('# Meta: {"units": "8 nanometer"}', 8e-3),
        ("# units: nm", 1e-3),
        ("# unit = 1 micron", 1.0),
        ("# voxel unit: 0.3 um", 1.0),
        ("# units: pixels", 1.0),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_only_a_header_that_states_the_unit_is_obeyed(comment, scale, base, swc):
    m = Morphology.from_file(swc(f"{comment}\n{base}"), min_radius=1e-6 * um)
    assert np.isclose(m.dend.end_distance / um, 14 * scale)


def test_min_radius_repairs_zero_but_not_negative_radii(base, swc):
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_file(swc(replace_line(base, 4, "4 3 40 5 0 -1 3")), min_radius=0.1 * um)
    assert caught.value.code == "BadRadius"


def test_wrong_arguments_are_rall_errors(base, swc, tmp_path):
    path = swc(base)
    with pytest.raises(MorphologyError, match="'sphere', 'cylinder', 'brian'"):
        Morphology.from_file(path, soma="ball")
    with pytest.raises(MorphologyError, match="scale"):
        Morphology.from_file(path, scale=-1)
    with pytest.raises(DimensionMismatchError, match="min_radius"):
        Morphology.from_file(path, min_radius=1 * mV)
    with pytest.raises(MorphologyError, match="cannot be read") as caught:
        Morphology.from_file(tmp_path / "none.swc")
    assert caught.value.code == "NoFile"
    with pytest.raises(MorphologyError, match=r"known are .*swc"):
        Morphology.from_file(swc(base, "cell.docx"))


def test_parse_keeps_lines_and_double_precision():
    table, unit, findings = parse(b"# c\n\n1 1 12345.678901234567 0 0 5 -1\n")
    assert unit == 1.0 and not findings and table is not None
    assert table.lines.tolist() == [3] and table.xyz[0, 0] == 12345.678901234567


def expected(shared):
    return json.loads((shared / "morphologies" / "bad" / "expected.json").read_text())


def test_every_malformed_file_of_the_kit_gets_its_outcome(shared):
    silent = []
    for record in expected(shared):
        path = shared / "morphologies" / "bad" / record["file"]
        code, line, warned = None, None, []
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                m = Morphology.from_file(path)
            warned = [f.code for f in m.findings]
            assert bool(warned) == bool(caught), record["file"]
        except MorphologyError as error:
            code, line = error.code, error.line
        outcome = record["outcome"]
        ok = {
            "error": code is not None,
            "load": code is None and not warned,
            "load_or_warn": code is None,
            "error_or_warn": code == record["category"] or record["category"] in warned,
        }[outcome]
        if code is not None:
            ok &= code == record["category"] and record["line"] in (None, line)
        else:
            ok &= numbers_fit(m, record, shared)
        if not ok:
            silent.append((record["file"], outcome, code, line, warned))
    assert silent == []


def numbers_fit(m, record, shared):
    tree = m.flatten()
    soma = tree.type == 1
    fits = record.get("n_sections") in (None, m.total_sections)
    samples = {int(k) for k in tree.polyline.id} | set(tree.merged)
    fits &= record.get("n_points") in (None, len(samples))
    if "neurite_area_um2" in record:
        fits &= np.isclose(tree.area[~soma].sum(), record["neurite_area_um2"], rtol=1e-8)
        fits &= np.isclose(tree.total_length(), record["total_length_um"], rtol=1e-8)
    if "soma_area_um2" in record:
        fits &= np.isclose(tree.area[soma].sum(), record["soma_area_um2"], rtol=1e-8)
    if "same_as" in record:
        other = Morphology.from_file(shared / "morphologies" / "bad" / record["same_as"]).flatten()
        fits &= all(np.array_equal(a, b) for a, b in zip(as_written(tree), as_written(other)))
    return bool(fits)
