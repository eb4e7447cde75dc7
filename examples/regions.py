"""Channels by region: an axon that starts the spike, and dendrites that only half-heartedly carry it back.

The model is a dictionary from regions, which are conditions over compartments, to equations; what is absent
from a region costs nothing there.  Writes regions.png, the largest voltage along the path from the soma.
"""

from rall import *

defaultclock.dt = 0.025*ms
morpho = Morphology.grow('pyramidal', seed=2).discretize(max_length=20*um)
morpho.label('tuft', 'apical and distance > 700*um')

fading = '40*mS/cm**2 * exp(-distance/(200*um))'
model = {
    'all': channels.leak(g=0.1*mS/cm**2, E=-65*mV) + 'I : amp (point current)',
    'soma or axon': channels.hh.Na(g=120*mS/cm**2) + channels.hh.K(g=36*mS/cm**2),
    'basal or apical': channels.hh.Na(g=fading) + channels.hh.K(g=10*mS/cm**2),
}
cell = SpatialNeuron(morphology=morpho, model=model, Cm='1*uF/cm**2 * (1 + 0.5*apical)', Ri=100*ohm*cm)
cell.initialise(v=-65*mV)
everywhere = StateMonitor(cell, 'v', record=True, dt=0.1*ms)
run(1*ms)
cell.I[0] = 3*nA
run(2*ms)
cell.I[0] = 0*nA
run(12*ms)

peak = everywhere.v.max(axis=1)/mV
print(f'peak at the soma: {peak[0]:.1f} mV')
for name in ('axon', 'basal', 'apical', 'tuft'):
    inside = cell.indices_of(name)
    print(f'{name}: {peak[inside].min():.1f} to {peak[inside].max():.1f} mV')
    plot(cell.distance[inside]/um, peak[inside], '.', label=name)
xlabel('distance from the soma (um)')
ylabel('largest v (mV)')
legend()
savefig('regions.png')
