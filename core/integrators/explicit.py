"""Methods that a script writes down itself: as a formula of one step, or as a function that writes statements."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations
from rall.errors import EquationError, PluginError
from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System, simultaneous
from rall.integrators.noise import diffusion, draw_noise, forbid_noise, hold_draws, noise_symbols, require_additive
from rall.ir.nodes import ZERO, Binary, Call, Name, Node, Number, add, div, mul, neg
from rall.ir.render import render
from rall.ir.statements import Statement, parse_statements
from rall.ir.visit import functions, names, substitute, walk
from rall.model import Assign
from rall.registry import register

__all__ = ["ExplicitStateUpdater", "StateUpdateMethod", "WrittenMethod", "as_integrator"]

_RESULT, _STATE, _TIME, _STEP, _INCREMENT = "x_new", "x", "t", "dt", "dW"
_GIVEN = frozenset((_STATE, _TIME, _STEP, _INCREMENT))
_SIGN: Mapping[str, Callable[[Node], Node]] = {"+": lambda node: node, "-": neg}
Check: TypeAlias = Callable[[Equations, Mapping[str, object]], object]


class StateUpdateMethod(AbstractIntegrator):
    """Brian's base of methods: a subclass says in ``__call__`` what `WrittenMethod` takes a function for."""

    name = "StateUpdateMethod"
    #: The least that a method can have: what a script writes down is not looked into.
    order = 1

    def __call__(self, equations: Equations, variables: Any = None, method_options: Any = None) -> str:
        """The statements of one step; for subclasses.

        Parameters
        ----------
        equations : Equations
            As of `WrittenMethod`.
        variables, method_options : object
            Not used.

        Returns
        -------
        str
            The statements.
        """
        raise NotIntegrable(f"'{type(self).__name__}' has neither __call__ nor step: it says nothing of its steps")

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        return WrittenMethod(self.__call__, type(self).__name__).step(system, h)

    @staticmethod
    def register(name: str, stateupdater: object) -> None:
        """Give a method a name that ``method=`` takes from here on.

        Parameters
        ----------
        name : str
            Such as ``'my_euler'``.
        stateupdater : AbstractIntegrator or callable
            The method: an `ExplicitStateUpdater`, say, or a function from `Equations` to statements.

        Raises
        ------
        PluginError
            If the name is taken, or this is no method.
        """
        register("rall.integrators", name, as_integrator(stateupdater, str(name)))


class ExplicitStateUpdater(StateUpdateMethod):
    """An explicit method, described by the formulas of one step.

    A line each: intermediate values, and at last ``x_new``.  They are made of the state ``x``, the time ``t``, the
    step ``dt``, the slope ``f(x, t)``, the factor of the noise ``g(x, t)``, the increment ``dW`` of the Wiener
    process (normal, with variance dt) and values above.  With several noise symbols a term with ``dW`` stands for
    their sum.

    Parameters
    ----------
    description : str
        The lines.
    stochastic : {'additive', 'multiplicative'}, optional
        Which noise the method is for; without it, equations with noise are refused.
    custom_check : callable, optional
        Called with the equations and an empty mapping; raises an error for equations that the method cannot take.
    name : str
        For messages.

    Raises
    ------
    EquationError
        If the description cannot be understood; shows the place.

    Examples
    --------
    >>> heun = ExplicitStateUpdater('''k = dt*f(x, t)
    ...                                x_new = x + (k + dt*f(x + k, t + dt))/2''')
    >>> heun.statements[0].target
    'k'
    """

    def __init__(
        self,
        description: str,
        stochastic: Literal["additive", "multiplicative"] | None = None,
        custom_check: Check | None = None,
        name: str = "ExplicitStateUpdater",
    ) -> None:
        if stochastic not in (None, "additive", "multiplicative"):
            raise EquationError(
                f"stochastic is 'additive', 'multiplicative' or None, not {stochastic!r}; it says which noise "
                "the method converges with"
            )
        self.name, self.description, self.stochastic, self.custom_check = name, description, stochastic, custom_check
        self.statements = tuple(parse_statements(description))
        _check(self.statements, stochastic is not None)

    def __repr__(self) -> str:
        return f"ExplicitStateUpdater({self.description!r}, stochastic={self.stochastic!r})"

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        if self.custom_check is not None:
            self.custom_check(_equations(system), {})
        system, statements = hold_draws(system)
        if self.stochastic is None:
            forbid_noise(system, self.name)
        elif self.stochastic == "additive":
            require_additive(system, self.name)
        draws, held = draw_noise(system, h)
        statements += draws
        for symbol, value in held.items():
            statements.append(Assign(f"_dW_{symbol}", mul(h, value)))
        writer = _Writer(system, h)
        for line in self.statements[:-1]:
            statements += writer.intermediate(line)
        new = {v: writer.summed(self.statements[-1].node, v) for v in system.equations}
        return Step((*statements, *simultaneous(new)))

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """See `AbstractIntegrator.growth`: the formulas with ``f(x, t) = z x``, a step of 1 and no noise."""
        values: dict[str, Any] = {_STATE: np.ones_like(z), _TIME: 0.0, _STEP: 1.0, _INCREMENT: 0.0}
        for line in self.statements:
            values[line.target] = _number(line.node, values, z)
        return np.asarray(np.abs(values[_RESULT] * np.ones_like(z)), float)


def _check(statements: Sequence[Statement], noise: bool) -> None:
    known = set(_GIVEN if noise else _GIVEN - {_INCREMENT})
    for line in statements:
        if line.op != "=" or line.target in _GIVEN or line.target in known:
            raise line.value.error(
                f"'{line.target} {line.op} ...' cannot stand in the description of a method: each line gives a new "
                f"name its value, and the last gives it to {_RESULT}"
            )
        for part in walk(line.node):
            _check_part(part, line, known, noise)
        known.add(line.target)
    if not statements or statements[-1].target != _RESULT:
        raise EquationError(f"the description of a method ends with the line '{_RESULT} = ...'")


def _check_part(part: Node, line: Statement, known: set[str], noise: bool) -> None:
    if isinstance(part, Name) and part.id not in known:
        hint = "; it needs stochastic='additive' or 'multiplicative'" if part.id == _INCREMENT else ""
        raise line.value.error(
            f"the description of a method has no '{part.id}' here{hint}; known: {', '.join(sorted(known))}, "
            "f(x, t) and g(x, t)",
            part,
        )
    if isinstance(part, Call) and part.op in ("f", "g"):
        if len(part.children) != 2:
            raise line.value.error(f"{part.op} takes a state and a time: {part.op}(x, t)", part)
        if part.op == "g" and not noise:
            raise line.value.error("g is the factor of noise; give stochastic='additive' or 'multiplicative'", part)
    elif isinstance(part, Call) and part.op != "sqrt":
        raise line.value.error(f"the description of a method takes f, g and sqrt, not {part.op}()", part)
    elif not isinstance(part, (Name, Number, Binary, Call)):
        raise line.value.error("the description of a method takes + - * / ** alone", part)


class _Writer:
    """Writes the lines of a description for the variables of a system."""

    def __init__(self, system: System, h: Node) -> None:
        self.system, self.h = system, h
        self.drift, self.factors = diffusion(system)
        self.symbols = noise_symbols(*system.equations.values())
        #: Intermediate values that hold a factor of the noise: one for each symbol.
        self.several: set[str] = set()

    def intermediate(self, line: Statement) -> list[Assign]:
        """Locals for one line: one a variable, or one a variable and noise symbol."""
        terms = _terms(line.node)
        if not any(self._indexed(term) and _INCREMENT not in names(term) for term in terms):
            return [Assign(f"_{line.target}_{v}", self.summed(line.node, v)) for v in self.system.equations]
        self.several.add(line.target)
        return [
            Assign(f"_{line.target}_{v}_{symbol}", self.written(line.node, v, symbol))
            for v in self.system.equations
            for symbol in self.symbols
        ]

    def summed(self, node: Node, variable: str) -> Node:
        """A formula for a variable, its terms with noise summed over the symbols."""
        total: Node = ZERO
        for term in _terms(node):
            if self._indexed(term):
                for symbol in self.symbols:
                    total = add(total, self.written(term, variable, symbol))
            else:
                total = add(total, self.written(term, variable, None))
        return total

    def _indexed(self, term: Node) -> bool:
        return bool(names(term) & {_INCREMENT, *self.several}) or "g" in functions(term)

    def written(self, node: Node, variable: str, symbol: str | None) -> Node:
        """A formula for a variable and one noise symbol."""
        inside: dict[str, dict[Node, Node]] = {v: {} for v in self.system.equations}
        for part in walk(node):
            for v, done in inside.items():
                operands = tuple(done[child] for child in part.children)
                if isinstance(part, Call) and part.op in ("f", "g"):
                    done[part] = self._slope(part, v, symbol, inside)
                else:
                    done[part] = self._name(part.id, v, symbol) if isinstance(part, Name) else part.rebuild(operands)
        return inside[variable][node]

    def _name(self, name: str, variable: str, symbol: str | None) -> Node:
        if name in self.several:
            return Name(f"_{name}_{variable}_{symbol}")
        given = {
            _STATE: Name(variable), _TIME: Name(self.system.time or _TIME), _STEP: self.h,
            _INCREMENT: Name(f"_dW_{symbol}"),
        }  # fmt: skip
        return given.get(name, Name(f"_{name}_{variable}"))

    def _slope(self, part: Call, variable: str, symbol: str | None, inside: Mapping[str, dict[Node, Node]]) -> Node:
        """``f`` or ``g`` of a variable where the call says."""
        state, time = part.children
        whole = self.drift[variable] if part.op == "f" else self.factors[variable].get(symbol or "", ZERO)
        at = {v: done[state] for v, done in inside.items()}
        if self.system.time is not None:
            at[self.system.time] = inside[variable][time]
        return substitute(whole, at)


def _terms(node: Node) -> list[Node]:
    """What a sum consists of; a factor without noise is taken into the sum that it stands before."""
    if isinstance(node, Binary) and node.op in _SIGN:
        left, right = node.children
        return [*_terms(left), *map(_SIGN[node.op], _terms(right))]
    if isinstance(node, Binary) and node.op in ("*", "/"):
        left, right = node.children
        if not _noisy(right):
            return [mul(term, right) if node.op == "*" else div(term, right) for term in _terms(left)]
        if node.op == "*" and not _noisy(left):
            return [mul(left, term) for term in _terms(right)]
    return [node]


def _noisy(node: Node) -> bool:
    return not names(node) <= {_STEP} or bool(functions(node) & {"f", "g"})


def _number(node: Node, values: Mapping[str, Any], z: NDArray[np.complex128]) -> Any:
    done: dict[Node, Any] = {}
    arithmetic: dict[str, Callable[[Any, Any], Any]] = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power, "//": np.floor_divide,
        "%": np.mod,
    }  # fmt: skip
    for part in walk(node):
        inner = [done[child] for child in part.children]
        if isinstance(part, Number):
            done[part] = part.value
        elif isinstance(part, Name):
            done[part] = values[part.id]
        elif isinstance(part, Call):
            done[part] = np.sqrt(inner[0]) if part.op == "sqrt" else inner[0] * (z if part.op == "f" else 0.0)
        elif isinstance(part, Binary):
            done[part] = arithmetic[part.op](*inner)
    return done[node]


class WrittenMethod(AbstractIntegrator):
    """A method that is a function from equations to statements.

    Parameters
    ----------
    function : callable
        Takes the `Equations` (with subexpressions written out and without units), an empty mapping and None, or as
        many of these as it has arguments; gives the statements of one step as text, in which ``dt`` is the step.
        Names that are no variables are values of their own; ``xi`` and its like are noise.
    name : str
        For messages.
    """

    order = 1

    def __init__(self, function: Callable[..., str], name: str) -> None:
        self.function, self.name = function, name
        self._count = _argument_count(function, 3)

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        text = self.function(*(_equations(system), {}, None)[: self._count])
        if not isinstance(text, str):
            raise NotIntegrable(
                f"the method '{self.name}' gave {text!r:.60}; a function that is a method gives statements as text"
            )
        lines = parse_statements(text)
        draws, held = draw_noise(System({str(k): line.node for k, line in enumerate(lines)}), h)
        values: dict[str, Node] = {**held, _STEP: h}
        statements: list[Assign] = list(draws)
        for line in lines:
            target = line.target if line.target in system.equations else f"_set_{line.target}"
            value = substitute(line.node, values)
            if line.op != "=":
                value = Binary(line.op[:-1], values.get(line.target, Name(line.target)), value)
            statements.append(Assign(target, value))
            values[line.target] = Name(target)
        return Step(tuple(statements))


def as_integrator(method: object, name: str | None = None) -> AbstractIntegrator:
    """A method as such: an integrator as it is, a function wrapped.

    Parameters
    ----------
    method : AbstractIntegrator, class of these, or callable
        What the user gave.
    name : str, optional
        For messages; by default that of the function.

    Raises
    ------
    PluginError
        If it is neither.
    """
    if isinstance(method, type) and issubclass(method, AbstractIntegrator):
        method = method()
    if isinstance(method, AbstractIntegrator):
        return method
    if callable(method):
        return WrittenMethod(method, str(name or getattr(method, "__name__", repr(method))))
    raise PluginError(
        f"{method!r:.60} is no integration method: that is an ExplicitStateUpdater, or a function from Equations to "
        "statements"
    )


def _argument_count(function: Callable[..., object], most: int) -> int:
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return most
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(most, sum(kind in by_place for kind in kinds))


def _equations(system: System) -> Equations:
    """The system as a script would write it."""
    return Equations("\n".join(f"d{v}/dt = {render(rhs)} : 1" for v, rhs in system.equations.items()))
