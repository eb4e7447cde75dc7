"""From a wired tree to cable: even sample spacing, gentle bends, and diameters after Rall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rall.morphology.grow_wiring import Floats, Ints, Skeleton, normals

__all__ = ["Taper", "bend", "diameters", "resample"]


@dataclass(frozen=True)
class Taper:
    """How thick the neurites of one SWC type are.

    Parameters
    ----------
    stem : tuple of float
        Least and greatest diameter at the soma, in um.
    tip : tuple of float
        Least and greatest diameter at a tip, in um.
    rate : float
        Growth of the diameter of a section towards the soma, as a fraction in 100 um.
    flare : float
        Diameter in um added where the neurite leaves the soma (an axon hillock, say).
    flare_length : float
        Path in um over which the flare falls to 1/e.
    """

    stem: tuple[float, float]
    tip: tuple[float, float]
    rate: float = 0.1
    flare: float = 0.0
    flare_length: float = 10.0


@dataclass(frozen=True)
class _Section:
    """Points between two forks, without the fork it leaves from; `above` is the section it continues."""

    nodes: list[int]
    above: int
    length: float


def _sections(tree: Skeleton) -> list[_Section]:
    """Sections of a tree, parents first; each neurite's first starts at its point on the soma."""
    below: list[list[int]] = [[] for _ in tree.parent]
    for node, parent in enumerate(tree.parent.tolist()):
        if parent >= 0:
            below[parent].append(node)
    lengths = tree.lengths
    sections: list[_Section] = []
    todo = [(node, -1) for node in reversed(below[0])]
    while todo:
        node, above = todo.pop()
        nodes = [node]
        while len(below[nodes[-1]]) == 1:
            nodes.append(below[nodes[-1]][0])
        todo += [(child, len(sections)) for child in reversed(below[nodes[-1]])]
        sections.append(_Section(nodes, above, float(lengths[nodes].sum())))
    return sections


def resample(tree: Skeleton, spacing: Mapping[int, float]) -> Skeleton:
    """Cut every section into equal steps along its path.

    Parameters
    ----------
    tree : Skeleton
        The wired tree.
    spacing : mapping from int to float
        Wanted step in um for each SWC type.

    Returns
    -------
    Skeleton
        The same path with new points, section after section.
    """
    xyz, parent, kind = [tree.xyz[:1]], [-1], [1]
    ends: list[int] = []
    for section in _sections(tree):
        first = section.nodes[0]
        route = tree.xyz[section.nodes]
        joint = 0
        if section.above >= 0:
            route = np.concatenate([tree.xyz[[tree.parent[first]]], route])
            joint = ends[section.above]
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(route, axis=0), axis=1))])
        pieces = max(1, round(along[-1] / spacing[int(tree.kind[first])]))
        at = np.linspace(0.0, along[-1], pieces + 1)[1 if section.above >= 0 else 0 :]
        xyz.append(np.stack([np.interp(at, along, route[:, axis]) for axis in range(3)], axis=1))
        parent += [joint, *range(len(parent), len(parent) + len(at) - 1)]
        kind += [int(tree.kind[first])] * len(at)
        ends.append(len(parent) - 1)
    return Skeleton(np.concatenate(xyz), np.array(parent, dtype=np.int64), np.array(kind, dtype=np.int64))


def _neighbour_mean(tree: Skeleton, values: Floats) -> Floats:
    """Mean over parent and children of each point; tips and the points on the soma keep their value."""
    inner = np.flatnonzero(tree.parent > 0)
    above = tree.parent[inner]
    total, count = np.zeros_like(values), np.zeros(len(values))
    for here, there in ((inner, above), (above, inner)):
        np.add.at(total, here, values[there])
        np.add.at(count, here, 1.0)
    alone = count < 2
    total[alone], count[alone] = values[alone], 1.0
    result: Floats = total / count[:, None]
    return result


def _smooth(tree: Skeleton, values: Floats, reach: float) -> Floats:
    """Values (n, m) averaged along the tree with a kernel of standard deviation `reach` in um."""
    lengths = tree.lengths
    step = float(np.median(lengths[lengths > 0.0]))
    # A round adds half a squared step to the variance of the kernel.
    for _ in range(max(1, round(2.0 * (reach / step) ** 2))):
        values = 0.5 * (values + _neighbour_mean(tree, values))
    return values


def bend(tree: Skeleton, rng: np.random.Generator, wobble: Floats, reach: float) -> Skeleton:
    """Round off the corners of the wiring and let the cable wander a little.

    Parameters
    ----------
    tree : Skeleton
        Evenly sampled tree.
    rng : numpy.random.Generator
        Source of the wandering.
    wobble : array (3,)
        Standard deviation of the wandering along x, y and z, in um.
    reach : float
        Path in um over which corners are rounded off.

    Returns
    -------
    Skeleton
        The tree with moved points; tips and the points on the soma stay where they are, but for the wandering
        of the tips.
    """
    noise = _smooth(tree, normals(rng, tree.xyz.shape), 1.2 * reach)
    noise *= wobble / noise.std(axis=0)
    # The wandering sets in over the first 20 um, so that neurites stay attached to the soma.
    xyz = _smooth(tree, tree.xyz, reach) + noise * np.minimum(1.0, tree.paths / 20.0)[:, None]
    xyz[0] = tree.xyz[0]
    return Skeleton(xyz, tree.parent, tree.kind)


def diameters(tree: Skeleton, rng: np.random.Generator, tapers: Mapping[int, Taper]) -> Floats:
    """Give every point a diameter by a generalised 3/2-power rule with quadratic taper.

    From the tips inwards: where sections of diameters a and b meet, the parent has d**e = a**e + b**e.
    Rall (1959), Exp Neurol 1:491, has e = 3/2; here e is solved for, neurite by neurite, so that the stem
    comes out at a diameter drawn from its range (in measured cells the sum of d**1.5 over the children is
    mostly one to two times the parent's). Within a section the diameter falls from the soma outwards as a
    parabola with its foot at the far end (after Cuntz, Borst and Segev 2007, Theor Biol Med Model 4:21).
    At last a slow variation of 4 % is added.

    Parameters
    ----------
    tree : Skeleton
        The finished path.
    rng : numpy.random.Generator
        Source of stem and tip diameters.
    tapers : mapping from int to Taper
        Thickness for each SWC type.

    Returns
    -------
    array (n,)
        Diameters in um; 0 for the soma, which is not cable.
    """
    sections = _sections(tree)
    neurite: list[int] = []
    for section in sections:
        neurite.append(len(neurite) if section.above < 0 else neurite[section.above])
    result, paths = np.zeros(len(tree.parent)), tree.paths
    for stem in sorted(set(neurite)):
        mine = [k for k, owner in enumerate(neurite) if owner == stem]
        taper = tapers[int(tree.kind[sections[stem].nodes[0]])]
        draws = rng.random(len(mine) + 1)
        tips = taper.tip[0] + (taper.tip[1] - taper.tip[0]) * draws[:-1]
        wanted = taper.stem[0] + (taper.stem[1] - taper.stem[0]) * draws[-1]
        near, far = _solve_rule([sections[k] for k in mine], mine, tips, wanted, taper.rate)
        for k, proximal, distal in zip(mine, near, far):
            nodes, inner = sections[k].nodes, sections[k].above >= 0
            rest = 1.0 - (np.arange(len(nodes)) + inner) / max(1, len(nodes) - 1 + inner)
            swell = taper.flare * np.exp(-paths[nodes] / taper.flare_length)
            result[nodes] = distal + (proximal - distal) * rest**2 + swell
    noise = _smooth(tree, normals(rng, (len(result), 1)), 8.0)[:, 0]
    result *= 1.0 + 0.04 * np.clip(noise / noise.std(), -2.0, 2.0)
    return result


def _solve_rule(
    sections: list[_Section], numbers: list[int], tips: Floats, wanted: float, rate: float
) -> tuple[Floats, Floats]:
    """Diameters at the near and far ends of a neurite's sections, its stem as wanted."""
    position = {number: k for k, number in enumerate(numbers)}
    above = np.array([position.get(section.above, -1) for section in sections])
    growth = np.array([1.0 + rate * section.length / 100.0 for section in sections])
    low, high = 1.0, 12.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        near, _far = _power_rule(above, growth, tips, middle)
        low, high = (middle, high) if near[0] > wanted else (low, middle)
    near, far = _power_rule(above, growth, tips, 0.5 * (low + high))
    # A neurite of few tips cannot reach its stem by forks alone: the rest is taper of its first section.
    near[0] = max(wanted, far[0])
    return near, far


def _power_rule(above: Ints, growth: Floats, tips: Floats, exponent: float) -> tuple[Floats, Floats]:
    """Near and far diameters of sections (parents first) under d**e = a**e + b**e at forks."""
    near, sums = np.zeros(len(tips)), np.zeros(len(tips))
    far = tips.copy()
    for k in range(len(tips) - 1, -1, -1):
        if sums[k] > 0.0:
            far[k] = sums[k] ** (1.0 / exponent)
        near[k] = far[k] * growth[k]
        if above[k] >= 0:
            sums[above[k]] += near[k] ** exponent
    return near, far
