"""A population that oscillates fast while its cells fire slowly and irregularly.

Brunel & Hakim, Neural Computation 11:1621 (1999): 5000 inhibitory integrate-and-fire cells, each with about 1000
inputs of 0.1 mV after a delay of 2 ms, driven by a noisy current above threshold.  Inhibition that arrives late
makes the rate of the population swing, with a period of a few delays; a single cell joins in only now and then.

The mean first passage time gives 3.5 Hz for a cell in the stationary state; here cells fire at 3.6 Hz, the population
at about 140 Hz.

Writes brunel_hakim.png: spikes of 500 cells, the population rate, its spectrum, and the intervals of the cells.
The argument small takes a shorter time.
"""

import sys

from rall import *

seed(1999)
duration = (0.5 if 'small' in sys.argv else 2)*second
settled = 100*ms  # statistics start here

N, C = 5000, 1000
tau, theta, V_r, t_ref = 20*ms, 20*mV, 10*mV, 2*ms
mu_ext, sigma_ext = 25*mV, 1*mV
J, delay = 0.1*mV, 2*ms

cells = NeuronGroup(N, 'dV/dt = (mu_ext - V)/tau + sigma_ext*xi/sqrt(tau) : volt (unless refractory)',
                    threshold='V > theta', reset='V = V_r', refractory=t_ref)
cells.V = 'rand()*theta'
inhibition = Synapses(cells, cells, on_pre='V_post -= J', delay=delay)
inhibition.connect(p=C/N)

spikes, rate = SpikeMonitor(cells), PopulationRateMonitor(cells)
run(duration, report='text')

late = rate.t >= settled
mean_rate = mean(rate.rate[late])
swing = rate.rate[late]/mean_rate - 1

fig = figure(figsize=(8, 7), layout='constrained')
raster, population, spectrum, histogram = fig.subplot_mosaic('AA;BB;CD', height_ratios=(2, 1, 1.4)).values()
few = (spikes.t > duration - 100*ms) & (spikes.i < 500)
raster.plot(spikes.t[few]/ms, spikes.i[few], 'k.', markersize=3)
raster.set(ylabel='cell', ylim=(0, 500))
population.plot(rate.t/ms, rate.smooth_rate('gaussian', 0.3*ms)/Hz, 'k', linewidth=1)
population.set(xlabel='time (ms)', ylabel='population\nrate (Hz)', ylim=(0, None))
for axes in (raster, population):
    axes.set_xlim((duration - 100*ms)/ms, duration/ms)
power, frequency = spectrum.psd(swing, NFFT=1000, noverlap=500, Fs=1/defaultclock.dt/Hz, color='k', linewidth=1)
peak = frequency[argmax(power)]
spectrum.grid(False)
spectrum.set(xlabel='frequency (Hz)', ylabel='power of the\npopulation rate (dB/Hz)', xlim=(0, 500))
intervals = concatenate([diff(t/ms) for t in spikes.spike_trains().values()])
histogram.hist(intervals, bins=arange(0, 1001, 20), color='0.5')
histogram.set(xlabel='interval between spikes of a cell (ms)', ylabel='count', xlim=(0, 1000))
fig.savefig('brunel_hakim.png', dpi=150)

print(f'rate of a cell:           {mean_rate/Hz:.2f} Hz')
print(f'frequency of the network: {peak:.0f} Hz')
