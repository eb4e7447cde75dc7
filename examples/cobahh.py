"""The same kind of network with Hodgkin-Huxley cells and synaptic conductances (COBAHH).

Benchmark 3 of Brette et al., J Comput Neurosci 23:349 (2007): 3200 excitatory and 800 inhibitory cells joined at
random (2 %), each with the sodium and potassium currents of Traub & Miles (Neuronal Networks of the Hippocampus,
1991), their rates shifted so that spikes start near -50 mV.  Random spikes from outside set activity off in
the first 50 ms; it then sustains itself, in irregular bursts of single cells, at about 40 Hz on average.

Writes cobahh.png: spikes of one cell in ten, the population rate, and the voltage of two cells.
The argument small takes a shorter time.
"""

import sys

from rall import *

seed(1991)
duration = (0.3 if 'small' in sys.argv else 1)*second
settled = 100*ms  # statistics start here

area = 20000*um**2
C_m = 1*uF/cm**2*area
g_L, E_L = 0.05*msiemens/cm**2*area, -60*mV
g_Na, E_Na = 100*msiemens/cm**2*area, 50*mV
g_K, E_K = 30*msiemens/cm**2*area, -90*mV
V_T = -63*mV
tau_e, E_e, w_e = 5*ms, 0*mV, 6*nS
tau_i, E_i, w_i = 10*ms, -80*mV, 67*nS

# exprel(x) = (exp(x) - 1)/x: the rates of the book in a form without 0/0.
model = '''
dv/dt  = (g_L*(E_L - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + ge*(E_e - v) + gi*(E_i - v))/C_m : volt
dm/dt  = (1.28*(1 - m)/exprel((13 - u)/4) - 1.4*m/exprel((u - 40)/5))/ms    : 1
dh/dt  = (0.128*exp((17 - u)/18)*(1 - h) - 4*h/(1 + exp((40 - u)/5)))/ms    : 1
dn/dt  = (0.16*(1 - n)/exprel((15 - u)/5) - 0.5*exp((10 - u)/40)*n)/ms      : 1
dge/dt = -ge/tau_e     : siemens
dgi/dt = -gi/tau_i     : siemens
u      = (v - V_T)/mV  : 1
'''
cells = NeuronGroup(4000, model, threshold='v > -20*mV', refractory='v > -20*mV')
cells.v = E_L
cells.h, cells.n = 1, 0
excitatory, inhibitory = cells[:3200], cells[3200:]

to_e = Synapses(excitatory, cells, on_pre='ge += w_e')
to_i = Synapses(inhibitory, cells, on_pre='gi += w_i')
for synapses in (to_e, to_i):
    synapses.connect(p=0.02)

kick = PoissonGroup(4000, rates='int(t < 50*ms)*200*Hz')
from_kick = Synapses(kick, cells, on_pre='ge += w_e')
from_kick.connect(j='i')

spikes, rate = SpikeMonitor(cells), PopulationRateMonitor(cells)
voltage = StateMonitor(cells, 'v', record=[0, 3200])
run(duration, report='text')

late = spikes.t > settled
per_cell = bincount(spikes.i[late], minlength=4000)/(duration - settled)
print(f'excitatory: {mean(per_cell[:3200]/Hz):.1f} Hz')
print(f'inhibitory: {mean(per_cell[3200:]/Hz):.1f} Hz')

fig = figure(figsize=(8, 6), layout='constrained')
raster, population, traces = fig.subplots(3, 1, sharex=True, height_ratios=(3, 1.2, 1.2))
for first, last, colour, name in ((0, 3200, 'C0', 'excitatory'), (3200, 4000, 'C3', 'inhibitory')):
    shown = (spikes.i >= first) & (spikes.i < last) & (spikes.i % 10 == 0)
    raster.plot(spikes.t[shown]/ms, spikes.i[shown], '.', color=colour, markersize=1, label=name)
    traces.plot(voltage.t/ms, voltage[first].v/mV, color=colour, linewidth=0.7)
raster.set(ylabel='cell', xlim=(0, duration/ms), ylim=(0, 4000))
fig.legend(*raster.get_legend_handles_labels(), loc='outside upper right', ncols=2, markerscale=8, frameon=False)
population.plot(rate.t/ms, rate.smooth_rate('gaussian', 2*ms)/Hz, color='k', linewidth=1)
population.set(ylabel='population\nrate (Hz)', ylim=(0, None))
traces.set(xlabel='time (ms)', ylabel='v (mV)')
fig.savefig('cobahh.png', dpi=150)
