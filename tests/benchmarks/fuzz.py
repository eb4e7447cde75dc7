"""Many mutations of SWC text, of equations and of NMODL: ``python tests/benchmarks/fuzz.py [RUNS] [SEED] [NAME]``.

Each gives an answer or an error of rall; anything else is shown and counted, and ends the script with status 1.
What takes longer than two seconds counts as a hang.  With a NAME (SWC, equations, NMODL) that campaign alone.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from rall.plugins.nmodl.load import mechanism_of
from rall.plugins.nmodl.parser import parse

TESTS = Path(__file__).resolve().parents[1]
SLOW = 2.0


def load(path: Path) -> ModuleType:
    """A file as a module."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def campaign(name: str, runs: int, attempt: Callable[[int], tuple[object, Callable[[], str]]]) -> int:
    """Make attempts and say what came of them.

    Parameters
    ----------
    name : str
        For the summary.
    runs : int
        How many.
    attempt : callable
        From a number to the mutated text and to what tries it.

    Returns
    -------
    int
        How many were neither an answer nor an error of rall.
    """
    outcomes: Counter[str] = Counter()
    failures, slowest = 0, 0.0
    began = time.perf_counter()
    for number in range(runs):
        text, check = attempt(number)
        started = time.perf_counter()
        try:
            outcomes[check()] += 1
        except Exception as problem:  # exactly what must not happen, whatever it is
            failures += 1
            if failures <= 5:
                print(f"{name} {number}: {type(problem).__name__}: {problem}\n    {text!r}", file=sys.stderr)
        took = time.perf_counter() - started
        slowest = max(slowest, took)
        if took > SLOW:
            failures += 1
            print(f"{name} {number} took {took:.1f} s\n    {text!r}", file=sys.stderr)
    listed = ", ".join(f"{what} {count}" for what, count in outcomes.most_common())
    spent = time.perf_counter() - began
    summary = f"{name}: {runs} mutations in {spent:.0f} s, {failures} failures, slowest {slowest:.2f} s"
    print(f"{summary}; {listed}", flush=True)
    return failures


def main() -> None:
    """All campaigns; that of NMODL tries twice as many, as its files say more."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    swc, equations = load(TESTS / "morphology" / "fuzz_swc.py"), load(TESTS / "core" / "fuzz_equations.py")
    nmodl = load(TESTS / "plugins" / "nmodl" / "fuzz_nmodl.py")
    with tempfile.TemporaryDirectory() as folder:

        def try_swc(number: int) -> tuple[object, Callable[[], str]]:
            source = random.Random(f"{seed} {number}")
            data = swc.mutate(source.choice(swc.SEEDS), source)
            return data, lambda: swc.check(data, Path(folder))

        def try_equations(number: int) -> tuple[object, Callable[[], str]]:
            source = random.Random(f"{seed} {number}")
            text = equations.mutate(source.choice(equations.SEEDS), source, source.randint(0, 5))
            return text, lambda: "accepted" if equations.check(text) else "refused"

        def try_nmodl(number: int) -> tuple[object, Callable[[], str]]:
            source = random.Random(f"{seed} {number}")
            text = nmodl.mutate(source.choice(nmodl.SEEDS), source, source.randint(0, 5))
            return text, lambda: nmodl.check(text, lambda given: mechanism_of(parse(given, "fuzz.mod")))

        campaigns: dict[str, tuple[int, Callable[[int], tuple[object, Callable[[], str]]]]] = {
            "SWC": (runs, try_swc), "equations": (runs, try_equations), "NMODL": (2 * runs, try_nmodl),
        }  # fmt: skip
        wanted = sys.argv[3:] or list(campaigns)
        failures = sum(campaign(name, *campaigns[name]) for name in wanted)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
