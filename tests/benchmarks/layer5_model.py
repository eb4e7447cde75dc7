"""The layer-5 cell with eleven channels that rall and NEURON are timed with: conductances by region and mechanism.

Values are those of Hay et al. 2011 (PLoS Comput Biol 7:e1002107, ModelDB 139653) in NEURON's units (S/cm2, mV, ms), the
mechanisms by the names of its mod files, put on another cell: the apical distances are those of that paper.
"""

from __future__ import annotations

__all__ = ["CM", "COLD", "E_PAS", "E_REV", "G_PAS", "HOT", "RA", "REGIONS", "V_INIT"]

E_PAS, RA, V_INIT = -90.0, 100.0, -80.0
E_REV = {"na": 50.0, "k": -85.0}
#: uF/cm2 and S/cm2, by region.
CM = {"soma": 1.0, "axon": 1.0, "dend": 2.0, "apic": 2.0}
G_PAS = {"soma": 3.38e-5, "axon": 3.25e-5, "dend": 4.67e-5, "apic": 5.89e-5}
#: Distances from the soma (um) of the zone of calcium spikes; elsewhere on the apical tree the factor of each channel.
HOT = (685.0, 885.0)
COLD = {"gCa_LVAstbar": 0.01, "gCa_HVAbar": 0.1}
#: Region, mechanism, parameter, value.
REGIONS: dict[str, dict[str, dict[str, float]]] = {
    "soma": {
        "NaTa_t": {"gNaTa_tbar": 2.04}, "Nap_Et2": {"gNap_Et2bar": 0.00172}, "K_Pst": {"gK_Pstbar": 0.00223},
        "K_Tst": {"gK_Tstbar": 0.0812}, "SKv3_1": {"gSKv3_1bar": 0.693}, "SK_E2": {"gSK_E2bar": 0.0441},
        "Ca_HVA": {"gCa_HVAbar": 0.000992}, "Ca_LVAst": {"gCa_LVAstbar": 0.00343}, "Ih": {"gIhbar": 0.0002},
        "CaDynamics_E2": {"gamma": 0.000501, "decay": 460.0},
    },
    "apic": {
        "NaTa_t": {"gNaTa_tbar": 0.0213}, "SKv3_1": {"gSKv3_1bar": 0.000261}, "SK_E2": {"gSK_E2bar": 0.0012},
        "Im": {"gImbar": 6.75e-5}, "Ca_HVA": {"gCa_HVAbar": 0.000555}, "Ca_LVAst": {"gCa_LVAstbar": 0.0187},
        "Ih": {"gIhbar": 0.0002}, "CaDynamics_E2": {"gamma": 0.000509, "decay": 122.0},
    },
    "dend": {"Ih": {"gIhbar": 0.0002}},
}  # fmt: skip
