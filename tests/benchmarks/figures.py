"""What the tasks come to with backward Euler at 0.025 ms, where peers agree (the README of ``../shared/peers``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["differences"]

#: Figures and how far off they may be; times in ms.
FIGURES: dict[str, dict[str, Any]] = {
    "t1": {
        "near": {"n_spikes": (18, 0), "first_ms": (1.333, 0.0005), "last_ms": (249.804, 0.005)},
        "far": {
            "n_spikes": (17, 0), "first_ms": (4.1194, 0.0005), "last_ms": (237.906, 0.005), "vmax_mV": (45.9, 0.005),
        },
    },
    "t2a": {
        "soma0": {
            "n_spikes": (90, 0), "first_ms": (0.9985, 0.0005), "tenth_ms": (101.782, 0.005),
            "last_ms": (993.036, 0.005), "vmax_mV": (40.67, 0.005),
        },
    },
    "t2b": {"spikes": (997, 0), "spikes_last_cell": (11, 0)},
    # Events on the grid make each of the eight hops of a lap up to a step later: 0.2 ms a lap. NEURON with
    # exact rates comes to 54.525, 106.725 and 158.925, and one that updates in another order may be a lap's worth off.
    "t3": {"spikes": (992, 0), "cell0": [(2.5, 0.05), (54.5, 0.25), (106.6, 0.35), (158.7, 0.45)]},
}  # fmt: skip


def differences(task: str, check: Mapping[str, Any]) -> list[str]:
    """Figures that are off.

    Parameters
    ----------
    task : str
        Its name; one that has no figures differs in none.
    check : mapping
        What a program of the task has found.

    Returns
    -------
    list of str
        A line for each.
    """
    return list(_compare(task, FIGURES.get(task, {}), check))


def _compare(place: str, wanted: Any, found: Any) -> Iterator[str]:
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            yield from _compare(f"{place} {name}", value, found.get(name))
    elif isinstance(wanted, list):
        for k, value in enumerate(wanted):
            yield from _compare(f"{place} {k}", value, found[k] if k < len(found) else None)
    elif found is None or abs(found - wanted[0]) > wanted[1]:
        yield f"{place} is {found}, and should be {wanted[0]}"
