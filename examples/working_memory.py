"""A decision between two directions, and its memory: two populations compete until one of them fires alone.

Wang, Neuron 36:955 (2002), with the parameters of its Experimental Procedures.  1600 pyramidal cells, of which 240
prefer each direction, and 400 interneurons hear each other through AMPA, saturating NMDA and GABA synapses.  While
the stimulus lasts both preferred populations get Poisson input whose rates differ by the coherence of the motion;
slow NMDA excitation integrates, shared inhibition lets one win, and the winner goes on firing without the stimulus.
Everyone of a population receives the same sum of synapses, so the sums are kept in four pools, one for each.
Writes working_memory.png.  The argument small takes a quarter of the cells, with synapses four times as strong.
"""

import sys

from rall import *

small = 'small' in sys.argv
seed(2002)
defaultclock.dt = (0.1 if small else 0.02)*ms  # coarser steps miss some spikes and fade the memory
scale = 4 if small else 1
sizes = array([240, 240, 1120, 400])//scale  # prefer A, prefer B, other pyramidal cells, interneurons
population = repeat(arange(4), sizes)
is_inhibitory = population == 3
begin, end, duration = (0.2, 1.2, 1.6)*second if small else (0.5, 2.5, 3.5)*second
coherences = [51.2] if small else [51.2, 6.4]

w_plus, f = 1.7, 0.15
w_minus = 1 - f*(w_plus - 1)/(1 - f)

model = '''
dv/dt = (g_L*(E_L - v) - I_ext - I_syn)/C : volt (unless refractory)
ds_ext/dt = -s_ext/(2*ms) : 1
dx/dt = -x/(2*ms) : 1
ds/dt = -s/(100*ms) + 0.5/ms*x*(1 - s) : 1
I_ext = g_ext*s_ext*v : amp
I_syn = (g_AMPA*s_AMPA + g_NMDA*s_NMDA/(1 + exp(-0.062*v/mV)/3.57))*v + g_GABA*s_GABA*(v + 70*mV) : amp
s_AMPA : 1 (linked)
s_NMDA : 1 (linked)
s_GABA : 1 (linked)
C : farad (constant)
g_L : siemens (constant)
g_ext : siemens (constant)
g_AMPA : siemens (constant)
g_NMDA : siemens (constant)
g_GABA : siemens (constant)
refractory_time : second (constant)
'''
E_L = -70*mV
cells = NeuronGroup(sum(sizes), model, threshold='v > -50*mV', reset='v = -55*mV; x += 1',
                    refractory='refractory_time', method='rk2')
for name, excitatory, inhibitory in (
    ('C', 0.5*nF, 0.2*nF), ('g_L', 25*nS, 20*nS), ('refractory_time', 2*ms, 1*ms), ('g_ext', 2.1*nS, 1.62*nS),
    ('g_AMPA', 0.05*scale*nS, 0.04*scale*nS), ('g_NMDA', 0.165*scale*nS, 0.13*scale*nS),
    ('g_GABA', 1.3*scale*nS, 1.0*scale*nS),
):
    setattr(cells, name, where(is_inhibitory, inhibitory, excitatory))
cells.v = 'E_L + rand()*10*mV'

pools = NeuronGroup(4, '''
    ds_AMPA/dt = -s_AMPA/(2*ms) : 1
    ds_GABA/dt = -s_GABA/(5*ms) : 1
    s_NMDA : 1
''', method='exact')
for name in ('s_AMPA', 's_NMDA', 's_GABA'):
    setattr(cells, name, linked_var(pools, name, index=population))
excite = Synapses(cells[:sum(sizes[:3])], pools, '''
    weight : 1 (constant)
    s_NMDA_post = weight*s_pre : 1 (summed)
''', on_pre='s_AMPA_post += weight', delay=0.5*ms)
excite.connect()
to_own = array([[w_plus, w_minus, 1, 1], [w_minus, w_plus, 1, 1], [w_minus, w_minus, 1, 1]])
excite.weight = to_own[population[excite.i[:]], excite.j[:]]
inhibit = Synapses(cells[sum(sizes[:3]):], pools, on_pre='s_GABA_post += 1', delay=0.5*ms)
inhibit.connect()

background = PoissonInput(cells, 's_ext', N=800, rate=3*Hz, weight=1)
eyes = PoissonGroup(2*sizes[0], rates='motion(t, i//n_prefer)')
see = Synapses(eyes, cells, on_pre='s_ext_post += 1')
see.connect(j='i')
n_prefer = sizes[0]

spikes = SpikeMonitor(cells)
store()

fine = arange(0, duration/ms + 1, 50)  # the bins of the stimulus, which is drawn anew in each, and of the rates
shown = (fine[:-1] >= begin/ms) & (fine[:-1] < end/ms)
names, colours = ('A', 'B', 'other', 'inhibitory'), ('C3', 'C0', '0.5', 'C2')
figure(figsize=(5.5*len(coherences), 6))
for column, coherence in enumerate(coherences):
    restore()
    means = 40*(1 + coherence/100*array([1, -1]))
    motion = TimedArray(clip(means + 4*randn(len(shown), 2), 0, inf)*shown[:, None]*Hz, dt=50*ms)
    run(duration)
    of = population[spikes.i]
    rates = [histogram(spikes.t[of == p]/ms, fine)[0]/sizes[p]/(50*ms)/Hz for p in range(4)]
    print(f'coherence {coherence} %')
    for name, rate in zip(names, rates):
        before, during = rate[fine[1:] <= begin/ms].mean(), rate[shown][-4:].mean()
        print(f'  {name}: {before:.1f} Hz before, {during:.1f} Hz at the end of the stimulus, '
              f'{rate[-4:].mean():.1f} Hz in memory')
    subplot(2, len(coherences), column + 1)
    for p, colour in enumerate(colours):
        some = (of == p) & (spikes.i % 4 == 0)
        plot(spikes.t[some]/second, spikes.i[some], '.', color=colour, ms=1)
    axvspan(begin/second, end/second, color='gold', alpha=0.2, lw=0)
    xlim(0, duration/second)
    title(f'coherence {coherence} %')
    ylabel('neuron')
    subplot(2, len(coherences), len(coherences) + column + 1)
    for name, rate, colour in zip(names, rates, colours):
        plot((fine[:-1] + 25)/1e3, rate, color=colour, label=name)
    axvspan(begin/second, end/second, color='gold', alpha=0.2, lw=0, label='stimulus')
    xlabel('time (s)')
    ylabel('rate (Hz)')
    xlim(0, duration/second)
    ylim(0, 50)
legend(loc='upper left', ncol=2)
tight_layout()
savefig('working_memory.png', dpi=120)
