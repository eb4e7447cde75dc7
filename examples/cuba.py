"""A network that keeps itself alive: 4000 integrate-and-fire cells joined by synaptic currents (CUBA).

Benchmark 2 of Brette et al., J Comput Neurosci 23:349 (2007), after Vogels & Abbott, J Neurosci 25:10786 (2005):
3200 excitatory and 800 inhibitory cells, every pair joined with probability 2 %.  There is no input from outside:
the leak reverses 1 mV above threshold, and inhibition holds the cells below it.  After a volley at the start
activity settles to irregular firing at about 5.5 Hz.

Writes cuba.png: spikes of one cell in ten, and the population rate.
The argument small takes a shorter time.
"""

import sys

from rall import *

seed(2007)
duration = (0.6 if 'small' in sys.argv else 1)*second
settled = 100*ms  # statistics start here

tau_m, tau_e, tau_i = 20*ms, 5*ms, 10*ms
E_L, V_t, V_r = -49*mV, -50*mV, -60*mV
w_e, w_i = 1.62*mV, -9*mV

model = '''
dv/dt  = (E_L - v + ge + gi)/tau_m : volt (unless refractory)
dge/dt = -ge/tau_e                 : volt
dgi/dt = -gi/tau_i                 : volt
'''
cells = NeuronGroup(4000, model, threshold='v > V_t', reset='v = V_r', refractory=5*ms, method='exact')
cells.v = 'V_r + rand()*(V_t - V_r)'
excitatory, inhibitory = cells[:3200], cells[3200:]

to_e = Synapses(excitatory, cells, on_pre='ge += w_e')
to_i = Synapses(inhibitory, cells, on_pre='gi += w_i')
for synapses in (to_e, to_i):
    synapses.connect(p=0.02)

spikes, rate = SpikeMonitor(cells), PopulationRateMonitor(cells)
run(duration, report='text')

late = spikes.t > settled
per_cell = bincount(spikes.i[late], minlength=4000)/(duration - settled)
print(f'synapses:   {len(to_e) + len(to_i)}')
print(f'excitatory: {mean(per_cell[:3200]/Hz):.2f} Hz')
print(f'inhibitory: {mean(per_cell[3200:]/Hz):.2f} Hz')
print(f'silent:     {100*mean(per_cell == 0*Hz):.0f} % of the cells')

fig = figure(figsize=(8, 5.5), layout='constrained')
raster, population = fig.subplots(2, 1, sharex=True, height_ratios=(3, 1))
for first, last, colour, name in ((0, 3200, 'C0', 'excitatory'), (3200, 4000, 'C3', 'inhibitory')):
    shown = (spikes.i >= first) & (spikes.i < last) & (spikes.i % 10 == 0)
    raster.plot(spikes.t[shown]/ms, spikes.i[shown], '.', color=colour, markersize=2, label=name)
raster.set(ylabel='cell', xlim=(0, duration/ms), ylim=(0, 4000))
fig.legend(loc='outside upper right', ncols=2, markerscale=4, frameon=False)
population.plot(rate.t/ms, rate.smooth_rate('gaussian', 2*ms)/Hz, color='k', linewidth=1)
population.set(xlabel='time (ms)', ylabel='population\nrate (Hz)', ylim=(0, None))
fig.savefig('cuba.png', dpi=150)
