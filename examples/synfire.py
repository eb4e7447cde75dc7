"""A synfire chain: a volley of spikes either sharpens from layer to layer or dies out.

Diesmann, Gewaltig & Aertsen, Nature 402:529 (1999).  A chain has ten layers of 100 neurons, each connected to the
whole next layer; a neuron also hears 20 000 synapses of its surroundings, which make it fire about twice a second.
A volley of a spikes, spread by a standard deviation sigma, enters the first layer.  Volleys that are large or sharp
enough end as the same sharp volley of nearly every neuron, whatever they began as; the others fade into the
background.  All the chains run side by side in one group.  Writes synfire.png.  The argument small runs four chains.
"""

import sys

from rall import *

small = 'small' in sys.argv
seed(1999)
defaultclock.dt = 0.1*ms
sizes = [20, 120] if small else [30, 40, 50, 60, 70, 80, 90, 100, 110, 120]
spreads = [0, 4]*ms if small else [0, 1, 2, 3, 4, 5]*ms
n_layers, n = 10, 100
n_chains, per_chain = len(sizes)*len(spreads), n_layers*n

tau_m, tau_a = 10*ms, 0.33*ms  # membrane, and the alpha function of the synaptic current
E, threshold, start, delay = -70*mV, -55*mV, 25*ms, 5*ms
k, t = 1/tau_a - 1/tau_m, arange(0, 10, 0.01)*ms
psp = (exp(-t/tau_m) - exp(-t/tau_a)*(1 + k*t))/(k**2*tau_a*tau_m)  # answer of v to y = 1
w = 0.14*mV/max(psp)  # every postsynaptic potential peaks at 0.14 mV
rest = E + w*tau_a*(17600*2*Hz - 2400*12.5*Hz)  # mean voltage under the background

model = '''
dv/dt = (E - v + x)/tau_m : volt (unless refractory)
dx/dt = (y - x)/tau_a : volt
dy/dt = -y/tau_a : volt
'''
chains = NeuronGroup(n_chains*per_chain, model, threshold='v > threshold', reset='v = E', refractory=1*ms,
                     method='exact')
chains.v = 'rest + 2.5*mV*randn()'
chains.x = chains.y = rest - E
excitation = PoissonInput(chains, 'y', N=17600, rate=2*Hz, weight=w)
inhibition = PoissonInput(chains, 'y', N=2400, rate=12.5*Hz, weight=-w)

links = Synapses(chains, chains, on_pre='y += w', delay=delay)
links.connect(j='k for k in range((i//n + 1)*n, (i//n + 2)*n) if i//n % n_layers < n_layers - 1')

most = max(sizes)  # the volley of a chain comes from its own inputs, each of which fires once
volleys = [(size, spread) for size in sizes for spread in spreads]
sources = concatenate([c*most + arange(size) for c, (size, spread) in enumerate(volleys)])
times = concatenate([start/ms + spread/ms*randn(size) for size, spread in volleys])*ms
inputs = SpikeGeneratorGroup(n_chains*most, sources, clip(times, 0*ms, inf*ms))
feed = Synapses(inputs, chains, on_pre='y += w')
feed.connect(j='k for k in range(i//most*per_chain, i//most*per_chain + n)')

spikes = SpikeMonitor(chains)
run(100*ms)

chain, layer = spikes.i//per_chain, spikes.i//n % n_layers


def arrival(c):
    """The spikes of a chain's last layer in the 5 ms in which it fires most: their number and standard deviation."""
    when = sort(spikes.t[(chain == c) & (layer == n_layers - 1)]/ms)
    counts = searchsorted(when, when + 5) - arange(len(when))
    best = argmax(counts)
    return counts[best], std(when[best:best + counts[best]])


fired, width = array([arrival(c) for c in range(n_chains)]).T
alive = fired > n/2
quiet = spikes.t < start - 15*ms
print(f'background: {sum(quiet)/(len(chains)*((start - 15*ms)/second)):.1f} Hz')
for size, lives in zip(sizes, alive.reshape(len(sizes), -1)):
    wide = [f'{spread/ms:.0f}' for spread, arrives in zip(spreads, lives) if arrives]
    print(f'{size} spikes: arrive for spreads of {", ".join(wide) or "no"} ms')
print(f'the volleys that arrive have {mean(fired[alive]):.0f} spikes, spread by {mean(width[alive]):.2f} ms')

figure(figsize=(11, 4.2))
large = volleys.index((sizes[-1], spreads[-2]))
faint = volleys.index((sizes[0], spreads[-2]))
for place, c in enumerate((large, faint), 1):
    subplot(1, 3, place)
    here = chain == c
    plot(spikes.t[here]/ms, spikes.i[here] % per_chain/n, 'k.', ms=1)
    title(f'{volleys[c][0]} spikes, spread {volleys[c][1]/ms:.0f} ms')
    xlim(10, 100)
    ylim(0, n_layers)
    yticks(arange(n_layers) + 0.5, range(1, n_layers + 1))
    xlabel('time (ms)')
    ylabel('layer')
subplot(133)
imshow(fired.reshape(len(sizes), len(spreads)), origin='lower', aspect='auto', vmin=0, vmax=n, cmap='viridis')
xticks(range(len(spreads)), [f'{s/ms:.0f}' for s in spreads])
yticks(range(len(sizes)), sizes)
xlabel('spread of the volley (ms)')
ylabel('spikes in the volley')
colorbar(label=f'spikes in layer {n_layers}')
tight_layout()
savefig('synfire.png', dpi=120)
