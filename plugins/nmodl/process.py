"""Point processes: synapses if events reach them or they read another cell, else currents of compartments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rall.channels.receptor import Receptor
from rall.equations import Equations
from rall.errors import RallError
from rall.plugins.nmodl.algebra import evaluate, names
from rall.plugins.nmodl.assemble import Assembled, Parameter, assemble
from rall.plugins.nmodl.draft import Draft
from rall.plugins.nmodl.file_units import units_of
from rall.plugins.nmodl.mechanism import Mechanism, renamed, replaced
from rall.plugins.nmodl.processlines import translate_process
from rall.plugins.nmodl.syntax import Expression, Program
from rall.units import Quantity, dimension_of, ms, value_of

__all__ = ["PointProcess"]

_OTHER_SIDE = re.compile(r"\b\w+_(?:pre|post)\b")


@dataclass(frozen=True)
class _Form:
    """A point process as synapses or as currents: its equations, those of the cell, and delays of pathways in ms."""

    own: Assembled
    cell: Assembled
    delays: Mapping[str, Expression]


class PointProcess(Mechanism):
    """A point process: call it with values for its parameters.

    With NET_RECEIVE it is the model of synapses, and calling it gives what `Synapses` takes; so it is if a parameter
    is what another cell has (``vgap='v_pre'``).  All others are equations for the compartments where they are put.

    Parameters
    ----------
    program : Program
        The file.
    units : str
        See `load_mod`.

    Attributes
    ----------
    name, kind, title, parameters, notices, equations
        See `Mechanism`; `equations` are those of a synapse, or of a compartment.
    weight : str
        The variable of a synapse that is NEURON's ``weight[0]``; empty without NET_RECEIVE.

    Examples
    --------
    >>> syn = load_mod("Exp2Syn.mod")(tau2=3*ms)                          # doctest: +SKIP
    >>> cell = SpatialNeuron(morpho, channels.leak() + syn.current, ...)  # doctest: +SKIP
    >>> onto = Synapses(inputs, cell, **syn)                              # doctest: +SKIP
    >>> onto.connect(i=0, j=cell.apic[100*um])                            # doctest: +SKIP
    >>> onto.weight = 0.5*nS                                              # doctest: +SKIP
    """

    def __init__(self, program: Program, units: str) -> None:
        self._program, self._units = program, units
        self._receives = any(block.kind == "NET_RECEIVE" for block in program.blocks)
        self._form = self._made(self._receives)
        super().__init__(program, self._form.own, units == "lenient")
        self._waits = self._times_to_wait()
        self.parameters = {**self._waits, **self.parameters}
        arguments = next((block.arguments for block in program.blocks if block.kind == "NET_RECEIVE"), ())
        self.weight = self.parameters[arguments[0][0]].shown if arguments and arguments[0][0] in self.parameters else ""

    def _times_to_wait(self) -> dict[str, Parameter]:
        """Parameters that say when events come back, which no equation has to know."""
        table = units_of(self._program, lambda error, at: None)
        found = {}
        for one in self._program.declarations:
            if any(one.name in names(wait) for wait in self._form.delays.values()):
                unit = table.unit(one.unit or "1")
                one_of = 1.0 if unit.is_plain else unit.quantity(1.0)
                text = "1" if unit.is_plain else str(unit)
                found[one.name] = Parameter(one.name, one.name, (one.value or 0.0) * one_of, text, one_of, None, True)
        return found

    def _made(self, synaptic: bool) -> _Form:
        draft = translate_process(self._program, synaptic)
        lenient, strict = self._units == "lenient", self._units == "strict"
        cell = assemble(Draft(self._program, draft.of_cell, (), draft.own, ()), lenient, strict)
        delays = {one.name: one.interval for one in draft.pathways if one.interval is not None}
        return _Form(assemble(draft, lenient, strict), cell, delays)

    @cached_property
    def _as_synapse(self) -> _Form:
        return self._form if self._receives else self._made(True)

    def __call__(  # type: ignore[override]  # a mechanism of synapses is more than equations
        self,
        name: str | None = None,
        celsius: float | None = None,
        T: Quantity | None = None,
        delay: Quantity | None = None,
        **parameters: Quantity | float | str,
    ) -> Receptor | Equations:
        """A receptor for `Synapses`, or equations for a cell.

        Parameters
        ----------
        name : str, optional
            What the name of the current ends in, the file's own name if not given.
        celsius : float, optional
            The temperature in degrees Celsius; 6.3 if nothing is given, as in NEURON.
        T : Quantity, optional
            The absolute temperature instead.
        delay : Quantity, optional
            Of all synapses, where events come back after a time (``net_send``): their delays are longer by that.
            Otherwise `Synapses` takes it as well.
        **parameters : Quantity, float or str
            Values by the names in the file.  What is given as a text with variables of the two sides (``'v_pre'``),
            and every POINTER, is computed in each step; other texts are expressions evaluated once.

        Returns
        -------
        Receptor or Equations

        Raises
        ------
        RallError
            For a parameter that there is not, or a number without its unit.
        """
        own = name or self.name
        followed = {key: text for key, text in parameters.items() if isinstance(text, str) and self._follows(key, text)}
        synaptic = self._receives or any(_OTHER_SIDE.search(text) for text in followed.values())
        form = self._as_synapse if synaptic else self._form
        known = {**self._waits, **{p.name: p for p in form.own.parameters}}
        values = self._values({key: x for key, x in parameters.items() if key not in followed}, own, known)
        shown = {renamed(self._known(key, known).shown, self.name, own): text for key, text in followed.items()}
        base = _linked(self._of(form.own, own), shown)
        cell = self._of(form.cell, own)
        if celsius is not None or T is not None:
            values |= self._temperature(celsius, T, base)
        model = Equations(base, defaults={k: x for k, x in values.items() if k in base})
        if not synaptic:
            return model
        return Receptor(model, self._on_pre(form, own), cell, self._delays(form, parameters, delay))

    def _follows(self, key: str, text: str) -> bool:
        return key in self._program.neuron.pointers or bool(_OTHER_SIDE.search(text))

    def _on_pre(self, form: _Form, own: str) -> str | Mapping[str, str]:
        table = {one: renamed(one, self.name, own) for one in form.own.names}
        pathways = {key: replaced(text, table) for key, text in form.own.pathways.items()}
        return pathways.get("pre", "") if len(pathways) < 2 else pathways

    def _delays(
        self, form: _Form, parameters: Mapping[str, Quantity | float | str], delay: Quantity | None
    ) -> dict[str, Quantity]:
        first = 0 * ms if delay is None else delay
        if dimension_of(first) is not dimension_of(ms):
            raise RallError(f"delay= is a time such as 2*ms, not {delay!r:.60}")
        if not form.delays:
            return {} if delay is None else {"pre": first}
        return {
            "pre": first, **{key: first + self._interval(wait, parameters) * ms for key, wait in form.delays.items()}
        }  # fmt: skip

    def _interval(self, wait: Expression, parameters: Mapping[str, Quantity | float | str]) -> float:
        """How long a pathway waits, in ms."""

        def number(name: str) -> float:
            known = self._waits[name]
            given = parameters.get(name, known.default)
            if isinstance(given, str):
                raise RallError(f"'{name}' of {self.name} is a time that events wait, and must be a number")
            return float(value_of(self._value(known, given))) / float(value_of(known.one))

        return evaluate(wait, number)


def _linked(equations: Equations, texts: Mapping[str, str]) -> Equations:
    """Equations in which some parameters are expressions."""
    if not texts:
        return equations
    lines = [f"{name} = {text} : {equations[name].unit}" for name, text in texts.items()]
    return equations.without(set(texts)) + Equations("\n".join(lines))
