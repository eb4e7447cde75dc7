"""Manifests: which files a model has."""

from __future__ import annotations

import pytest

from rall import load_allen
from rall.errors import RallError


@pytest.fixture
def manifest():
    return {
        "biophys": [{"model_type": "Biophysical - perisomatic", "model_file": ["manifest.json", "42_fit.json"]}],
        "manifest": [
            {"key": "BASEDIR", "type": "dir", "spec": "."},
            {"key": "TREES", "type": "dir", "spec": "trees", "parent": "BASEDIR"},
            {"key": "MORPHOLOGY", "type": "file", "spec": "cell.swc", "parent_key": "TREES"},
        ],
    }


@pytest.fixture
def folder(perisomatic, written, swc):
    """A folder with all but the manifest."""
    written(perisomatic, "42_fit.json")
    written(swc.read_text(), "trees/cell.swc")
    return swc.parent


def test_a_manifest_names_both_files(manifest, folder, written):
    path = written(manifest, "manifest.json")
    assert load_allen(path).morphology.flatten().n == load_allen(folder).morphology.flatten().n
    assert load_allen(path).celsius == 33


def test_the_morphology_can_be_another(manifest, folder, written):
    manifest["manifest"] = []
    path = written(manifest, "manifest.json")
    assert load_allen(path, folder / "cell.swc").cell().N > 5
    with pytest.raises(RallError, match="a model needs a morphology"):
        load_allen(path)


def test_mistakes_in_manifests(manifest, folder, written):
    with pytest.raises(RallError, match=r"has no manifest.json; give the model's fit_parameters.json"):
        load_allen(folder / "trees")
    manifest["manifest"][1]["parent"] = "TREES"
    with pytest.raises(RallError, match=r"manifest\[1\].parent: 'TREES' is no folder of this manifest"):
        load_allen(written(manifest, "manifest.json"))
    manifest["manifest"][1]["parent"] = "BASEDIR"
    manifest["biophys"][0]["model_file"] = ["manifest.json"]
    with pytest.raises(RallError, match=r"biophys\[0\].model_file: it must name this manifest and one file"):
        load_allen(written(manifest, "manifest.json"))
    manifest["biophys"][0]["model_file"] = ["manifest.json", "43_fit.json"]
    with pytest.raises(RallError, match=r"43_fit.json cannot be read: No such file"):
        load_allen(written(manifest, "manifest.json"))
