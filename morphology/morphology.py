"""Morphologies: trees of sections, from files, grown or made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, Self, cast

from rall.morphology import discretize as _discretize
from rall.morphology import edit, naming, readers, regions, report, swc_write
from rall.morphology.attributes import Geometry
from rall.morphology.grow import grow_samples
from rall.morphology.node import changed, copied
from rall.morphology.places import Place, Selection
from rall.registry import find
from rall.units import Quantity

__all__ = ["Morphology"]


class Morphology(Geometry):
    """A section with all that hangs on it.

    Attributes with numbers belong to this section alone, one element for each of its compartments, as in
    Brian 2; `flatten` gives the whole tree.  Sections are attached by attribute (``m.axon = Cylinder(...)``)
    and reached the same way (``m.axon``, ``m['axon']``, ``m.LRL``); ``m.axon[30*um]`` is a place,
    ``m.axon[10*um:50*um]`` a set of compartments.
    """

    SOMA_READINGS: ClassVar[tuple[str, ...]] = readers.SOMA_READINGS

    # ------------------------------------------------------------ where from

    @classmethod
    def from_file(
        cls,
        path: str | PathLike[str],
        soma: str = "sphere",
        scale: float | None = None,
        min_radius: Quantity | None = None,
        spherical_soma: bool = True,
    ) -> Morphology:
        """Read a reconstruction; the suffix says how (.swc; .asc and .h5 through NeuroM).

        Parameters
        ----------
        path : str or path
            The file.
        soma : str
            How a soma of one sample (or of three in NeuroMorpho's form) is read: ``'sphere'``, isopotential,
            neurites without a link; ``'cylinder'``, length = diameter = 2 r, neurites at its far end;
            ``'brian'``, a sphere with cable from its centre to each neurite, as Brian 2 reads it.
        scale : float, optional
            Micrometres in one unit of the file; replaces what its header says.
        min_radius : Quantity, optional
            Radii from 0 to this are raised to it, after scaling.
        spherical_soma : bool
            False reads a soma of three samples as cable (Brian 2's argument; `soma` is then ignored).

        Raises
        ------
        MorphologyError
            For a file that is broken, with `.code`, `.line` and `.findings`.
        """
        return naming.grown_from(
            readers.load(path, soma if spherical_soma else "cable", scale, min_radius), Morphology
        )

    @classmethod
    def from_swc_file(cls, filename: str | PathLike[str], spherical_soma: bool = True) -> Morphology:
        """Read an SWC file as Brian 2 does: cable from the soma's centre to each neurite.

        Parameters
        ----------
        filename : str or path
            The file.
        spherical_soma : bool
            Whether a soma of three samples is a sphere (one sample always is).
        """
        return naming.grown_from(
            readers.load(filename, "brian" if spherical_soma else "cable", None, None), Morphology
        )

    @classmethod
    def from_points(cls, points: Sequence[Sequence[Any]], spherical_soma: bool = True) -> Morphology:
        """Make a morphology of points, read as Brian 2 does.

        Parameters
        ----------
        points : sequence of tuple
            (index, name of the type, x, y, z, diameter, parent) each, in um without units; parent -1 for the
            root.
        spherical_soma : bool
            As in `from_swc_file`.
        """
        return naming.grown_from(
            readers.from_points(points, "brian" if spherical_soma else "cable"), Morphology
        )

    @classmethod
    def grow(
        cls,
        kind: str,
        seed: int = 1,
        *,
        balance: float | None = None,
        spacing: float | None = None,
        axon: bool = True,
    ) -> Morphology:
        """Grow a cell.

        Parameters
        ----------
        kind : str
            ``'pyramidal'``, ``'purkinje'`` or ``'granule'``.
        seed : int
            The same seed gives the same cell.
        balance : float, optional
            Balancing factor between least cable (0) and direct paths (1); left out, the kind's own.
        spacing : float, optional
            Distance between samples (um), 1 to 50; left out, the kind's own.
        axon : bool
            Whether the cell has an axon.
        """
        return naming.grown_from(
            readers.from_growth(
                grow_samples(kind, seed, balance=balance, spacing=spacing, axon=axon), kind, seed
            ),
            Morphology,
        )

    # ------------------------------------------------------------ compartments

    def discretize(
        self,
        max_length: Quantity | None = None,
        n: int | Mapping[str, int] | Callable[[Any], int] | None = None,
        *,
        d_lambda: float | None = None,
        Ri: Quantity | None = None,
        Cm: Quantity | None = None,
        frequency: Quantity | None = None,
    ) -> Self:
        """The same shape in other compartments, all of a section equally long; frusta are integrated exactly.

        Parameters
        ----------
        max_length : Quantity, optional
            Longest compartment: a section gets ceil(length/max_length) of them.
        n : int, mapping or callable, optional
            Compartments of each section: a number, one for each region (``{'apical': 5}``; others get 1), or
            a function of the section.
        d_lambda : float, optional
            Longest compartment in length constants at `frequency` (Hines and Carnevale, Neuroscientist 7:123,
            2001).
        Ri, Cm, frequency : Quantity, optional
            Axial resistivity, specific capacitance and frequency for `d_lambda`; 100 Hz where left out.

        Returns
        -------
        Morphology
            A new one; this one stays.
        """
        choice = _discretize.Choice(max_length, n, d_lambda, Ri, Cm, frequency)
        fresh = copied(self)
        _discretize.cut_sections(list(fresh.walk()), fresh.flatten(), choice)
        changed(fresh)
        return fresh  # type: ignore[return-value]

    # ------------------------------------------------------------ regions

    def label(self, name: str, condition: Any) -> Self:
        """Name a region.

        Parameters
        ----------
        name : str
            The new name.
        condition : str, callable or array of bool
            A condition such as ``'apical and distance > 100*um'``, a function of the flattened tree, or one
            truth value for each compartment.

        Returns
        -------
        Morphology
            This one.
        """
        regions.add_label(self.root, name, condition)
        return self

    def region_arrays(self) -> dict[str, Any]:
        """Which compartments belong to the regions with fixed names.

        Returns
        -------
        dict of str to array of bool, shape (n,)
            ``soma``, ``axon``, ``basal`` (= ``dend``), ``apical`` (= ``apic``), ``type_5`` and so on as they
            occur, and labels that need no evaluation of text.
        """
        arrays = regions.region_arrays(self.root.flatten(), self.labels)
        span = self.span
        return {name: inside[span] for name, inside in arrays.items()}

    def variables(self) -> dict[str, tuple[Any, str]]:
        """Variables of compartments that conditions may use.

        Returns
        -------
        dict of str to (array, str)
            Values in SI base units, shape (n,), and the unit as text (``'1'`` for none).
        """
        everywhere = regions.variables(self.root.flatten())
        span = self.span
        return {name: (values[span], unit) for name, (values, unit) in everywhere.items()}

    # ------------------------------------------------------------ changes

    def remove(self, region: str | Callable[[Any], Any]) -> Self:
        """Take a region off, with everything that hangs on it.

        Parameters
        ----------
        region : str or callable
            Name of a region or section, or a function of the flattened tree that gives one truth value for
            each compartment; a section goes if it lies wholly in the region.

        Returns
        -------
        Morphology
            This one, changed.
        """
        edit.remove(self, region)
        return self

    def attach(self, place: Place | Selection, section: Morphology, name: str | None = None) -> Self:
        """Hang a section on a place, cutting the section there in two where it must be.

        Parameters
        ----------
        place : Place
            Where, as in ``m.apic[100*um]`` or ``m.sample(12)``.
        section : Morphology
            What to hang there.
        name : str, optional
            Its name; left out, a free one after its type.

        Returns
        -------
        Morphology
            This one, changed.
        """
        edit.attach(self, place, section, name)
        return self

    def copy_section(self) -> Self:
        """Copy one section alone, without parent and children."""
        return edit.copy_section(self)  # type: ignore[return-value]

    def generate_coordinates(
        self,
        section_randomness: float = 0.0,
        compartment_randomness: float = 0.0,
        overwrite_existing: bool = False,
        seed: int | None = None,
    ) -> Self:
        """Give coordinates to sections that have none, with lengths kept.

        Parameters
        ----------
        section_randomness : float
            Spread of the angle between a section and its parent (degrees); 0 lays children out in a plane.
        compartment_randomness : float
            Spread of the angle between compartments (degrees).
        overwrite_existing : bool
            Also replace coordinates that are there.
        seed : int, optional
            For the same angles again.

        Returns
        -------
        Morphology
            This one, changed.
        """
        edit.generate_coordinates(
            self, (section_randomness, compartment_randomness), overwrite_existing, seed
        )
        return self

    # ------------------------------------------------------------ looking

    def topology(self) -> report.Text:
        """The sections as a drawing in text: one line each, with its compartments."""
        return report.topology(self)

    def info(self, morphometrics: bool = False) -> report.Table:
        """Sections, compartments, length, area and volume by region.

        Parameters
        ----------
        morphometrics : bool
            Also the measures of NeuroM (needs ``pip install 'rall[morphology]'``).
        """
        return report.info(self, morphometrics)

    def plot(self, axes: Any = None, plane: str = "xy", color: Any = None) -> Any:
        """Draw a projection with Matplotlib, line widths to scale.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw.
        plane : str
            Two of x, y, z.
        color : colour, optional
            One for all; left out, one for each region.

        Returns
        -------
        matplotlib Axes
        """
        return report.plot(self, axes, plane, color)

    def view3d(self) -> Any:
        """Show it in three dimensions, with the viewer that is installed.

        Returns
        -------
        View
            As `rall.view3d` gives it.
        """
        show = cast(Callable[[Morphology], Any], find("rall.components", "view3d"))
        return show(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write an SWC file; the file appears whole or not at all.

        Parameters
        ----------
        path : str or path
            Where to; an existing file is replaced.
        """
        swc_write.save(self.flatten(), path)

    def __reduce__(self) -> tuple[Any, ...]:
        return naming.rebuild, naming.taken_apart(self)
