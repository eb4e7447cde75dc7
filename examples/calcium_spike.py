"""Calcium spikes: two inputs to a layer-5 pyramidal cell, neither of which does much alone, make it fire a burst.

A spike of the soma runs back into the apical dendrite.  If an input arrives there a few milliseconds later, the
dendrite answers with a calcium spike of some 30 ms, which makes the soma fire a burst (Larkum, Zhu & Sakmann, Nature
398:338, 1999).  The channels are those that Hay, Hill, Schuermann, Markram & Segev fitted to this (PLoS Comput Biol
7:e1002107, 2011).  Four copies of a cell run as one group: a step of current into the soma; a pulse that makes it fire
once; a synaptic input at the main fork of the apical dendrite; and both.

Densities of one cell do not fit another.  What is changed, and why:
- The axon is a stub of 60 um, as in the paper.
- Ih grows up to the tips of this cell, and its calcium channels are around the fork that divides its apical dendrite.
- Currents grow with the area of the membrane.
- How far a spike comes back depends on the dendrite's shape.  Copies of the cell with different sodium in the apical
  dendrite are tried, and the last one is taken in which the spike is not higher than 45 mV at the fork, which is what
  the paper asks for.  The input is the largest one that is not higher than 20 mV there, found in the same way.
- The cell that rall grows (that of data/layer5_pyramidal.swc) has a thick trunk on a small soma, and the current of its
  calcium spike would keep the soma's sodium channels inactive.  With 2.3 times the Kv3.1 it can fire again.
With all that a cell whose apical trunk is too thin has a calcium spike that its soma hardly notices.

Writes calcium_spike.png, and calcium_spike_3d.png with the four cells during the calcium spike.
Arguments: a SWC file to take instead of the grown cell; small for longer compartments.
"""

import sys

from rall import *

small = 'small' in sys.argv
files = [name for name in sys.argv if name.endswith('.swc')]
hay = channels.hay
defaultclock.dt = 0.05*ms
begin, delay = 80*ms, 5*ms  # of the step and the pulse; from there to the input

morpho = Morphology.from_file(files[0]) if files else Morphology.grow('pyramidal', seed=1)
if 'axon' in [one.type for one in morpho.walk()]:
    morpho.remove('axon')
morpho.axon = Cylinder(x=[0, 0]*um, y=[0, -60]*um, z=[0, 0]*um, diameter=1*um, n=2, type='axon')


def tips(section):
    """The distance from the soma of every tip of a tree."""
    return [one.end_distance/um for one in section.walk() if not one.children]


def size(section):
    return sum([sum(one.length/um) for one in section.walk()])


forks, trunk = {}, morpho.apic  # the trunk is the longest path
while trunk.children:
    forks[trunk.end_distance/um] = sorted([size(child) for child in trunk.children])[-2]
    trunk = max(trunk.children, key=lambda child: max(tips(child)))
reach, fork = max(tips(morpho.apic)), max(forks, key=forks.get)
start = morpho.apic.end_distance/um - sum(morpho.apic.length/um)
morpho = morpho.discretize(max_length=(80 if small else 40)*um)
at_fork = morpho.apic[(fork - start)*um]

model = hay.model(reach=reach*um, hot_zone=((fork - 100)*um, (fork + 150)*um))
receptor = channels.synapses.AMPA(tau_rise=0.5*ms, tau_decay=5*ms)
model['all'] = receptor.current + '''
    I = amplitude*int(t >= begin and t < begin + duration) : amp (point current)
    amplitude : amp
    duration : second'''


def cells_with(n, sodium):
    """Cells at rest, with factors on the sodium channels of the apical dendrite."""
    cells = SpatialNeuronGroup(n, morphology=morpho, model=model, Cm=hay.Cm, Ri=hay.Ri,
                               threshold='v > -20*mV', refractory='v > -20*mV')
    cells.apic.g_NaTa_t *= (ones(n)*sodium)[cells.apic.cell_index]
    if not files:  # the thick trunk of the grown cell
        cells.soma.g_SKv3_1 *= 2.3
    cells.initialise(v=-76*mV)
    return cells


def excite(cells, numbers, g):
    """Synapses at the fork of some cells, which an event opens 5 ms after the pulse has begun."""
    source = SpikeGeneratorGroup(1, [0], [begin + delay])
    made = Synapses(source, cells.at(at_fork), **receptor)
    made.connect(i=0, j=numbers)
    made.g = g
    return source, made


def risen(t, v):
    """How far voltages rise after the beginning, in mV."""
    return (v[:, t >= begin].max(axis=1) - v[:, t < begin][:, -1])/mV


typical = sum(cells_with(1, 1).area)/(33900*um**2)
pulse, step = 1.9*nA*typical, 1.2*nA*typical
factors, strengths = linspace(0.7, 1.4, 15), logspace(0, 1.5, 11)*nS*typical
trial = cells_with(26, concatenate([factors, ones(11)]))
trial.at('soma').amplitude, trial.at('soma').duration = pulse*(arange(26) < 15), 5*ms
source, inputs = excite(trial, arange(15, 26), strengths)
v = StateMonitor(trial.at(at_fork), 'v', record=True)
Network(trial, source, inputs, v).run(begin + 30*ms)
height = risen(v.t, v.v)
sodium = factors[height[:15] <= 45].max()
strength = strengths[height[15:] <= 20].max()

cells = cells_with(4, sodium)
cells.at('soma').amplitude = [step, pulse, 0*nA, pulse]
cells.at('soma').duration = [200, 5, 5, 5]*ms
source, inputs = excite(cells, [2, 3], strength)
everywhere = StateMonitor(cells, 'v', record=True, dt=0.1*ms)
calcium = StateMonitor(cells.at(at_fork), 'Ca', record=True, dt=0.1*ms)
spikes = SpikeMonitor(cells)
Network(cells, source, inputs, everywhere, calcium, spikes).run(begin + 150*ms)

names = ['step into the soma', 'pulse into the soma', 'input at the fork', 'pulse and input']
time = (everywhere.t - begin)/ms
after = time >= 0
voltage = everywhere.v.reshape(4, -1, len(time))/mV
path = unique([cells[0].indices_of(morpho.apic[x*um])[0] for x in arange(0, reach - start, 5)])  # of the trunk
places = cells.distance[path]/um
on_path = voltage[:, path]
far = argmin(abs(places - fork))
risen = on_path[1].max(axis=1) - on_path[1][:, ~after][:, -1]
arrival = (diff(on_path[1]).argmax(axis=1) - diff(voltage[1, 0]).argmax())*0.1  # of the steepest rise, in ms
plateau = (on_path[:, far] > -40).sum(axis=1)*0.1
height = time[on_path[3, far].argmax()]  # of the calcium spike

print(f'{cells.N//4} compartments; from the soma to the apical fork {fork:.0f} um, to the tips {reach:.0f} um')
print(f'sodium of the apical dendrite: {sodium:.2f} times that of the paper; input: {strength/nS:.1f} nS')
for k in range(4):
    count = sum(spikes.i == k)
    fired = '1 spike' if count == 1 else f'{count} spikes'
    print(f'{names[k]}: {fired}, {on_path[k, far].max():.0f} mV at the fork, above -40 mV for {plateau[k]:.0f} ms')
print(f'the spike comes back to the fork with {risen[far]:.0f} mV, {arrival[far]:.1f} ms later')

fig, axes = subplots(3, 4, figsize=(15, 9), layout='constrained')
near = argmin(abs(places - fork/2))
for k in range(4):
    upper, lower = axes[0, k], axes[1, k]
    upper.plot(time, on_path[k, far], 'C3', label=f'fork, {fork:.0f} um')
    upper.plot(time, on_path[k, near], 'C1', lw=1, label=f'trunk, {places[near]:.0f} um')
    upper.plot(time, voltage[k, 0], 'k', lw=1, label='soma')
    upper.set(title=names[k], ylim=(-90, 50))
    image = lower.pcolormesh(time, places, on_path[k], vmin=-80, vmax=20, cmap='inferno', rasterized=True)
    lower.axhline(fork, color='w', ls=':', lw=1)
    lower.set(xlabel='time (ms)')
    for one in (upper, lower):
        one.set_xlim((-10, 150) if k == 0 else (-5, 70))
axes[0, 0].set_ylabel('v (mV)')
axes[0, 3].legend(loc='upper right', fontsize=8)
axes[1, 0].set_ylabel('along the apical trunk (um)')
fig.colorbar(image, ax=axes[1, 3], label='v (mV)')

comes, delayed, profile, inside = axes[2]
comes.plot(places, risen, 'C3')
comes.errorbar([620, 800], [45, 36], [10, 9.3], fmt='ko', ms=4, label='asked for in the paper')
comes.set(title='spike on its way back', ylabel='height (mV)', ylim=(0, None))
comes.legend(fontsize=8)
reached = (risen > 10) & (arrival >= 0)
delayed.plot(places[reached], arrival[reached], 'C3')
delayed.set(title='spike on its way back', ylabel='arrives after the soma (ms)', ylim=(0, None))
moment = argmin(abs(time - height))
for k, colour in ((1, 'C0'), (2, 'C2'), (3, 'C3')):
    profile.plot(places, on_path[k][:, moment], colour, label=names[k])
    inside.plot(time, calcium.Ca[k]/uM, colour)
profile.set(title=f'{height:.0f} ms after the beginning', ylabel='v (mV)')
profile.legend(fontsize=8)
inside.set(title='at the fork', xlabel='time (ms)', ylabel='Ca (uM)', xlim=(-5, 70))
for one in (comes, delayed, profile):
    one.set_xlabel('distance along the trunk (um)')
fig.savefig('calcium_spike.png', dpi=110)
view = view3d(cells, everywhere, scale=2, limits=(-80*mV, 20*mV))
view.screenshot('calcium_spike_3d.png', t=begin + height*ms)
