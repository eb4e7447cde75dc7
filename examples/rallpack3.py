"""Rallpack 3 (Bhalla, Bilitch & Bower, Trends Neurosci 15:453, 1992): spikes run along an axon of 1 mm.

Prints the times of the spikes at both ends and the speed, and what a compartment and step cost.
"""

import time

from rall import *

defaultclock.dt = 0.025*ms
duration = 250*ms

axon = Cylinder(diameter=1*um, length=1000*um, n=1000)
model = channels.leak(g=0.25*siemens/meter**2, E=-54.3*mV) + channels.hh.Na() + channels.hh.K()
cell = SpatialNeuron(morphology=axon, model=model + 'I : amp (point current)', Cm=1*uF/cm**2, Ri=100*ohm*cm)
cell.initialise(v=-65*mV)
cell.I[0] = 0.1*nA
ends = StateMonitor(cell, 'v', record=[axon[0*um], axon[1000*um]])

run(defaultclock.dt)  # builds and compiles
began = time.process_time()
run(duration - defaultclock.dt)
seconds = time.process_time() - began


def crossings(v, t):
    """Times at which v rises through 0 mV, interpolated between steps."""
    rising = flatnonzero((v[:-1] < 0) & (v[1:] >= 0))
    share = v[rising]/(v[rising] - v[rising + 1])
    return t[rising] + share*(t[rising + 1] - t[rising])


near, far = (crossings(row/mV, ends.t/ms) for row in ends.v)
print(f'near end: {len(near)} spikes, the last at {near[-1]:.3f} ms')
print(f'far end:  {len(far)} spikes, the last at {far[-1]:.3f} ms')
print(f'speed:    {1/(far[0] - near[0]):.3f} m/s')
print(f'cost:     {1e9*seconds/(1000*duration/defaultclock.dt):.1f} ns of CPU for a compartment and step')
