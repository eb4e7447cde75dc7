"""Embedded Runge-Kutta pairs: numbers from the literature."""

from __future__ import annotations

from rall.model import Tableau

__all__ = ["CASH_KARP", "CLASSICAL", "FEHLBERG", "KUTTA", "PRINCE_DORMAND", "doubled"]

Row = tuple[float, ...]


def _pair(a: tuple[Row, ...], high: Row, low: Row, order: int) -> Tableau:
    return Tableau(a, high, tuple(x - y for x, y in zip(high, low)), order)


def doubled(a: tuple[Row, ...], b: Row, order: int) -> Tableau:
    """A method that takes its step in two halves and compares with the whole step.

    Parameters
    ----------
    a, b : tuple
        The method, of one order.
    order : int
        Its order p; the error of the halves is their difference from the whole, divided by ``2**p - 1``
        (Richardson; Hairer, Norsett & Wanner 1993, section II.4).

    Returns
    -------
    Tableau
        Stages of the first half, of the second half, and of the whole step but for the first, which it shares.
    """
    stages = len(b)
    half = tuple(0.5 * w for w in b)
    first = [tuple(0.5 * w for w in row) for row in a]
    second = [(*half, *(0.5 * w for w in row)) for row in a]
    whole = [(row[0], *(0.0,) * (2 * stages - 1), *row[1:]) for row in a[1:]]
    result = (*half, *half, *(0.0,) * (stages - 1))
    once = (b[0], *(0.0,) * (2 * stages - 1), *b[1:])
    error = tuple((x - y) / (2**order - 1) for x, y in zip(result, once))
    return Tableau((*first, *second, *whole), result, error, order)


#: Kutta's method of order 3 with the midpoint rule in it (Kutta, Z. Math. Phys. 46:435, 1901).
KUTTA = _pair(((), (1 / 2,), (-1.0, 2.0)), (1 / 6, 2 / 3, 1 / 6), (0.0, 1.0, 0.0), 2)

#: Kutta's classical method of order 4, by halves.
CLASSICAL = doubled(((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), 4)

#: Fehlberg, NASA Technical Report R-315 (1969), orders 4 and 5.
FEHLBERG = _pair(
    (
        (),
        (1 / 4,),
        (3 / 32, 9 / 32),
        (1932 / 2197, -7200 / 2197, 7296 / 2197),
        (439 / 216, -8.0, 3680 / 513, -845 / 4104),
        (-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40),
    ),
    (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55),
    (25 / 216, 0.0, 1408 / 2565, 2197 / 4104, -1 / 5, 0.0),
    4,
)

#: Cash & Karp, ACM Trans. Math. Softw. 16:201 (1990), orders 4 and 5.
CASH_KARP = _pair(
    (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (3 / 10, -9 / 10, 6 / 5),
        (-11 / 54, 5 / 2, -70 / 27, 35 / 27),
        (1631 / 55296, 175 / 512, 575 / 13824, 44275 / 110592, 253 / 4096),
    ),
    (37 / 378, 0.0, 250 / 621, 125 / 594, 0.0, 512 / 1771),
    (2825 / 27648, 0.0, 18575 / 48384, 13525 / 55296, 277 / 14336, 1 / 4),
    4,
)

#: Prince & Dormand, J. Comput. Appl. Math. 7:67 (1981), RK8(7)13M: orders 7 and 8, to about 18 digits.
PRINCE_DORMAND = _pair(
    (
        (),
        (1 / 18,),
        (1 / 48, 1 / 16),
        (1 / 32, 0.0, 3 / 32),
        (5 / 16, 0.0, -75 / 64, 75 / 64),
        (3 / 80, 0.0, 0.0, 3 / 16, 3 / 20),
        (29443841 / 614563906, 0.0, 0.0, 77736538 / 692538347, -28693883 / 1125000000, 23124283 / 1800000000),
        (16016141 / 946692911, 0.0, 0.0, 61564180 / 158732637, 22789713 / 633445777, 545815736 / 2771057229,
         -180193667 / 1043307555),
        (39632708 / 573591083, 0.0, 0.0, -433636366 / 683701615, -421739975 / 2616292301, 100302831 / 723423059,
         790204164 / 839813087, 800635310 / 3783071287),
        (246121993 / 1340847787, 0.0, 0.0, -37695042795 / 15268766246, -309121744 / 1061227803, -12992083 / 490766935,
         6005943493 / 2108947869, 393006217 / 1396673457, 123872331 / 1001029789),
        (-1028468189 / 846180014, 0.0, 0.0, 8478235783 / 508512852, 1311729495 / 1432422823,
         -10304129995 / 1701304382, -48777925059 / 3047939560, 15336726248 / 1032824649, -45442868181 / 3398467696,
         3065993473 / 597172653),
        (185892177 / 718116043, 0.0, 0.0, -3185094517 / 667107341, -477755414 / 1098053517, -703635378 / 230739211,
         5731566787 / 1027545527, 5232866602 / 850066563, -4093664535 / 808688257, 3962137247 / 1805957418,
         65686358 / 487910083),
        (403863854 / 491063109, 0.0, 0.0, -5068492393 / 434740067, -411421997 / 543043805, 652783627 / 914296604,
         11173962825 / 925320556, -13158990841 / 6184727034, 3936647629 / 1978049680, -160528059 / 685178525,
         248638103 / 1413531060, 0.0),
    ),
    (14005451 / 335480064, 0.0, 0.0, 0.0, 0.0, -59238493 / 1068277825, 181606767 / 758867731, 561292985 / 797845732,
     -1041891430 / 1371343529, 760417239 / 1151165299, 118820643 / 751138087, -528747749 / 2220607170, 1 / 4),
    (13451932 / 455176623, 0.0, 0.0, 0.0, 0.0, -808719846 / 976000145, 1757004468 / 5645159321, 656045339 / 265891186,
     -3867574721 / 1518517206, 465885868 / 322736535, 53011238 / 667516719, 2 / 45, 0.0),
    7,
)  # fmt: skip
