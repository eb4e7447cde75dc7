"""An electrode's view of a spike: the potential around a pyramidal cell, large and sharp near the soma.

A pipette makes the cell fire.  Its membrane currents times a matrix of electrodes (line sources, Holt & Koch 1999) are
summed up during the run, so that what is kept does not grow with the compartments.  Writes extracellular_spike.png:
5 ms at each electrode, every trace scaled to its own height, which stands beside it (compare Gold et al. 2006).
"""

import sys

from rall import *

compartment = 40*um if 'small' in sys.argv else 15*um
defaultclock.dt = 0.025*ms
morpho = Morphology.grow('pyramidal', seed=2).discretize(max_length=compartment)
fading = '20*mS/cm**2 * exp(-distance/(200*um))'
model = {
    'all': channels.leak(g=0.1*mS/cm**2, E=-65*mV) + 'I : amp (point current)',
    'soma or axon': channels.hh.Na(g=240*mS/cm**2) + channels.hh.K(g=72*mS/cm**2),
    'basal or apical': channels.hh.Na(g=fading) + channels.hh.K(g=5*mS/cm**2),
}
cell = SpatialNeuron(morphology=morpho, model=model, Cm=1*uF/cm**2, Ri=150*ohm*cm)
cell.initialise(v=-65*mV)

x, y = [places.ravel() for places in meshgrid(arange(-105, 106, 35), arange(-120, 181, 37.5))]
places = column_stack([x, y, 15*ones(len(x))])*um
electrodes = ExtracellularPotential(cell, places, sigma=0.3*siemens/meter, injected='I')
soma = StateMonitor(cell, 'v', record=[0])

run(1*ms)
cell.I[0] = 4*nA
run(0.4*ms)
cell.I[0] = 0*nA
run(8*ms)

shown = slice(60, 260)
print(f'the soma peaks at {soma.t[argmax(soma.v[0])]}')
seen = electrodes.v[:, shown]/uvolt
span = seen.max(axis=1) - seen.min(axis=1)
nearest, farthest = argmin(hypot(x, y)), argmax(hypot(x, y))
print(f'{cell.N} compartments, {len(x)} electrodes')
print(f'nearest the soma: {span[nearest]:.0f} uV, of which {-seen[nearest].min():.0f} uV down')
print(f'farthest: {span[farthest]:.1f} uV')

fig = figure(figsize=(7, 8), layout='constrained')
axes = fig.add_subplot()
shape = cell.geometry().in_um()
for piece in range(cell.N):
    axes.plot(shape['x'][piece], shape['y'][piece], color='0.8', lw=max(1, shape['d'][piece]), solid_capstyle='round')

time = linspace(-12, 18, seen.shape[1])
level = log10(span/span.min())/log10(span.max()/span.min())
for k in range(len(x)):
    axes.plot(x[k] + time, y[k] + 24*seen[k]/span[k], color=(level[k], 0.1, 1 - level[k]), lw=1.2)
    axes.annotate(f'{span[k]:.3g}', (x[k] + 4, y[k] + 8), fontsize=7)
axes.set(xlim=(-130, 135), ylim=(-145, 210), aspect='equal', xlabel='x (um)', ylabel='y (um)')
axes.set_title('Extracellular spike: 5 ms at each electrode, and its height in uV')
fig.savefig('extracellular_spike.png', dpi=130)
