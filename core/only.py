"""rall's own names alone: ``from rall.only import *`` brings none of NumPy's and Matplotlib's."""

# ruff: noqa: F403
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rall.front_door import find_name, public_names

if TYPE_CHECKING:
    from rall import channels as channels
    from rall import codegen as codegen
    from rall import numpy_ as numpy_
    from rall import units as units
    from rall.brian import BrianObject as BrianObject
    from rall.brian import clear_cache as clear_cache
    from rall.brian import profiling_summary as profiling_summary
    from rall.brian import restore_initial_state as restore_initial_state
    from rall.brian import scheduling_summary as scheduling_summary
    from rall.equations import Equations as Equations
    from rall.errors import CompileError as CompileError
    from rall.errors import EquationError as EquationError
    from rall.errors import MagicError as MagicError
    from rall.errors import MorphologyError as MorphologyError
    from rall.errors import MorphologyWarning as MorphologyWarning
    from rall.errors import NmodlError as NmodlError
    from rall.errors import NotSupportedError as NotSupportedError
    from rall.errors import NumericalError as NumericalError
    from rall.errors import PluginError as PluginError
    from rall.errors import RallError as RallError
    from rall.errors import RallWarning as RallWarning
    from rall.integrators import AbstractIntegrator
    from rall.integrators.explicit import ExplicitStateUpdater as ExplicitStateUpdater
    from rall.integrators.explicit import StateUpdateMethod as StateUpdateMethod
    from rall.logger import BrianLogger as BrianLogger
    from rall.logger import get_logger as get_logger
    from rall.magic import MagicNetwork as MagicNetwork
    from rall.magic import collect as collect
    from rall.magic import magic_network as magic_network
    from rall.magic import restore as restore
    from rall.magic import run as run
    from rall.magic import stop as stop
    from rall.magic import store as store
    from rall.morphology import Cylinder as Cylinder
    from rall.morphology import Morphology as Morphology
    from rall.morphology import Section as Section
    from rall.morphology import Soma as Soma
    from rall.operations import NetworkOperation as NetworkOperation
    from rall.operations import network_operation as network_operation
    from rall.plugins.allen import load_allen as load_allen
    from rall.plugins.cable import CurrentClamp as CurrentClamp
    from rall.plugins.cable import ExtracellularPotential as ExtracellularPotential
    from rall.plugins.cable import SpatialNeuron as SpatialNeuron
    from rall.plugins.cable import SpatialNeuronGroup as SpatialNeuronGroup
    from rall.plugins.cable import VoltageClamp as VoltageClamp
    from rall.plugins.inputs import BinomialFunction as BinomialFunction
    from rall.plugins.inputs import PoissonGroup as PoissonGroup
    from rall.plugins.inputs import PoissonInput as PoissonInput
    from rall.plugins.inputs import SpikeGeneratorGroup as SpikeGeneratorGroup
    from rall.plugins.inputs import TimedArray as TimedArray
    from rall.plugins.monitors import EventMonitor as EventMonitor
    from rall.plugins.monitors import PopulationRateMonitor as PopulationRateMonitor
    from rall.plugins.monitors import SpikeMonitor as SpikeMonitor
    from rall.plugins.monitors import StateMonitor as StateMonitor
    from rall.plugins.nmodl import load_mod as load_mod
    from rall.plugins.point import NeuronGroup as NeuronGroup
    from rall.plugins.point import linked_var as linked_var
    from rall.plugins.synapses import Synapses as Synapses
    from rall.plugins.viewer import plot_traces as plot_traces
    from rall.plugins.viewer import view3d as view3d
    from rall.session import Clock as Clock
    from rall.session import EventClock as EventClock
    from rall.session import defaultclock as defaultclock
    from rall.session import prefs as prefs
    from rall.session import seed as seed
    from rall.session import start_scope as start_scope
    from rall.simulation import Network as Network
    from rall.targets import device as device
    from rall.targets import get_device as get_device
    from rall.targets import set_device as set_device
    from rall.units import *
    from rall.units.constants import *
    from rall.user_functions import Function as Function
    from rall.user_functions import declare_types as declare_types
    from rall.user_functions import implementation as implementation

    euler: AbstractIntegrator
    exact: AbstractIntegrator
    exponential_euler: AbstractIntegrator
    heun: AbstractIntegrator
    linear: AbstractIntegrator
    milstein: AbstractIntegrator
    rk2: AbstractIntegrator
    rk4: AbstractIntegrator


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return public_names(arrays=False)
    found = find_name(name, arrays=False)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *public_names(arrays=False)]
