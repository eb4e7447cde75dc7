"""Mutated equations: an answer or a rall error each time, never another exception.

Run for long with ``python tests/core/fuzz_equations.py 100000``.
"""

from __future__ import annotations

import random
import sys
import warnings

from rall.equations import Equations, check_equations, infer
from rall.equations.flags import parse_flags
from rall.errors import RallError, RallWarning
from rall.ir.parse import Source, parse
from rall.ir.statements import parse_statements

SEEDS = (
    """dv/dt = (g_l*(E_l - v) + I)/Cm + s*xi : volt (unless refractory)  # membrane
g_l : siemens (constant)
I = 3*nA*sin(2*pi*t/(10*ms)) : amp
n : integer
hot = v > -20*mV and not n == 3 : boolean""",
    """dm/dt = 0.32*(mV**-1)*4*mV/exprel((13.*mV-v+VT)/(4*mV))/ms*(1-m)
      - 0.28*(mV**-1)*5*mV/exprel((v-VT-40.*mV)/(5*mV))/ms*m : 1
v : volt
VT : volt (shared, constant)""",
    """I_Ca = p_Ca*s**2*ghk(v, 2, Ca, Ca_o, T) : amp/meter**2 (membrane current)
Ca : mM (species, D=220*um**2/second, shells=8)
Ca + B <-> CaB : k_on, k_off
Ca => 0 : Vmax*Ca/(Ca + Km)
w = 1 if v > 3*mV else 2 : 1 (constant over dt)""",
    """\"\"\"documentation\"\"\"
x_post = w*s_syn : siemens**-0.5*(metre/second)**2 (summed)
dg/dt = -g/tau : siemens (clock-driven)""",
)
PIECES = (
    ":", "=", "(", ")", ",", "\n", "#", "**", "//", "d", "/dt", "if", "else", "and", "not", "xi", "1e999",
    "9" * 400, "-",
    "\x00", "é", "µ", "\u2028", "\r", "\t", "'", '"', '"""', "[", "]", "{", ";", "\\", "<->", "=>", "mV",
    "volt", "1",
    "integer", "boolean", "constant", "event-driven", "t", "dt", "_", "_value_g", "exp(", "-1", ".", "..",
    "e", "inf",
    "(" * 50, "(" * 250, "-" * 250, "**2" * 100, "**-1e300", "**0.5", "\ud800", "𝒙", "١", "²", "%", "^",
    "&&", "!=", "<=",
)  # fmt: skip


def check(text: str) -> bool:
    """Whether `text` is accepted as equations; everything else rall does with it must not fail strangely."""
    accepted = True
    for use in (_equations, parse, parse_statements, _flags):
        try:
            use(text)
        except RallError as error:
            assert str(error), "an error without a message"
            accepted = accepted and use is not _equations
    return accepted


def _equations(text: str) -> None:
    equations = Equations(text)
    again = Equations(str(equations))
    assert again.names == equations.names, (str(equations), str(again))
    assert again == equations, (str(equations), str(again))
    assert hash(again) == hash(equations)
    try:
        check_equations(equations)
    except RallError:
        pass
    equations.substituted(include_subexpressions=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RallWarning)  # not all have a tau
        renamed = Equations(equations, **{name: "renamed" for name in equations.names[:1]}, tau=3.0)
    for line in renamed.lines:
        if line.value is not None:
            try:
                infer(line.value, {})
            except RallError:
                pass


def _flags(text: str) -> None:
    parse_flags(text, Source(text))


def mutate(text: str, rng: random.Random, changes: int) -> str:
    """`text` with pieces put in, cut out, doubled or exchanged."""
    for _ in range(changes):
        a, b = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        b = min(b, a + 12)
        kind = rng.randint(0, 4)
        if kind == 0:
            text = text[:a] + rng.choice(PIECES) + text[a:]
        elif kind == 1:
            text = text[:a] + text[b:]
        elif kind == 2:
            text = text[:b] + text[a:]
        elif kind == 3:
            text = text[:a] + rng.choice(PIECES) + text[b:]
        else:
            text = text[:a] + chr(rng.choice((rng.randint(0, 255), rng.randint(0, 0x10FFFF)))) + text[a:]
    return text


def main(examples: int) -> None:
    """Try many mutations and say how many were accepted."""
    accepted = 0
    for seed in range(examples):
        rng = random.Random(seed)
        text = mutate(rng.choice(SEEDS), rng, rng.randint(0, 5))
        try:
            accepted += check(text)
        except BaseException:
            print(f"seed {seed}: {text!r}")
            raise
    print(f"{examples} examples, {accepted} accepted, no other exception than rall's")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
