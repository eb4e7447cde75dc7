"""Files of parameters with one mistake each: the message names the file, the place, the value and what would do."""

from __future__ import annotations

import pytest

from rall import Morphology, load_allen
from rall.errors import MorphologyError, RallError


def channel(section, mechanism, value, parameter="gbar"):
    return {"section": section, "name": f"{parameter}_{mechanism}", "value": value, "mechanism": mechanism}


MOD = """
NEURON { SUFFIX Kd NONSPECIFIC_CURRENT i RANGE gbar }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { gbar = 1e-5 (S/cm2) }
ASSIGNED { v (mV) i (mA/cm2) }
BREAKPOINT { i = gbar*(v + 70 (mV)) }
"""


def put(*path_and_value):
    """A change: the value, or the removal where it is None, at a path."""
    *path, last, value = path_and_value

    def change(content):
        for step in path:
            content = content[step]
        if value is None:
            del content[last]
        elif last == "+":
            content.append(value)
        else:
            content[last] = value

    return change


# what is changed; parts of the message
MISTAKES = [
    (put("genome", 0, "section", "somma"), ["genome[0].section", "'somma'", "did you mean 'soma'", "dend, apic"]),
    (put("genome", 0, "section", 3), ["genome[0].section", "a text is expected", "a number, 3"]),
    (put("genome", "+", channel("soma", "Nav", 0.1)), ["genome[28].value", "'Nav'", "mean 'NaV'", "load_allen("]),
    (put("genome", "+", channel("soma", "NaV", 0.1, "gbra")), ["genome[28].value", "no parameter 'gbra'", "gbar"]),
    (put("genome", 16, "name", "gbar_NaW"), ["genome[16].name", "ends in '_NaV'", "'gbar_NaW' does not"]),
    (put("genome", 16, "value", "-0.05"), ["genome[16].value", "-0.05", "at least 0 S/cm2"]),
    (put("genome", 16, "value", "five"), ["genome[16].value", "a finite number (S/cm2)", '"five"']),
    (put("genome", 16, "value", True), ["genome[16].value", "a finite number", "true or false"]),
    (put("genome", 16, "value", None), ["genome[16]", "'value' is missing", "section, name, mechanism"]),
    (put("genome", 20, "value", "0"), ["genome[20].value", "at least 1e-06 ms"]),
    (put("genome", 0, "value", 0), ["genome[0].value", "at least 1e-06 uF/cm2"]),
    (put("genome", 3, "value", float("nan")), ["genome[3].value", "a finite number (mV)"]),
    (put("genome", 0, "name", "Cm"), ["genome[0].name", "'Cm' is no passive value", "did you mean 'cm'"]),
    (put("genome", "+", channel("soma", "NaV", 1)), ["genome[28]", "'gbar_NaV' of 'soma' is twice there", "[16]"]),
    (put("genome", 2, {"section": "soma"}), ["genome[2]", "the key 'mechanism' is missing"]),
    (put("genome", 2, None), ["no g_pas (S/cm2) for 'soma'", "add it to genome"]),
    (put("genome", None), ["the key 'genome' is missing", "its keys: passive, fitting, conditions"]),
    (put("genome", {}), ["genome: a list is expected", "an object"]),
    (put("conditions", []), ["conditions: the list is empty"]),
    (put("conditions", 0, "celsius", 307), ["conditions[0].celsius", "307", "between -20 and 100 degrees Celsius"]),
    (put("conditions", 0, "v_init", None), ["conditions[0]", "'v_init' is missing"]),
    (put("conditions", 0, "erev", 1, "eNa", 50), ["conditions[0].erev[1]", "'eNa'", "ena, ek, eca"]),
    (put("conditions", 0, "erev", 1, "ek", None), ["'axon' needs E_K", "add 'ek' for this section"]),
    (put("conditions", 0, "erev", 0, "section", "all the rest"), ["conditions[0].erev[0].section", "all the rest"]),
    (put("genome", "+", channel("axon", "Ca_HVA", 1e-4)), ["'axon' needs E_Ca", "add CaDynamics there"]),
    (put("passive", 0, "cm", [{"section": "soma", "cm": -1}]), ["passive[0].cm[0].cm", "-1", "uF/cm2"]),
    (put("passive", 0, "ra", [100]), ["passive[0].ra", "a finite number (ohm cm)", "a list"]),
]


@pytest.mark.parametrize(("change", "parts"), MISTAKES, ids=[parts[0][:40] for _, parts in MISTAKES])
def test_mistakes(change, parts, all_active, written, swc):
    change(all_active)
    path = written(all_active)
    with pytest.raises(RallError) as caught:
        load_allen(path, swc)
    message = str(caught.value)
    assert message.startswith(str(path))
    for part in parts:
        assert part in message, message


def test_what_is_no_json(written, swc, tmp_path):
    with pytest.raises(RallError, match=r"line 2, column 3: this is not JSON"):
        load_allen(written('{"passive":\n  oops}'), swc)
    with pytest.raises(RallError, match=r"fit_parameters.json: an object with the key 'conditions' is expected"):
        load_allen(written([1, 2]), swc)
    with pytest.raises(RallError, match="nested too deeply"):
        load_allen(written("[" * 100_000), swc)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RallError, match="no text in UTF-8"):
        load_allen(tmp_path / "binary.json", swc)
    with pytest.raises(RallError, match=r"nowhere.json cannot be read: No such file or directory"):
        load_allen(tmp_path / "nowhere.json", swc)


def test_morphologies_that_do_not_fit(all_active, written, swc, tmp_path):
    path = written(all_active)
    with pytest.raises(MorphologyError):
        load_allen(path, tmp_path / "nothing.swc")
    swc.write_text(swc.read_text().replace("\n10 3", "\n10 7"))
    with pytest.raises(RallError, match=r"compartments of 'type_7', for which the model has no values"):
        load_allen(path, Morphology.from_file(swc))


def test_folders_of_mod_files(all_active, written, swc, tmp_path):
    path = written(all_active)
    with pytest.raises(RallError, match="must be a folder with mod files, and there are none"):
        load_allen(path, swc, mechanisms=tmp_path / "no")
    written(MOD, "some/Kd.mod")
    with pytest.raises(RallError, match=r"genome\[16\].value: .*some has no NaV.mod; there are Kd"):
        load_allen(path, swc, mechanisms=tmp_path / "some")
    all_active["genome"] = [*all_active["genome"][:16], channel("soma", "Kd", 1, "gmax")]
    with pytest.raises(RallError, match=r"genome\[16\].value: 'Kd' has no parameter 'gmax'"):
        load_allen(written(all_active), swc, mechanisms=tmp_path / "some")
