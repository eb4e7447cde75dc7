"""The threshold of the squid axon, found by bisection around store() and restore().

Hodgkin & Huxley, J Physiol 117:500 (1952), a patch of membrane at 6.3 degrees.  An instantaneous shock sets the
voltage; the authors computed a spike after 7 mV and none after 6 mV (their figure 12).  Then a pulse of current of
each duration: the threshold falls with the duration as Lapicque (J Physiol Pathol Gen 9:620, 1907) had it,
I = rheobase/(1 - exp(-duration/tau)), a little faster here because the sodium current helps.
Writes threshold_bisection.png.  The argument small takes fewer durations.
"""

import sys

from rall import *

small = 'small' in sys.argv
defaultclock.dt = 0.01*ms
durations = [0.1, 1, 10]*ms if small else [0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 5, 10]*ms
resting = -65*mV

model = '''
dv/dt = (I - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/C : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
u = (v - resting)/mV : 1
alpha_m = 1/exprel((25 - u)/10)/ms : hertz
beta_m = 4*exp(-u/18)/ms : hertz
alpha_h = 0.07*exp(-u/20)/ms : hertz
beta_h = 1/(1 + exp((30 - u)/10))/ms : hertz
alpha_n = 0.1/exprel((10 - u)/10)/ms : hertz
beta_n = 0.125*exp(-u/80)/ms : hertz
I = amplitude*int(t - began < duration - dt/2) : amp/meter**2
amplitude : amp/meter**2
duration : second
began : second
'''
C = 1*uF/cm**2
g_Na, g_K, g_L = 120*mS/cm**2, 36*mS/cm**2, 0.3*mS/cm**2
E_Na, E_K, E_L = resting + 115*mV, resting - 12*mV, resting + 10.6*mV

axon = NeuronGroup(1, model, threshold='v > -20*mV', refractory='v > -20*mV', method='exponential_euler')
axon.v, axon.m, axon.h, axon.n = resting, 0.05, 0.6, 0.32
spikes = SpikeMonitor(axon)
trace = StateMonitor(axon, 'v', record=0)
run(50*ms)
axon.began = defaultclock.t
store()


def respond(shock=0*mV, amplitude=0*amp/meter**2, duration=0*ms):
    """Whether a shock or a pulse fires the axon at rest."""
    restore()
    axon.v += shock
    axon.amplitude, axon.duration = amplitude, duration
    run(duration + 15*ms)
    return spikes.num_spikes > 0


def bisect(fires, below, above, steps):
    """The largest argument that does not fire and the smallest that does, after so many halvings."""
    for _ in range(steps):
        middle = (below + above)/2
        below, above = (below, middle) if fires(middle) else (middle, above)
    return below, above


figure(figsize=(10, 4))
subplot(121)
below, above = bisect(lambda shock: respond(shock=shock), 0*mV, 20*mV, 16)
print(f'a shock fires the axon from {above/mV:.3f} mV on')
for shock, style in ((6*mV, 'C0:'), (below, 'C0-'), (above, 'C3-'), (7*mV, 'C3:')):
    respond(shock=shock)
    plot((trace.t - axon.began[0])/ms, trace.v[0]/mV, style, label=f'{shock/mV:.4f} mV')
xlim(-1, 15)
xlabel('time after the shock (ms)')
ylabel('v (mV)')
legend(title='shock')

subplot(122)
unit = uA/cm**2
thresholds = array([
    bisect(lambda size, d=duration: respond(amplitude=size, duration=d), 0*unit, 200*unit, 16)[1]/unit
    for duration in durations
])
for duration, size in zip(durations, thresholds):
    print(f'a pulse of {duration/ms:.1f} ms: {size:.2f} uA/cm2, {size*duration/ms:.2f} nC/cm2')
rheobase = thresholds[-1]
tau = thresholds[0]*durations[0]/rheobase  # a short pulse needs the charge rheobase*tau
print(f'rheobase {rheobase:.2f} uA/cm2, tau {tau/ms:.2f} ms')
fine = logspace(-1, 1, 200)*ms
loglog(durations/ms, thresholds, 'ko', label='bisection')
loglog(fine/ms, rheobase/(1 - exp(-fine/tau)), 'C0', label='Lapicque')
xlabel('duration of the pulse (ms)')
ylabel('threshold (uA/cm$^2$)')
xticks([0.1, 0.3, 1, 3, 10], ['0.1', '0.3', '1', '3', '10'])
yticks([2, 5, 10, 20, 50], ['2', '5', '10', '20', '50'])
minorticks_off()
legend()
tight_layout()
savefig('threshold_bisection.png', dpi=120)
