"""A ring of branched cells: waves of spikes run from soma to dendrite to soma.

256 cells of 125 compartments: a soma with the channels of the squid axon (Hodgkin & Huxley, J Physiol 117:500, 1952)
and two binary trees of passive dendrites, whose diameters to the power 3/2 add up at each fork, so that a tree is
electrically one cylinder (Rall, Exp Neurol 1:491, 1959).  A spike of a cell opens a synapse on the left tree of the
next cell 5 ms later.  Every sixteenth cell is excited at a moment of its own at the start.  Writes ring_of_cells.png
with the spikes and some voltages, and ring_of_cells_3d.png with all cells, row by row, at one moment, when some are
excited and some fire; branches are drawn three times as thick as they are.  The argument small takes 32 cells.
"""

import sys

from rall import *

small = 'small' in sys.argv
n, duration = (32, 60*ms) if small else (256, 200*ms)
levels, apart = 5, 16  # of the trees; from one wave to the next one
seed(1959)
defaultclock.dt = 0.025*ms


def branch_out(parent, course=0, width=0.65, level=0):
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
source = SpikeGeneratorGroup(len(first), arange(len(first)), (1 + 6*rand(len(first)))*ms)
start = Synapses(source, targets, on_pre='g += 20*nS')
start.connect(i=arange(len(first)), j=first)

spikes = SpikeMonitor(cells)
soma = StateMonitor(cells.at('soma'), 'v', record=arange(4))
tip = StateMonitor(cells.at(morpho.right.right.right.right.right[25*um]), 'v', record=arange(4))
everywhere = StateMonitor(cells, 'v', record=True, dt=0.5*ms)
run(duration)

hop = (spikes.t[spikes.i == 7][0] - spikes.t[spikes.i == 0][0])/7  # none of these starts a wave
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
    plot(soma.t/ms, soma.v[k]/mV - 120*k, f'C{k}')
    plot(tip.t/ms, tip.v[k]/mV - 120*k, f'C{k}', alpha=0.5)
    annotate(f'cell {k}', (0.3, -60 - 120*k), fontsize=8, color=f'C{k}')
xlim(0, 40)
yticks([])
plot([38, 38], [-50, 0], 'k', lw=3)
annotate('50 mV', (37.5, -25), ha='right', va='center')
xlabel('time (ms)')
title('soma, and a tip of the right tree (pale)')
tight_layout()
savefig('ring_of_cells.png', dpi=120)
view3d(cells, everywhere, scale=3).screenshot('ring_of_cells_3d.png', t=duration/2)
