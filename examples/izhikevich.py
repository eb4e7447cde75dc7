"""A thousand spiking neurons of many kinds, joined at random, fall into rhythms.

Izhikevich, IEEE Trans Neural Networks 14:1569 (2003): 800 excitatory cells, from regular spiking to chattering, and
200 inhibitory ones, from low-threshold to fast spiking, each joined to all.  Noise to every cell stands for the
thalamus.  Spikes line up in volleys: episodes of rhythms near 10 Hz and near 40 Hz.

Writes izhikevich.png: all spikes, the population rate, and the voltage of one cell of each of three kinds.
The argument small takes a shorter time.
"""

import sys

from rall import *

seed(2003)
duration = (0.5 if 'small' in sys.argv else 1)*second
defaultclock.dt = 0.5*ms  # the step of the paper

cells = NeuronGroup(1000, '''
dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1  # v in mV
du/dt = a*(b*v - u)/ms                     : 1
I : 1
a : 1 (constant)
b : 1 (constant)
c : 1 (constant)
d : 1 (constant)
noise : 1 (constant)
''', threshold='v >= 30', reset='v = c; u += d', method='euler')
excitatory, inhibitory = cells[:800], cells[800:]

r_e, r_i = random_sample(800)**2, random_sample(200)  # squared: most cells are close to regular spiking
excitatory.a, excitatory.b, excitatory.c, excitatory.d, excitatory.noise = 0.02, 0.2, -65 + 15*r_e, 8 - 6*r_e, 5
inhibitory.a, inhibitory.b, inhibitory.c, inhibitory.d, inhibitory.noise = 0.02 + 0.08*r_i, 0.25 - 0.05*r_i, -65, 2, 2
cells.v = -65
cells.u = 'b*v'
cells.run_regularly('I = noise*randn()', dt=1*ms)

# A spike is a current that lasts 1 ms: it moves v by its weight.
to_e = Synapses(excitatory, cells, 'w : 1', on_pre='v_post += w')
to_i = Synapses(inhibitory, cells, 'w : 1', on_pre='v_post += w')
for synapses in (to_e, to_i):
    synapses.connect()
to_e.w = '0.5*rand()'
to_i.w = '-rand()'

spikes, rate = SpikeMonitor(cells), PopulationRateMonitor(cells)
kinds = {argmin(r_e): 'regular spiking', argmax(r_e): 'chattering', 800 + argmin(r_i): 'low-threshold spiking'}
voltage = StateMonitor(cells, 'v', record=list(kinds))
run(duration, report='text')

volleys = rate.smooth_rate('gaussian', 2*ms)/Hz
print(f'excitatory: {mean(spikes.count[:800])/(duration/second):.1f} Hz')
print(f'inhibitory: {mean(spikes.count[800:])/(duration/second):.1f} Hz')
print(f'largest volley: {volleys.max()/volleys.mean():.1f} times the mean rate')

fig = figure(figsize=(8, 8), layout='constrained')
raster, population, *traces = fig.subplots(5, 1, sharex=True, height_ratios=(4, 1.3, 1, 1, 1))
for first, last, colour, name in ((0, 800, 'C0', 'excitatory'), (800, 1000, 'C3', 'inhibitory')):
    shown = (spikes.i >= first) & (spikes.i < last)
    raster.plot(spikes.t[shown]/ms, spikes.i[shown], '.', color=colour, markersize=2, label=name)
raster.set(ylabel='cell', xlim=(0, duration/ms), ylim=(0, 1000))
fig.legend(loc='outside upper right', ncols=2, markerscale=4, frameon=False)
population.plot(rate.t/ms, volleys, color='k', linewidth=1)
population.set(ylabel='population\nrate (Hz)', ylim=(0, None))
for axes, (cell, name) in zip(traces, kinds.items()):
    v = array(voltage[cell].v)
    v[minimum(searchsorted(voltage.t, spikes.t[spikes.i == cell]), len(v) - 1)] = 30  # a spike ends at 30 mV
    axes.plot(voltage.t/ms, v, color='C0' if cell < 800 else 'C3', linewidth=0.7)
    axes.set(ylabel='v (mV)', ylim=(-90, 40))
    axes.set_title(name, loc='left', fontsize='small')
axes.set_xlabel('time (ms)')
fig.savefig('izhikevich.png', dpi=150)
