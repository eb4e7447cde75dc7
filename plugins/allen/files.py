"""Which files a model has: that of its parameters, and what its manifest says about the others."""

from __future__ import annotations

from pathlib import Path

from rall.errors import RallError
from rall.plugins.allen.entries import Entry, read_json

__all__ = ["model_files"]

_MANIFEST = "manifest.json"


def model_files(path: Path) -> tuple[Entry, Path | None]:
    """The parameters of a model, and the file of its morphology where a manifest names it.

    Parameters
    ----------
    path : Path
        A file of parameters, a manifest, or the folder with a manifest.

    Raises
    ------
    RallError
        If the manifest does not name a file of parameters.
    """
    if path.is_dir():
        if not (path / _MANIFEST).exists():
            raise RallError(f"the folder {path} has no {_MANIFEST}; give the model's fit_parameters.json")
        path = path / _MANIFEST
    whole = read_json(path)
    if "biophys" not in whole:
        return whole, None
    places = _places(whole["manifest"]) if "manifest" in whole else {}
    folder = path.parent
    morphology = _resolved(places["MORPHOLOGY"], places, folder) if "MORPHOLOGY" in places else None
    names = whole["biophys"].first()["model_file"]
    others = [one for one in names if Path(one.text()).name != path.name]
    if len(others) != 1:
        raise names.error(f"it must name this manifest and one file of parameters, and names {len(others)} other files")
    return read_json(folder / others[0].text()), morphology


def _places(entries: Entry) -> dict[str, Entry]:
    """Entries of a manifest by their keys."""
    return {entry["key"].text(): entry for entry in entries if "key" in entry}


def _resolved(entry: Entry, places: dict[str, Entry], folder: Path) -> Path:
    """Where a file of the manifest lies: within the folders that are its parents, the manifest's folder at last."""
    path, seen = Path(entry["spec"].text()), {entry["key"].text()}
    while True:
        parent = next((entry[key] for key in ("parent", "parent_key") if key in entry), None)
        if parent is None:
            return folder / path
        name = parent.text()
        if name in seen or name not in places:
            raise parent.error(f"'{name}' is no folder of this manifest that could be the parent")
        seen.add(name)
        entry = places[name]
        path = Path(entry["spec"].text()) / path
