"""Synapses compete for the control of a cell's spikes: their strengths part into two groups.

Song, Miller & Abbott, Nature Neuroscience 3:919 (2000): a cell with 1000 excitatory synapses that obey spike-timing
dependent plasticity, and 200 inhibitory ones that do not, all driven by independent Poisson trains.  At first every
excitatory synapse is strong and the cell fires fast.  Depression, a little larger than potentiation, weakens them
until the cell fires irregularly, at about 15 Hz; then they part, and most lie near 0 or near the largest strength.

Writes stdp.png: the cell's rate, and the distribution of the strengths, in time and at the end.
The argument small takes a shorter time.
"""

import sys

from rall import *

seed(2000)
duration = (60 if 'small' in sys.argv else 600)*second
defaultclock.dt = 0.1*ms  # a long step favours potentiation: spikes of one step count as input before output

tau_m, E_L, V_t, V_r = 20*ms, -70*mV, -54*mV, -60*mV
tau_e, E_e, g_max = 5*ms, 0*mV, 0.015  # conductances are in units of the leak
tau_i, E_i, g_i = 5*ms, -70*mV, 0.05
tau_plus, tau_minus = 20*ms, 20*ms
A_plus = 0.005
A_minus = 1.05*A_plus

model = '''
dv/dt  = (E_L - v + ge*(E_e - v) + gi*(E_i - v))/tau_m : volt
dge/dt = -ge/tau_e : 1
dgi/dt = -gi/tau_i : 1
'''
cell = NeuronGroup(1, model, threshold='v > V_t', reset='v = V_r', method='exponential_euler')
cell.v = V_r

# g is a strength as a fraction of the largest; the traces P and M remember spikes of the input and of the cell.
plasticity = '''
g : 1
dP/dt = -P/tau_plus  : 1 (event-driven)
dM/dt = -M/tau_minus : 1 (event-driven)
'''
on_input = '''
ge += g*g_max
P += A_plus
g = clip(g - M, 0, 1)
'''
on_output = '''
M += A_minus
g = clip(g + P, 0, 1)
'''
excitatory, inhibitory = PoissonGroup(1000, 15*Hz), PoissonGroup(200, 10*Hz)
plastic = Synapses(excitatory, cell, plasticity, on_pre=on_input, on_post=on_output)
fixed = Synapses(inhibitory, cell, on_pre='gi += g_i')
for synapses in (plastic, fixed):
    synapses.connect()
plastic.g = 1

spikes = SpikeMonitor(cell)
strengths = StateMonitor(plastic, 'g', record=True, dt=duration/200)
run(duration, report='text')

t, g, end = spikes.t/second, plastic.g, duration/second
print(f'rate in the first second: {sum(t < 1)} Hz')
print(f'rate in the last fifth:   {sum(t > 0.8*end)/(0.2*end):.1f} Hz')
print(f'strengths below 0.2: {sum(g < 0.2)}, from 0.4 to 0.6: {sum((g > 0.4) & (g < 0.6))}, above 0.8: {sum(g > 0.8)}')

fig = figure(figsize=(8, 5.5), layout='constrained')
(density, final), (rate, corner) = fig.subplots(2, 2, sharex='col', width_ratios=(4, 1), height_ratios=(2, 1))
corner.remove()
edges = linspace(0, end, 121)
rate.stairs(histogram(t, edges)[0]/diff(edges), edges, color='k', baseline=None)
rate.set(xlabel='time (s)', ylabel='rate of the\ncell (Hz)', yscale='log', ylim=(5, 500))
bins = linspace(0, 1, 26)
counts = [histogram(column, bins)[0] for column in strengths.g.T]
image = density.imshow(transpose(counts), origin='lower', aspect='auto', extent=(0, end, 0, 1), vmax=100)
density.set(ylabel='strength (of the largest)')
fig.colorbar(image, ax=density, location='top', label='synapses', extend='max', aspect=40)
final.hist(g, bins, orientation='horizontal', color='0.5')
final.set(xlabel='synapses\nat the end', ylim=(0, 1))
final.tick_params(labelbottom=True)
fig.savefig('stdp.png', dpi=150)
