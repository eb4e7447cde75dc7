"""The user's C functions in a kernel's file: what is included before everything, and the functions themselves."""

from __future__ import annotations

from collections.abc import Sequence

from rall.ir.called import Called

__all__ = ["own_text", "top_text"]

# abs of a double is the integer function in C and the right one in C++; a function that is only ``inline`` has no
# body of its own in C99 and has one in C++.
_TOP = """\
#define _USE_MATH_DEFINES
#if defined(__cplusplus)
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#else
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#endif"""
_BEGIN = """\
#if !defined(__cplusplus)
#define abs(x) _Generic((x), float: fabsf, double: fabs, long: labs, long long: llabs, default: abs)(x)
#define inline __inline __attribute__((gnu_inline))
#endif"""
_END = """\
#if !defined(__cplusplus)
#undef abs
#undef inline
#endif"""


def top_text(functions: Sequence[Called]) -> list[str]:
    """Lines that go before all others, nothing without functions of the user's.

    Parameters
    ----------
    functions : sequence of Called
        Those with C text count.
    """
    texts = [function.c for function in functions if function.c is not None]
    if not texts:
        return []
    return [_TOP, *dict.fromkeys(line for text in texts for line in text.includes)]


def own_text(functions: Sequence[Called]) -> list[str]:
    """The functions, each once, after those that they call.

    Parameters
    ----------
    functions : sequence of Called
        Those with C text count.
    """
    blocks = {name: text for function in functions if function.c for name, text in function.c.blocks}
    # From here on lines are counted as those of the kernel again.
    return [_BEGIN, *blocks.values(), _END, '#line 1 "kernel"'] if blocks else []
