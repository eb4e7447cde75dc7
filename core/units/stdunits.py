"""The units that ``from rall import *`` brings: real names, so that editors and type checkers know them."""

from __future__ import annotations

from rall.units.table import named_units

__all__ = [
    "Gamp", "Gcoulomb", "Gfarad", "Ggram", "Ggramme", "Ghertz", "Gjoule", "Gliter", "Glitre", "Gmeter",
    "Gmetre", "Gmolar", "Gmole", "Gohm", "Gpascal", "Gsecond", "Gsiemens", "Gvolt", "Gwatt", "Hz", "MHz",
    "Mamp", "Mcoulomb", "Mfarad", "Mgram", "Mgramme", "Mhertz", "Mjoule", "Mliter", "Mlitre", "Mmeter",
    "Mmetre", "Mmolar", "Mmole", "Mohm", "Mpascal", "Msecond", "Msiemens", "Mvolt", "Mwatt", "Tamp",
    "Tcoulomb", "Tfarad", "Tgram", "Tgramme", "Thertz", "Tjoule", "Tliter", "Tlitre", "Tmeter", "Tmetre",
    "Tmolar", "Tmole", "Tohm", "Tpascal", "Tsecond", "Tsiemens", "Tvolt", "Twatt", "amp", "cm", "cm2",
    "cm3", "cmeter", "cmetre", "coulomb", "farad", "gram", "gramme", "hertz", "joule", "kHz", "kamp",
    "kcoulomb", "kelvin", "kfarad", "kgram", "kgramme", "khertz", "kilogram", "kjoule", "kliter", "klitre",
    "kmeter", "kmetre", "kmolar", "kmole", "kohm", "kpascal", "ksecond", "ksiemens", "kvolt", "kwatt",
    "liter", "litre", "mA", "mM", "mS", "mV", "mamp", "mcoulomb", "meter", "metre", "mfarad", "mgram",
    "mgramme", "mhertz", "mjoule", "mliter", "mlitre", "mm", "mm2", "mm3", "mmeter", "mmetre", "mmolar",
    "mmole", "mohm", "molar", "mole", "mpascal", "ms", "msecond", "msiemens", "mvolt", "mwatt", "nA", "nF",
    "nM", "nS", "namp", "ncoulomb", "nfarad", "ngram", "ngramme", "nhertz", "njoule", "nliter", "nlitre",
    "nmeter", "nmetre", "nmolar", "nmole", "nohm", "npascal", "nsecond", "nsiemens", "nvolt", "nwatt",
    "ohm", "pA", "pF", "pamp", "pascal", "pcoulomb", "pfarad", "pgram", "pgramme", "phertz", "pjoule",
    "pliter", "plitre", "pmeter", "pmetre", "pmolar", "pmole", "pohm", "ppascal", "psecond", "psiemens",
    "pvolt", "pwatt", "second", "siemens", "uA", "uF", "uM", "uS", "uamp", "ucoulomb", "ufarad", "ugram",
    "ugramme", "uhertz", "ujoule", "uliter", "ulitre", "um", "um2", "um3", "umeter", "umetre", "umolar",
    "umole", "uohm", "upascal", "us", "usecond", "usiemens", "uvolt", "uwatt", "volt", "watt",
]  # fmt: skip

kilogram, kelvin = named_units("kilogram kelvin")
(
    metre, pmetre, nmetre, umetre, mmetre, kmetre, Mmetre, Gmetre, Tmetre, cmetre,
) = named_units(
    "metre pmetre nmetre umetre mmetre kmetre Mmetre Gmetre Tmetre cmetre"
)  # fmt: skip
(
    meter, pmeter, nmeter, umeter, mmeter, kmeter, Mmeter, Gmeter, Tmeter, cmeter,
) = named_units(
    "meter pmeter nmeter umeter mmeter kmeter Mmeter Gmeter Tmeter cmeter"
)  # fmt: skip
(
    second, psecond, nsecond, usecond, msecond, ksecond, Msecond, Gsecond, Tsecond,
) = named_units(
    "second psecond nsecond usecond msecond ksecond Msecond Gsecond Tsecond"
)  # fmt: skip
(
    amp, pamp, namp, uamp, mamp, kamp, Mamp, Gamp, Tamp,
) = named_units(
    "amp pamp namp uamp mamp kamp Mamp Gamp Tamp"
)  # fmt: skip
(
    mole, pmole, nmole, umole, mmole, kmole, Mmole, Gmole, Tmole,
) = named_units(
    "mole pmole nmole umole mmole kmole Mmole Gmole Tmole"
)  # fmt: skip
(
    gram, pgram, ngram, ugram, mgram, kgram, Mgram, Ggram, Tgram,
) = named_units(
    "gram pgram ngram ugram mgram kgram Mgram Ggram Tgram"
)  # fmt: skip
(
    gramme, pgramme, ngramme, ugramme, mgramme, kgramme, Mgramme, Ggramme, Tgramme,
) = named_units(
    "gramme pgramme ngramme ugramme mgramme kgramme Mgramme Ggramme Tgramme"
)  # fmt: skip
(
    coulomb, pcoulomb, ncoulomb, ucoulomb, mcoulomb, kcoulomb, Mcoulomb, Gcoulomb, Tcoulomb,
) = named_units(
    "coulomb pcoulomb ncoulomb ucoulomb mcoulomb kcoulomb Mcoulomb Gcoulomb Tcoulomb"
)  # fmt: skip
(
    farad, pfarad, nfarad, ufarad, mfarad, kfarad, Mfarad, Gfarad, Tfarad,
) = named_units(
    "farad pfarad nfarad ufarad mfarad kfarad Mfarad Gfarad Tfarad"
)  # fmt: skip
(
    hertz, phertz, nhertz, uhertz, mhertz, khertz, Mhertz, Ghertz, Thertz,
) = named_units(
    "hertz phertz nhertz uhertz mhertz khertz Mhertz Ghertz Thertz"
)  # fmt: skip
(
    joule, pjoule, njoule, ujoule, mjoule, kjoule, Mjoule, Gjoule, Tjoule,
) = named_units(
    "joule pjoule njoule ujoule mjoule kjoule Mjoule Gjoule Tjoule"
)  # fmt: skip
(
    liter, pliter, nliter, uliter, mliter, kliter, Mliter, Gliter, Tliter,
) = named_units(
    "liter pliter nliter uliter mliter kliter Mliter Gliter Tliter"
)  # fmt: skip
(
    litre, plitre, nlitre, ulitre, mlitre, klitre, Mlitre, Glitre, Tlitre,
) = named_units(
    "litre plitre nlitre ulitre mlitre klitre Mlitre Glitre Tlitre"
)  # fmt: skip
(
    molar, pmolar, nmolar, umolar, mmolar, kmolar, Mmolar, Gmolar, Tmolar,
) = named_units(
    "molar pmolar nmolar umolar mmolar kmolar Mmolar Gmolar Tmolar"
)  # fmt: skip
(
    pascal, ppascal, npascal, upascal, mpascal, kpascal, Mpascal, Gpascal, Tpascal,
) = named_units(
    "pascal ppascal npascal upascal mpascal kpascal Mpascal Gpascal Tpascal"
)  # fmt: skip
(
    ohm, pohm, nohm, uohm, mohm, kohm, Mohm, Gohm, Tohm,
) = named_units(
    "ohm pohm nohm uohm mohm kohm Mohm Gohm Tohm"
)  # fmt: skip
(
    siemens, psiemens, nsiemens, usiemens, msiemens, ksiemens, Msiemens, Gsiemens, Tsiemens,
) = named_units(
    "siemens psiemens nsiemens usiemens msiemens ksiemens Msiemens Gsiemens Tsiemens"
)  # fmt: skip
(
    volt, pvolt, nvolt, uvolt, mvolt, kvolt, Mvolt, Gvolt, Tvolt,
) = named_units(
    "volt pvolt nvolt uvolt mvolt kvolt Mvolt Gvolt Tvolt"
)  # fmt: skip
(
    watt, pwatt, nwatt, uwatt, mwatt, kwatt, Mwatt, Gwatt, Twatt,
) = named_units(
    "watt pwatt nwatt uwatt mwatt kwatt Mwatt Gwatt Twatt"
)  # fmt: skip
mV, mA, uA, nA, pA, pF, uF, nF, nS, uS, mS, ms, us = named_units("mV mA uA nA pA pF uF nF nS uS mS ms us")
(
    Hz, kHz, MHz, cm, cm2, cm3, mm, mm2, mm3, um, um2, um3, mM,
) = named_units(
    "Hz kHz MHz cm cm2 cm3 mm mm2 mm3 um um2 um3 mM"
)  # fmt: skip
uM, nM = named_units("uM nM")
