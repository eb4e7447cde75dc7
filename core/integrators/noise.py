"""White noise in equations, and random draws that hold for a step.

The symbols ``xi`` and ``xi_name`` stand for the derivative of independent Wiener processes.  Over a step of
length h the increment of one is ``sqrt(h)`` times a standard normal number, so that ``xi`` itself becomes
``randn()/sqrt(h)``: one draw for each symbol, element and step, however often a method evaluates the
equations.
"""

from __future__ import annotations

from dataclasses import replace

from rall.functions import is_stateful
from rall.integrators.base import NotIntegrable, System
from rall.ir.algebra import depends, linear_form
from rall.ir.nodes import ZERO, Call, Name, Node, call, div
from rall.ir.visit import is_noise, names, substitute, walk
from rall.model import Assign

__all__ = ["diffusion", "draw_noise", "forbid_noise", "hold_draws", "noise_symbols", "require_additive"]


def noise_symbols(*nodes: Node) -> tuple[str, ...]:
    """The noise symbols in some expressions.

    Parameters
    ----------
    *nodes : Node
        Right-hand sides.

    Returns
    -------
    tuple of str
        ``xi`` and ``xi_*``, sorted.
    """
    found: set[str] = set()
    for node in nodes:
        found.update(name for name in names(node) if is_noise(name))
    return tuple(sorted(found))


def forbid_noise(system: System, method: str) -> None:
    """Refuse a system with noise, for a method that has none.

    Parameters
    ----------
    system : System
        The equations.
    method : str
        Name of the method, for the message.

    Raises
    ------
    NotIntegrable
        If an equation has a noise symbol; names both.
    """
    for variable, rhs in system.equations.items():
        found = noise_symbols(rhs)
        if found:
            raise NotIntegrable(
                f"'{method}' has no noise, and the equation of '{variable}' has '{found[0]}'; "
                "use euler (additive noise), heun or milstein"
            )


def diffusion(system: System) -> tuple[dict[str, Node], dict[str, dict[str, Node]]]:
    """Split ``x' = f + g_1 xi_1 + ...`` into drift and factors of the noise.

    Parameters
    ----------
    system : System
        The equations.

    Returns
    -------
    dict of str to Node
        f of each variable.
    dict of str to dict of str to Node
        For each variable, from noise symbol to g; symbols that are absent are left out.

    Raises
    ------
    NotIntegrable
        If a noise symbol does not enter linearly.
    """
    drift: dict[str, Node] = {}
    factors: dict[str, dict[str, Node]] = {}
    for variable, rhs in system.equations.items():
        rest, factors[variable] = rhs, {}
        for symbol in noise_symbols(rhs):
            form = linear_form(rest, symbol)
            if form is None or noise_symbols(form[0]):
                raise NotIntegrable(
                    f"noise must enter as a factor times '{symbol}', and the equation of '{variable}' has it "
                    "otherwise"
                )
            rest = form[1]
            if form[0] is not ZERO:
                factors[variable][symbol] = form[0]
        drift[variable] = rest
    return drift, factors


def require_additive(system: System, method: str) -> None:
    """Refuse noise whose factor depends on a variable of the system.

    There the limits of Ito and of Stratonovich differ, and a method that evaluates the factor at the
    beginning of the step alone converges to Ito's, while equations mean Stratonovich's (Kloeden & Platen
    1992, section 4.9).

    Parameters
    ----------
    system : System
        The equations.
    method : str
        Name of the method, for the message.

    Raises
    ------
    NotIntegrable
        Names the equation, the noise and the methods that would do.
    """
    for variable, row in diffusion(system)[1].items():
        for symbol, factor in row.items():
            if depends(factor, system.equations):
                which = sorted(names(factor) & system.equations.keys())
                raise NotIntegrable(
                    f"'{method}' takes additive noise alone, and in the equation of '{variable}' the factor "
                    f"of '{symbol}' depends on '{which[0]}'; use heun or milstein"
                )


def draw_noise(system: System, h: Node) -> tuple[list[Assign], dict[str, Node]]:
    """One draw for each noise symbol.

    Parameters
    ----------
    system : System
        The equations.
    h : Node
        The step in seconds.

    Returns
    -------
    list of Assign
        ``_noise_xi = randn()/sqrt(h)``, in second**-0.5.  Each draw is a statement of its own, because equal
        calls within one statement are one draw.
    dict of str to Node
        From symbol to the local that stands for it during this step.
    """
    symbols = noise_symbols(*system.equations.values())
    value = div(call("randn"), call("sqrt", h))
    statements = [Assign(f"_noise_{symbol}", value) for symbol in symbols]
    return statements, {symbol: Name(f"_noise_{symbol}") for symbol in symbols}


def hold_draws(system: System) -> tuple[System, list[Assign]]:
    """Draw the random numbers in equations (``rand()`` and the like) once a step.

    Without this, every stage of a method would draw anew.

    Parameters
    ----------
    system : System
        The equations.

    Returns
    -------
    System
        The equations with locals for the draws.
    list of Assign
        The draws; the same call in two equations is two draws.
    """
    statements: list[Assign] = []
    equations: dict[str, Node] = {}
    for variable, rhs in system.equations.items():
        calls = [part for part in walk(rhs) if isinstance(part, Call) and is_stateful(part.op)]
        held: dict[Node, Node] = {part: Name(f"_draw_{variable}_{k}") for k, part in enumerate(calls)}
        # Operands come first: the draw of poisson(poisson(x)) finds its mean in the local of the inner one.
        for part in calls:
            inner = {key: value for key, value in held.items() if key is not part}
            statements.append(Assign(f"_draw_{variable}_{calls.index(part)}", substitute(part, inner)))
        equations[variable] = substitute(rhs, held)
    return (replace(system, equations=equations), statements) if statements else (system, [])
