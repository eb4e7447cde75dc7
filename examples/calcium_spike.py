"""A layer-5 pyramidal cell in which a spike and dendritic input together make a calcium plateau and a burst.

The channels are those of Hay et al. (PLoS Comput Biol 7:e1002107, 2011).  Four copies of one cell run side by side:

- a long current step at the soma: spikes;
- a brief pulse at the soma: one spike, which travels back into the apical tree and fades there;
- an EPSP-like current in the zone of apical calcium channels: too little for a spike;
- both, the current 4 ms after the pulse: a calcium plateau of some 30 ms at the dendrite, and a second spike at the
  soma (coincidence detection: Larkum, Zhu & Sakmann, Nature 398:338, 1999).

The cell is the one that comes with rall; the axon is replaced by a stub of 60 um, as in the paper.  Its apical trunk is
thicker than that of the paper's cell and lets spikes through that would set off the plateau alone: with half of the
sodium channels there they fade as they do in that one.  The zone of calcium channels is at 62 to 76 % of the
distance to the farthest tip.

    calcium_spike.py [small] [CELL.swc] [--pulse 3] [--epsp 1.5] [--sodium 0.5] [--folder .]

takes another cell, another pulse or EPSP (nA), and another part of the apical sodium channels.  Writes
calcium_spike.png with voltages at soma and dendrite and the back-propagating spike along the trunk, and
calcium_spike_3d.png with the cell in the middle of the plateau.
"""

import argparse
from pathlib import Path

import rall.data
from rall import *
from rall.channels import hay

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument('words', nargs='*', help='an SWC file; the word small for long compartments and a short step')
parser.add_argument('--pulse', type=float, default=3, help='at the soma for 3 ms, in nA')
parser.add_argument('--epsp', type=float, default=1.5, help='peak of the current at the dendrite, in nA')
parser.add_argument('--sodium', type=float, default=0.5, help='part of the apical sodium channels of the paper')
parser.add_argument('--folder', type=Path, default=Path('.'), help='of the pictures')
asked = parser.parse_args()
small = 'small' in asked.words
files = [word for word in asked.words if word != 'small']

defaultclock.dt = 0.025*ms
rest, duration = 100*ms, (100 if small else 400)*ms

morpho = Morphology.from_file(files[0] if files else rall.data.path('layer5_pyramidal.swc'))
morpho.remove('axon')
morpho.axon = Cylinder(diameter=1*um, y=[0, -60]*um, type='axon')
morpho = morpho.discretize(max_length=(50 if small else 20)*um)

tree = morpho.flatten()
apical = tree.type == 4
reach = max(tree.distance[apical])*um
zone = (0.62*reach, 0.76*reach)
model = hay.model(reach=reach, hot_zone=zone)
model['apic'] = Equations(model['apic'], defaults={'g_NaTa_t': asked.sodium*21.3*mS/cm**2})
model['all'] = Equations('''
I_soma = pulse*int(t >= rest and t < rest + width)                                 : amp (point current)
I_epsp = peak*1.435*(exp(-since/(5*ms)) - exp(-since/(0.5*ms)))*int(since > 0*ms)  : amp (point current)
since = t - rest - 4*ms : second
pulse : amp (constant)
width : second (constant)
peak  : amp (constant)
''')

names = ['step', 'spike alone', 'EPSP alone', 'both']
cells = SpatialNeuronGroup(len(names), morphology=morpho, model=model, Cm=hay.Cm, Ri=hay.Ri,
                           threshold='v > -10*mV', refractory='v > -10*mV')
cells.initialise(v=-76*mV)

# The thickest piece of the trunk in the zone, and the way to it from the soma.
inside = flatnonzero(apical & (tree.distance*um > zone[0]) & (tree.distance*um < zone[1]))
site = int(inside[argmax(tree.diameter[inside])])
trunk = [site]
while tree.parent[trunk[-1]] >= 0:
    trunk.append(int(tree.parent[trunk[-1]]))
trunk.reverse()

soma = cells.offset[:-1]
cells.pulse[soma] = [2.2, asked.pulse, 0, asked.pulse]*nA
cells.width[soma] = [duration/ms, 3, 3, 3]*ms
cells.peak[soma + site] = [0, 0, asked.epsp, asked.epsp]*nA

spikes = SpikeMonitor(cells)
v = StateMonitor(cells, 'v', record=[*soma, *(soma + site), *(soma[1] + array(trunk))])
both = cells[3]
everywhere = StateMonitor(both, 'v', record=True, dt=1*ms)
run(rest + duration)

t = (v.t - rest)/ms
at_soma, at_site, along = v.v[:4]/mV, v.v[4:8]/mV, v.v[8:]/mV
for k, name in enumerate(names):
    times = (spikes.t[spikes.i == k] - rest)/ms
    above = sum(at_site[k] > -40)*defaultclock.dt/ms
    print(f'{name}: {len(times)} spikes, dendrite up to {max(at_site[k]):.0f} mV, above -40 mV for {above:.0f} ms')
print(f'plateau of both: {above:.0f} ms')
base, height = along[:, searchsorted(t, 0)], along[:, (t > 0) & (t < 20)].max(axis=1)
way = tree.distance[trunk]
print(f'spike of {height[0] - base[0]:.0f} mV, {height[-1] - base[-1]:.0f} mV of it at {way[-1]:.0f} um')

figure(figsize=(11, 8))
for k, name in enumerate(names):
    subplot(3, 2, k + 1)
    shown = (t > -5) & (t < (duration/ms if k == 0 else 60))
    plot(t[shown], at_soma[k][shown], 'k', label='soma')
    plot(t[shown], at_site[k][shown], 'C3', label=f'dendrite, {tree.distance[site]:.0f} um')
    title(name)
    ylim(-85, 50)
    ylabel('v (mV)')
    xlabel('time (ms)')
    if k == 0:
        legend(loc='upper right')
subplot(3, 2, 5)
plot(way, base, 'C0--', label='rest')
plot(way, height, 'C0', label='peak')
title('back-propagating spike')
xlabel('distance from the soma (um)')
ylabel('v (mV)')
legend()
subplot(3, 2, 6)
pick = (t > 0) & (t < 20)
imshow(along[:, pick], aspect='auto', origin='lower', extent=(0, 20, 0, len(way)), cmap='magma', vmin=-80, vmax=0)
colorbar(label='v (mV)')
title('the same along the trunk')
xlabel('time (ms)')
ylabel('compartment from the soma')
tight_layout()
savefig(asked.folder/'calcium_spike.png', dpi=120)

middle = v.t[t > 5][argmax(at_site[3][t > 5])]
view3d(both, everywhere, scale=3).screenshot(asked.folder/'calcium_spike_3d.png', t=middle)
