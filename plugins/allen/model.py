"""Biophysical models of the Allen Cell Types Database: `load_allen`."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from rall.equations import Equations
from rall.morphology import Morphology
from rall.plugins.allen.axon import coarse, with_axon
from rall.plugins.allen.files import model_files
from rall.plugins.allen.fit import PASSIVE, SECTIONS, Fit, read_fit
from rall.plugins.allen.mechanisms import Mechanisms, Modfiles, OwnChannels
from rall.plugins.cable import SpatialNeuron
from rall.units import Quantity, cm, dimension_of, mM, mV, ohm, siemens, uF

__all__ = ["AllenModel", "load_allen"]

_PASSIVE = """
I_pas = g_pas*(E_pas - v) : amp/meter**2 (membrane current)
g_pas : siemens/meter**2 (constant)
E_pas : volt (constant)
"""
_CM, _RI = uF / cm**2, ohm * cm


class AllenModel:
    """A cell of the Allen Cell Types Database, ready to be made; everything can be looked at and changed before.

    Attributes
    ----------
    morphology : Morphology
        The tree, in its compartments.
    model : dict of str to Equations or str
        Equations by region: soma, axon, dend, apic as far as the morphology has them.
    Cm, Ri : Quantity or str
        Specific capacitance and resistivity; an expression of regions where these differ.
    v_init : Quantity
        Voltage at the start.
    celsius : float
        Temperature for which `model` was made; that of a cell is its variable `T`.
    junction_potential : Quantity or None
        By how much the recordings that the model was fitted to were shifted.  Not applied to anything.
    """

    def __init__(self, fit: Fit, morphology: Morphology, model: Mapping[str, Equations]) -> None:
        self.morphology = morphology
        self.model: dict[str, Equations | str] = dict(model)
        values = {section: fit.passive[section] for section in model if section in SECTIONS}
        self.Cm = _by_region({section: of["cm"] for section, of in values.items()}, "uF/cm**2", _CM)
        self.Ri = _by_region({section: of["Ra"] for section, of in values.items()}, "ohm*cm", _RI)
        self.v_init: Quantity = fit.v_init * mV
        self.celsius = fit.celsius
        self.junction_potential: Quantity | None = (
            None if fit.junction_potential is None else fit.junction_potential * mV
        )
        self._file = fit.file

    def cell(self, **how: Any) -> SpatialNeuron:
        """The cell: at `v_init`, gates and schemes at their steady state there, pools at their minimum.

        Parameters
        ----------
        **how
            Other arguments of `SpatialNeuron`, such as ``threshold`` and ``threshold_location``.

        Returns
        -------
        SpatialNeuron
            A new one with each call.
        """
        cell = SpatialNeuron(self.morphology, self.model, Cm=self.Cm, Ri=self.Ri, **how)
        cell.initialise(v=self.v_init)
        for region, text in self.model.items():
            equations = Equations(text)
            for name in _pools(equations):
                getattr(cell, name)[cell.indices_of(region)] = equations.defaults[name]
        return cell

    def __repr__(self) -> str:
        lines = [f"<AllenModel of {self._file}: {self.morphology.flatten().n} compartments, {self.celsius:g} C"]
        for region, text in self.model.items():
            equations = Equations(text)
            currents = [line.varname for line in equations.lines if line.has("membrane current")]
            pools = [f"{name} (pool)" for name in _pools(equations)]
            lines.append(f"  {region}: {', '.join([*currents, *pools]) or ', '.join(equations)}")
        return "\n".join([*lines[:-1], f"{lines[-1]}>"])


def load_allen(
    parameters: str | PathLike[str],
    morphology: str | PathLike[str] | Morphology | None = None,
    *,
    axon: str = "file",
    mechanisms: str | PathLike[str] | None = None,
) -> AllenModel:
    """A biophysical model of the Allen Cell Types Database, perisomatic or all-active.

    Parameters
    ----------
    parameters : str or path
        The model's file of parameters (``fit_parameters.json``, ``..._fit.json``), its ``manifest.json``, or the
        folder with that.
    morphology : str, path or Morphology, optional
        Its reconstruction.  A file is cut as the Allen Institute's own program cuts it, an odd number of compartments
        of at most 40 um in each section; a `Morphology` is taken as it is.  Left out, the manifest names the file.
    axon : {'file', 'stub', 'truncated'}
        What the axon is: as in the morphology; two cylinders of 30 um length and 1 um diameter on the soma instead
        of it; or these with the diameters of the axon near the soma and 60 um away.  The Allen Institute's own
        program runs perisomatic models with ``'stub'`` and all-active ones with ``'truncated'``, if the manifest names
        no other ``axon_type``.
    mechanisms : str or path, optional
        A folder of mod files to take the mechanisms from, `load_mod`, instead of `rall.channels.allen`.

    Returns
    -------
    AllenModel
        Its `cell()` is a `SpatialNeuron`.

    Raises
    ------
    RallError
        Names the file, the place in it, and what would do.
    MorphologyError
        If the morphology cannot be used.

    Examples
    --------
    >>> allen = load_allen("fit_parameters.json", "reconstruction.swc", axon="stub")    # doctest: +SKIP
    >>> print(allen.model["soma"])                                                     # doctest: +SKIP
    >>> cell = allen.cell(threshold="v > -20*mV", threshold_location=0)                # doctest: +SKIP
    """
    whole, named = model_files(Path(parameters))
    fit = read_fit(whole)
    tree = with_axon(_tree(morphology if morphology is not None else named, fit), axon)
    source: Mechanisms = OwnChannels() if mechanisms is None else Modfiles(Path(mechanisms))
    return AllenModel(fit, tree, _model(fit, _present(fit, tree), source))


def _pools(equations: Equations) -> list[str]:
    """Concentrations that equations change and give a value to begin with."""
    return [
        line.varname for line in equations.differential_equations
        if line.dimension is dimension_of(mM) and line.varname in equations.defaults
    ]  # fmt: skip


def _tree(morphology: Any, fit: Fit) -> Morphology:
    if morphology is None:
        raise fit.error("a model needs a morphology: load_allen(parameters, 'cell.swc'), or a manifest that names it")
    return morphology if isinstance(morphology, Morphology) else coarse(Morphology.from_file(morphology))


def _present(fit: Fit, tree: Morphology) -> list[str]:
    """Sections that the morphology has; all of it must belong to one, with all passive values."""
    regions = tree.region_arrays()
    present = [section for section in SECTIONS if regions[section].any()]
    rest = ~np.logical_or.reduce([regions[section] for section in SECTIONS])
    for name, inside in regions.items():
        if (inside & rest).any():
            raise fit.error(
                f"the morphology has {int(inside.sum())} compartments of '{name}', for which the model has no values; "
                f"it knows {', '.join(SECTIONS)}"
            )
    for section in present:
        missing = [f"{name} ({unit})" for name, unit in PASSIVE.items() if name not in fit.passive[section]]
        if missing:
            raise fit.error(
                f"there is no {', '.join(missing)} for '{section}', which the morphology has; add it to genome, or "
                "take a morphology without this section"
            )
    return present


def _model(fit: Fit, present: list[str], source: Mechanisms) -> dict[str, Equations]:
    """Equations of the sections that are there."""
    model = {}
    for section in present:
        values = fit.passive[section]
        defaults = {"g_pas": values["g_pas"] * siemens / cm**2, "E_pas": values["e_pas"] * mV}
        equations = Equations(_PASSIVE, defaults=defaults)
        for name, parameters in fit.mechanisms[section].items():
            equations = equations + source.equations(name, parameters, fit.celsius)
        model[section] = equations
    return _with_reversal(fit, model)


def _with_reversal(fit: Fit, model: dict[str, Equations]) -> dict[str, Equations]:
    """Reversal potentials: defaults where all sections have the same, else equations of their own."""
    needed: dict[str, dict[str, float]] = {}
    for section, equations in model.items():
        for name in equations.parameter_names:
            if equations[name].has("ion") and name.startswith("E_"):
                if name not in fit.reversal[section]:
                    raise fit.error(_no_reversal(name, section))
                needed.setdefault(name, {})[section] = fit.reversal[section][name]
    for name, values in needed.items():
        found = _by_region(values, "mV", mV)
        if isinstance(found, str):
            ion = name.partition("_")[2]
            model["all"] = model.get("all", Equations("")) + Equations(f"{name} = {found} : volt (ion {ion})")
            continue
        for section in values:
            model[section] = Equations(model[section], defaults={name: found})
    return model


def _no_reversal(name: str, section: str) -> str:
    key = f"e{name[2:].lower()}"
    if name == "E_Ca":
        return f"a mechanism of '{section}' needs {name}; add CaDynamics there, or {key} to its conditions.erev"
    return f"a mechanism of '{section}' needs {name}; add '{key}' for this section to conditions[0].erev"


def _by_region(values: Mapping[str, float], unit_text: str, unit: Quantity) -> Quantity | str:
    """One value, or an expression of regions if they differ."""
    *others, (_, last) = values.items()
    if all(value == last for _, value in others):
        same: Quantity = last * unit
        return same
    text = f"{last!r}*{unit_text}"
    for k, (region, value) in enumerate(reversed(others)):
        text = f"{value!r}*{unit_text} if {region} else {f'({text})' if k else text}"
    return text

