"""A ring of branched cells: waves of spikes run from soma to dendrite to soma.

256 cells of 125 compartments: a soma with the channels of the squid axon (Hodgkin & Huxley, J Physiol 117:500, 1952)
and two binary trees of passive dendrites, whose diameters to the power 3/2 add up at each fork, so that a tree is
electrically one cylinder (Rall, Exp Neurol 1:491, 1959).  A spike of a cell opens a synapse on the left tree of the
next cell 5 ms later.  Every 32nd cell is excited at the start.  Writes ring_of_cells.png with the spikes and some
voltages, and ring_of_cells_3d.png with all cells, row by row, at one moment.  The argument small takes 32 cells.
"""

import sys

from rall import *

small = 'small' in sys.argv
n, duration = (32, 60*ms) if small else (256, 250*ms)
levels, apart = 5, 8 if small else 32  # of the trees; from one wave to the next one
defaultclock.dt = 0.025*ms


def branch_out(parent, course=0, width=pi/4, level=0):
    """Two branches at the end of a branch, two at the end of each, and so on: a fan in the plane."""
    for side, kind in ((-1, 'apical'), (1, 'dend')) if level < levels else ():
        angle = course + side*width
        branch = Cylinder(n=2, x=[0, 50*sin(angle)]*um, y=[0, 50*cos(angle)]*um, z=[0, 0]*um,
                          diameter=2*2**(-2*level/3)*um, type=kind if level == 0 else parent.type)
        setattr(parent, 'left' if side < 0 else 'right', branch)
        branch_out(branch, angle, 0.6*width, level + 1)


morpho = Cylinder(x=[0, 0]*um, y=[0, 12.6157]*um, z=[0, 0]*um, diameter=12.6157*um, type='soma')
branch_out(morpho)
morpho.label('target', 'apical and branch_order == 1 and distance < 40*um')  # 1 compartment, next to the soma
model = {
    'soma': channels.leak() + channels.hh.Na() + channels.hh.K(),
    'not soma': channels.leak(g=1*mS/cm**2, E=-65*mV, name='passive'),
    'target': '''dg/dt = -g/(2*ms) : siemens
                 I_syn = g*(0*mV - v) : amp (point current)''',
}
cells = SpatialNeuronGroup(n, morphology=morpho, model=model, threshold='v > -10*mV', refractory='v > -10*mV',
                           Cm=1*uF/cm**2, Ri=100*ohm*cm)
cells.initialise(v=-65*mV)
targets = cells.at('target')

ring = Synapses(cells.at('soma'), targets, on_pre='g += 20*nS', delay=5*ms)
ring.connect(j='(i + 1) % N_post')
first = arange(0, n, apart)
source = SpikeGeneratorGroup(len(first), arange(len(first)), ones(len(first))*ms)
start = Synapses(source, targets, on_pre='g += 20*nS')
start.connect(i=arange(len(first)), j=first)

spikes = SpikeMonitor(cells)
soma = StateMonitor(cells.at('soma'), 'v', record=arange(4))
dendrite = StateMonitor(targets, 'v', record=arange(4))
everywhere = StateMonitor(cells, 'v', record=True, dt=0.5*ms)
run(duration)

hop = (spikes.t[spikes.i == 7][0] - spikes.t[spikes.i == 0][0])/7
print(f'{n} cells, {cells.N} compartments, {spikes.num_spikes} spikes')
print(f'from one cell to the next: {hop/ms:.2f} ms, of which 5 ms on the way')

figure(figsize=(11, 4.5))
subplot(121)
plot(spikes.t/ms, spikes.i, 'k.', ms=3)
xlim(0, duration/ms)
ylim(-1, n)
xlabel('time (ms)')
ylabel('cell')
subplot(122)
for k in range(4):
    plot(soma.t/ms, soma.v[k]/mV - 120*k, f'C{k}', label=f'cell {k}')
    plot(dendrite.t/ms, dendrite.v[k]/mV - 120*k, f'C{k}', alpha=0.5)
xlim(0, 40)
yticks([])
plot([36, 36], [-60, -10], 'k', lw=3)
annotate('50 mV', (35.5, -35), ha='right', va='center')
xlabel('time (ms)')
title('soma, and dendrite at the synapse (pale)')
legend(loc='lower left')
tight_layout()
savefig('ring_of_cells.png', dpi=120)
view3d(cells, everywhere).screenshot('ring_of_cells_3d.png', t=duration*0.8)
