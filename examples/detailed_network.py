"""A network of 100 detailed cells with 50 000 synapses on their dendrites: irregular activity of some ten hertz.

80 pyramidal cells of five shapes excite, 20 granule cells of three shapes inhibit; rall grows them, or they are read
from files.  Somata and axons have the channels of the squid axon (Hodgkin & Huxley, J Physiol 117:500, 1952), denser
than there; dendrites are passive.  Synapses are conductances that jump and decay.  Excitation of neighbours comes to
basal dendrites and the near apical ones, inhibition to the soma and what is near it, and Poisson trains from afar to
all dendrites; each synapse has a delay of 1 to 5 ms.  The weights are tuned: the trains drive the network, which is
neither silent nor epileptic.  Without inhibition (w_i = 0) it fires half again as much; with w_ee = 2*nS and
w_ei = 1*nS besides, in volleys of most of the cells.

    detailed_network.py [small] [CELL.swc ...] [--duration 300] [--cells 100] [--synapses 50000] [--folder .]

takes other cells: SWC files of pyramidal cells, and after --interneurons of others.  Writes detailed_network.png with
the spikes and some voltages, and detailed_network_3d.png with all cells at the moment at which most of them fire;
branches are drawn three times as thick as they are.
"""

import argparse
from pathlib import Path

from rall import *

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument('files', nargs='*', help='SWC files of excitatory cells, or the word small for few cells')
parser.add_argument('--interneurons', nargs='+', default=[], help='SWC files of inhibitory cells')
parser.add_argument('--duration', type=float, default=300, help='in ms')
parser.add_argument('--cells', type=int, default=100, help='of which a fifth inhibit')
parser.add_argument('--synapses', type=int, default=50000, help='of all kinds together')
parser.add_argument('--folder', type=Path, default=Path('.'), help='of the pictures')
asked = parser.parse_args()
if 'small' in asked.files:
    asked.files.remove('small')
    asked.duration, asked.cells, asked.synapses = 60, 15, 7500

seed(100)
defaultclock.dt = 0.025*ms
n, n_inhibitory, duration = asked.cells, max(1, asked.cells//5), asked.duration*ms
n_excitatory = n - n_inhibitory


def shapes(files, kind, count):
    """Morphologies from files, or else some that are grown, in compartments of 40 um at most."""
    found = [Morphology.from_file(file) for file in files] or [Morphology.grow(kind, seed=k) for k in range(count)]
    return [morpho.discretize(max_length=40*um) for morpho in found]


pyramidal, granule = shapes(asked.files, 'pyramidal', 5), shapes(asked.interneurons, 'granule', 3)
morphologies = [pyramidal[k % len(pyramidal)] for k in range(n_excitatory)]
morphologies += [granule[k % len(granule)] for k in range(n_inhibitory)]

E_e, E_i, tau_e, tau_i = 0*mV, -75*mV, 3*ms, 8*ms
near = 'not axon and distance < 80*um'
model = {
    'soma': channels.leak() + channels.hh.Na(g=350*mS/cm**2) + channels.hh.K(g=100*mS/cm**2),
    'axon': channels.leak() + channels.hh.Na(g=240*mS/cm**2) + channels.hh.K(g=72*mS/cm**2),
    'not soma and not axon': channels.leak(g=0.05*mS/cm**2, E=-65*mV, name='passive') + '''
        dg_e/dt = -g_e/tau_e : siemens
        I_e = g_e*(E_e - v)  : amp (point current)''',
    near: '''
        dg_i/dt = -g_i/tau_i : siemens
        I_i = g_i*(E_i - v)  : amp (point current)''',
}
cells = SpatialNeuronGroup(morphology=morphologies, model=model, threshold='v > -20*mV', refractory='v > -20*mV',
                           Cm=1*uF/cm**2, Ri=150*ohm*cm)
cells.initialise(v=-65*mV)
excitatory, inhibitory = cells[:n_excitatory], cells[n_excitatory:]
afar = PoissonGroup(4000, rates=5*Hz)

w_afar, w_ee, w_ei, w_i = [3.3, 0.8]*nS, 0.1*nS, 0.1*nS, 1*nS  # w_afar: onto either kind of cell


def joined(source, target, kind, weight, share, where, contacts=5):
    """A share of all synapses, in random pairs of cells with so many contacts each, all with delays of their own."""
    pairs = int(share*asked.synapses)//contacts
    made = Synapses(source, target, on_pre=f'g_{kind} += weight', namespace={'weight': weight})
    i, j = randint(len(source), size=pairs), randint(len(target), size=pairs)
    made.connect(i=repeat(i, contacts), j=repeat(j, contacts), where=where)
    made.delay = '(1 + 4*rand())*ms'
    return made


from_excitatory, from_inhibitory = excitatory.at('soma'), inhibitory.at('soma')  # a spike is that of the whole cell
dendrites = 'basal or apical'
synapses = [
    joined(from_excitatory, excitatory, 'e', w_ee, 0.2, 'basal or apical and distance < 300*um'),
    joined(from_excitatory, inhibitory, 'e', w_ei, 0.04, dendrites),
    joined(from_inhibitory, excitatory, 'i', w_i, 0.1, near),
    joined(from_inhibitory, inhibitory, 'i', w_i, 0.02, near),
    joined(afar, excitatory, 'e', w_afar[0], 0.52, dendrites, contacts=1),
    joined(afar, inhibitory, 'e', w_afar[1], 0.12, dendrites, contacts=1),
]

spikes = SpikeMonitor(cells)
shown = [0, 1, 2, n_excitatory, n - 1]
soma = StateMonitor(cells.at('soma'), 'v', record=shown)
everywhere = StateMonitor(cells, 'v', record=True, dt=1*ms)
Network(collect(), synapses).run(duration, report='text')

# The first 50 ms, in which all cells come from rest, do not count.
begin = min(50*ms, duration/3)
counts = bincount(spikes.i[spikes.t > begin], minlength=n)
rates = counts/(duration - begin)
print(f'{n} cells, {cells.N} compartments, {sum([len(made) for made in synapses])} synapses')
print(f'excitatory: {mean(rates[:n_excitatory])/Hz:.1f} Hz, inhibitory: {mean(rates[n_excitatory:])/Hz:.1f} Hz')
together = bincount(floor((spikes.t - begin)/(5*ms)).astype(int)[spikes.t > begin])/n
print(f'most of the cells in 5 ms: {100*max(together):.0f} %')

figure(figsize=(11, 8))
subplot(211)
first = spikes.i < n_excitatory
plot(spikes.t[first]/ms, spikes.i[first], 'C0.', ms=3, label='excitatory')
plot(spikes.t[~first]/ms, spikes.i[~first], 'C3.', ms=3, label='inhibitory')
xlim(0, duration/ms)
ylim(-1, n)
ylabel('cell')
legend(loc='lower left', bbox_to_anchor=(0, 1), ncol=2, frameon=False)
subplot(212)
for k, number in enumerate(shown):
    plot(soma.t/ms, soma.v[k]/mV - 110*k, 'C0' if number < n_excitatory else 'C3', lw=1)
    annotate(f'{number}', (-2, -65 - 110*k), ha='right', va='center', annotation_clip=False)
plot([duration/ms*1.01]*2, [-50, 0], 'k', lw=3, clip_on=False)
annotate('50 mV', (duration/ms*1.015, -25), va='center', annotation_clip=False)
xlim(0, duration/ms)
yticks([])
xlabel('time (ms)')
tight_layout()
savefig(asked.folder/'detailed_network.png', dpi=120)

firing = sum(everywhere.v[cells.offset[:-1]] > -20*mV, axis=0)*(everywhere.t > begin)  # somata come first in a cell
view3d(cells, everywhere, scale=3).screenshot(asked.folder/'detailed_network_3d.png', t=everywhere.t[argmax(firing)])
