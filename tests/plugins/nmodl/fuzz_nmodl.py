"""Mutated NMODL: a result or an error of rall each time, never another exception; `use` is what is tried.

Run for long with ``python tests/benchmarks/fuzz.py``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from rall.errors import NmodlError, RallError
from rall.plugins.nmodl.parser import parse

SEEDS = (
    """TITLE a channel
COMMENT
words
ENDCOMMENT
NEURON {
    SUFFIX slow
    USEION k READ ek WRITE ik
    RANGE gbar, g
    GLOBAL tau0
    THREADSAFE
}
UNITS {
    (mV) = (millivolt)
    (S) = (siemens)
    F = (faraday) (coulombs)
}
PARAMETER {
    gbar = 1e-3 (S/cm2) <0, 1e9>
    tau0 = 4 (ms)
    celsius (degC)
}
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) g (S/cm2) ninf ntau (ms) }
STATE { n }
INITIAL {
    rates(v)
    n = ninf
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar*n^4
    ik = g*(v - ek)
}
DERIVATIVE states {
    rates(v)
    n' = (ninf - n)/ntau
}
PROCEDURE rates(v (mV)) { LOCAL a, b, q10
    TABLE ninf, ntau DEPEND celsius FROM -100 TO 100 WITH 200
UNITSOFF
    q10 = 3^((celsius - 6.3(degC))/10)
    a = 0.01*vtrap(-(v + 55), 10) : opening
    b = 0.125*exp(-(v + 65)/80)
    ntau = tau0/(q10*(a + b))
    ninf = a/(a + b)
UNITSON
}
FUNCTION vtrap(x, y) {
    IF (fabs(x/y) < 1e-6) {
        vtrap = y*(1 - x/y/2)
    } ELSE IF (x > 1000) {
        vtrap = x
    } ELSE {
        vtrap = x/(exp(x/y) - 1)
    }
}
""",
    """NEURON {
    POINT_PROCESS pulse
    RANGE tau, e, i
    NONSPECIFIC_CURRENT i
    POINTER other
}
PARAMETER { tau = 2 (ms) e = 0 (mV) }
ASSIGNED { v (mV) i (nA) last (ms) other }
STATE { s (uS) }
INITIAL { s = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp i = s*(v - e) }
DERIVATIVE decay { s' = -s/tau }
NET_RECEIVE (weight (uS), y) {
    INITIAL { y = 1 }
    IF (flag == 0 && !(y >= 2 || y != 1)) {
        s = s + weight*y
        net_send(1, 2)
    }
    WATCH (v > -20) 3
VERBATIM
    return;
ENDVERBATIM
}
""",
    """NEURON { SUFFIX scheme USEION ca READ cai, cao WRITE ica VALENCE 2 }
DEFINE SHELLS 3
PARAMETER { kf = 2 (/mM-ms) kb = .5 (/ms) x[SHELLS] }
STATE { free[SHELLS] (mM) <1e-6> bound FROM 0 TO 1 }
LOCAL volume[SHELLS]
BREAKPOINT { SOLVE binding METHOD sparse ica = (1e-3)*bound }
INITIAL { SOLVE start STEADYSTATE sparse FROM i = 0 TO SHELLS-1 { free[i] = cai } }
KINETIC binding {
    COMPARTMENT i, volume[i] { free }
    ~ free[0] + 2 bound <-> free[1] (kf, kb)
    ~ bound << (-ica*(1e4))
    ~ bound -> (kb)
    CONSERVE free[0] + bound = 1
}
LINEAR start {
    ~ bound = 2*kf
    ~+ kf = 1
}
FUNCTION_TABLE lookup(v (mV)) (/ms)
BEFORE BREAKPOINT { WHILE (kf < 3) { kf = kf + 1 } }
""",
)
WORDS = (
    "{", "}", "(", ")", "[", "]", ",", "=", "'", "^", "~", "~+", "<->", "->", "<<", "!", "&&", "-", ":", "?", '"',
    "\n", "\r", "\t", "\x00", "\x1a", "\u00b5", "\u00a0", "\ud800", "\U0001d499", "\ufeff", ";", "**", "==", "@",
    "1e999", "9" * 400, "0.", ".5", "1 (mV)", "(", "(" * 150, "-" * 150, "{" * 60, "x[" * 120, "f(" * 120,
    "a+" * 250, "a^" * 120, "ELSE IF (1) {} " * 120, "COMMENT\n", "ENDCOMMENT\n", "VERBATIM\n", "ENDVERBATIM\n",
    "TITLE", "UNITSOFF", "UNITSON", "REPRESENTS", "INCLUDE \"none.inc\"", "DEFINE n 4", "LOCAL", "IF", "ELSE",
    "FROM", "TO", "WHILE", "SOLVE", "METHOD", "TABLE", "NEURON", "STATE", "PARAMETER", "INITIAL", "PROCEDURE f()",
    "KINETIC", "LINEAR", "NET_RECEIVE", "WATCH", "CONSERVE", "COMPARTMENT", "PROTECT", "INDEPENDENT", "n", "v",
)  # fmt: skip
_PIECES = re.compile(r"\s+|:[^\n]*|[A-Za-z_][A-Za-z0-9_]*'*|[0-9.]+|.", re.DOTALL)


def mutate(text: str, rng: random.Random, changes: int) -> str:
    """`text` with words, or characters, put in, left out, doubled or exchanged."""
    for _ in range(changes):
        pieces = _PIECES.findall(text) if rng.random() < 0.6 else list(text)
        place = rng.randrange(len(pieces) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            pieces.insert(place, rng.choice(WORDS))
        elif kind == 1:
            del pieces[place : place + rng.randint(1, 4)]
        elif kind == 2:
            pieces[place : place + 1] = [f" {rng.choice(WORDS)} "]
        elif kind == 3:
            other = rng.randrange(len(pieces) + 1)
            pieces[place:place] = pieces[other : other + rng.randint(1, 30)]
        elif kind == 4:
            pieces = pieces[:place]
        else:
            pieces.insert(place, chr(rng.choice((rng.randint(0, 255), rng.randint(0, 0x10FFFF)))))
        text = "".join(pieces)
    return text


def check(text: str, use: Callable[[str], object] = parse) -> str:
    """Try `use` on a text.

    Parameters
    ----------
    text : str
    use : callable
        What takes the text of a file.

    Returns
    -------
    str
        ``'read'``, or for what error was refused.
    """
    try:
        use(text)
    except RallError as error:
        assert str(error), "an error without a message"
        assert len(str(error)) < 2000, "an error that nobody can read"
        if isinstance(error, NmodlError):
            assert error.file, "an error that does not name the file"
        return type(error).__name__
    return "read"
