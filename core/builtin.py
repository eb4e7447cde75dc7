"""rall's own extensions: generated from the entry points in pyproject.toml (see tests/house)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BUILTIN"]

BUILTIN: Mapping[str, Mapping[str, str]] = {
    "rall.components": {
        "Morphology": "rall.morphology:Morphology",
        "Soma": "rall.morphology:Soma",
        "Cylinder": "rall.morphology:Cylinder",
        "Section": "rall.morphology:Section",
        "SpatialNeuron": "rall.plugins.cable:SpatialNeuron",
        "CurrentClamp": "rall.plugins.cable:CurrentClamp",
        "VoltageClamp": "rall.plugins.cable:VoltageClamp",
        "ExtracellularPotential": "rall.plugins.cable:ExtracellularPotential",
        "SpatialNeuronGroup": "rall.plugins.cable:SpatialNeuronGroup",
        "NeuronGroup": "rall.plugins.point:NeuronGroup",
        "linked_var": "rall.plugins.point:linked_var",
        "Synapses": "rall.plugins.synapses:Synapses",
        "StateMonitor": "rall.plugins.monitors:StateMonitor",
        "SpikeMonitor": "rall.plugins.monitors:SpikeMonitor",
        "EventMonitor": "rall.plugins.monitors:EventMonitor",
        "PopulationRateMonitor": "rall.plugins.monitors:PopulationRateMonitor",
        "TimedArray": "rall.plugins.inputs:TimedArray",
        "PoissonGroup": "rall.plugins.inputs:PoissonGroup",
        "PoissonInput": "rall.plugins.inputs:PoissonInput",
        "SpikeGeneratorGroup": "rall.plugins.inputs:SpikeGeneratorGroup",
        "BinomialFunction": "rall.plugins.inputs:BinomialFunction",
        "view3d": "rall.plugins.viewer:view3d",
        "plot_traces": "rall.plugins.viewer:plot_traces",
    },
    "rall.devices": {
        "c": "rall.devices.c:CDevice",
        "numpy": "rall.devices.numpy:NumpyDevice",
    },
    "rall.integrators": {
        "exact": "rall.integrators.exact:Exact",
        "linear": "rall.integrators.exact:Exact",
        "exponential_euler": "rall.integrators.exponential:ExponentialEuler",
        "exponential_midpoint": "rall.integrators.exponential:ExponentialMidpoint",
        "strang": "rall.integrators.exponential:Strang",
        "euler": "rall.integrators.runge_kutta:EULER",
        "rk2": "rall.integrators.runge_kutta:RK2",
        "rk4": "rall.integrators.runge_kutta:RK4",
        "heun": "rall.integrators.stochastic:HEUN",
        "milstein": "rall.integrators.stochastic:Milstein",
        "implicit": "rall.integrators.rosenbrock:Rosenbrock",
        "gsl": "rall.integrators.adaptive:RKF45",
        "gsl_rk2": "rall.integrators.adaptive:RK2",
        "gsl_rk4": "rall.integrators.adaptive:RK4",
        "gsl_rkf45": "rall.integrators.adaptive:RKF45",
        "gsl_rkck": "rall.integrators.adaptive:RKCK",
        "gsl_rk8pd": "rall.integrators.adaptive:RK8PD",
    },
    "rall.lines": {
        "differential": "rall.equations.lines:DifferentialKind",
        "subexpression": "rall.equations.lines:SubexpressionKind",
        "parameter": "rall.equations.lines:ParameterKind",
    },
    "rall.flags": {
        "constant": "rall.equations.flags:CONSTANT",
        "shared": "rall.equations.flags:SHARED",
        "constant_over_dt": "rall.equations.flags:CONSTANT_OVER_DT",
        "linked": "rall.equations.flags:LINKED",
        "event-driven": "rall.equations.flags:EVENT_DRIVEN",
        "clock-driven": "rall.equations.flags:CLOCK_DRIVEN",
        "summed": "rall.equations.flags:SUMMED",
        "unless_refractory": "rall.equations.flags:UNLESS_REFRACTORY",
        "point_current": "rall.equations.flags:POINT_CURRENT",
        "membrane_current": "rall.equations.flags:MEMBRANE_CURRENT",
        "ion": "rall.equations.flags:ION",
    },
    "rall.readers": {
        "swc": "rall.morphology.formats:read_swc",
        "asc": "rall.morphology.formats:read_asc",
        "h5": "rall.morphology.formats:read_h5",
    },
    "rall.viewers": {
        "vtk": "rall.plugins.viewer.vtk:VtkViewer",
        "matplotlib": "rall.plugins.viewer.matplotlib:MatplotlibViewer",
    },
    "rall.channels": {
        "leak": "rall.channels.leak:leak",
        "hh": "rall.channels.hh",
    },
}
