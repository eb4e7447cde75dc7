"""Astrocytes that listen to synapses and answer: gliotransmitter changes how likely transmitter is released.

Synapses and gliotransmission after De Pitta, Volman, Berry & Ben-Jacob, PLoS Comput Biol 7:e1002293 (2011), calcium
and IP3 of the astrocytes after De Pitta et al., J Biol Phys 35:383 (2009).  Released transmitter makes the astrocyte
produce IP3, which sets off waves of calcium; whenever calcium crosses a threshold the astrocyte releases, too, and
binds receptors of the presynaptic endings.  These then release with probability alpha instead of U_0: less than
before with alpha = 0, more with alpha = 1.  Three sets of synapses, of which one has no astrocytes, get the same
spikes.  Writes glia.png.  The argument small takes fewer synapses and a shorter time.
"""

import sys

from rall import *

small = 'small' in sys.argv
seed(2011)
defaultclock.dt = 1*ms
n, per_astrocyte = 50 if small else 200, 10
duration = (20 if small else 60)*second
begin = 5*second  # of the spikes
uM = umolar

rate = 2*Hz
sources = PoissonGroup(n, rates='rate*int(t > begin)')
targets = NeuronGroup(3, 'dy/dt = -y/second : 1', method='exact')  # y follows what is released in a second

U_0, Omega_d, Omega_f = 0.3, 2/second, 3.33/second
Y_T, rho_c, Omega_c = 500*mmolar, 0.005, 40/second
O_G, Omega_G = 1.5/(uM*second), 0.5/(60*second)
synapses = Synapses(sources, targets, '''
    du/dt = -Omega_f*u : 1 (event-driven)
    dx/dt = Omega_d*(1 - x) : 1 (event-driven)
    dY/dt = -Omega_c*Y : mmolar (clock-driven)
    dGamma/dt = O_G*G_A*(1 - Gamma) - Omega_G*Gamma : 1 (clock-driven)
    U = (1 - Gamma)*U_0 + alpha*Gamma : 1
    G_A : mmolar  # gliotransmitter around the synapse
    alpha : 1 (constant)
''', on_pre='''
    u += U*(1 - u)
    released = u*x
    x -= released
    Y += rho_c*Y_T*released
    y_post += released
''')
synapses.connect()
synapses.x = 1
synapses.alpha = 'int(j == 2)'

C_T, rho_A, d_1, d_2, d_3, d_5, a_2 = 2*uM, 0.185, 0.13*uM, 1.05*uM, 0.9434*uM, 0.08*uM, 0.2/(uM*second)
Omega_C, Omega_L, V_P, K_P = 6/second, 0.11/second, 0.9*uM/second, 0.05*uM
V_delta, K_delta, k_delta = 0.025*uM/second, 0.1*uM, 1.5*uM
V_3K, K_D, K_3, Omega_5P = 2*uM/second, 0.7*uM, 1*uM, 0.05/second
V_beta, K_R, K_p, K_pi = 0.5*uM/second, 1.3*uM, 10*uM, 0.6*uM
C_theta, G_T, rho_e, U_A, Omega_A, Omega_e = 0.5*uM, 200*mmolar, 6.5e-4, 0.6, 0.6/second, 60/second
astrocytes = NeuronGroup(2*n//per_astrocyte, '''
    dC/dt = J_channel + J_leak - J_pump : mmolar
    dh/dt = a_2*(d_2*(P + d_1)/(P + d_3)*(1 - h) - C*h) : 1
    dP/dt = J_beta + J_delta - J_3K - Omega_5P*P : mmolar  # IP3
    dx_A/dt = Omega_A*(1 - x_A) : 1
    dG_A/dt = -Omega_e*G_A : mmolar
    store = C_T - (1 + rho_A)*C : mmolar
    J_channel = Omega_C*(P/(P + d_1)*C/(C + d_5)*h)**3*store : mmolar/second
    J_leak = Omega_L*store : mmolar/second
    J_pump = V_P*C**2/(C**2 + K_P**2) : mmolar/second
    J_beta = V_beta*Y**0.7/(Y**0.7 + (K_R + K_p*C/(C + K_pi))**0.7) : mmolar/second
    J_delta = V_delta/(1 + P/k_delta)*C**2/(C**2 + K_delta**2) : mmolar/second
    J_3K = V_3K*C**4/(C**4 + K_D**4)*P/(P + K_3) : mmolar/second
    Y : mmolar  # mean of the transmitter at its synapses
''', threshold='C > C_theta', refractory='C > C_theta', reset='G_A += rho_e*G_T*U_A*x_A; x_A *= 1 - U_A',
    method='rk4')
astrocytes.C, astrocytes.h, astrocytes.P, astrocytes.x_A = 0.08*uM, 0.9, '(0.1 + 0.1*rand())*uM', 1

served = flatnonzero(synapses.j > 0)  # synapses, each with one astrocyte
by = (synapses.j[served] - 1)*(n//per_astrocyte) + synapses.i[served]//per_astrocyte
listen = Synapses(synapses, astrocytes, 'Y_post = Y_pre/per_astrocyte : mmolar (summed)')
listen.connect(i=served, j=by)
answer = Synapses(astrocytes, synapses, 'G_A_post = G_A_pre : mmolar (summed)')
answer.connect(i=by, j=served)

calcium = StateMonitor(astrocytes, 'C', record=True, dt=20*ms)
bound = StateMonitor(synapses, 'Gamma', record=True, dt=100*ms)
released = StateMonitor(targets, 'y', record=True, dt=100*ms)
releases = SpikeMonitor(astrocytes)
run(duration)

labels, colours = ('no astrocyte', r'$\alpha = 0$', r'$\alpha = 1$'), ('0.5', 'C0', 'C3')
late = released.t > duration - 5*second
figure(figsize=(8, 8))
for kind, (label, colour) in enumerate(zip(labels, colours)):
    per_second = released.y[kind]/n
    share = mean(bound.Gamma[synapses.j == kind], axis=0)
    text = f'alpha = {kind - 1}' if kind else label
    print(f'{text}: {mean(per_second[late]):.2f} of the transmitter released in a second, '
          f'{mean(share[late]):.2f} of the receptors bound')
    if kind:
        own = slice((kind - 1)*n//per_astrocyte, kind*n//per_astrocyte)
        when = releases.t[(releases.i >= own.start) & (releases.i < own.stop)]
        print(f'  {len(when)/(n//per_astrocyte):.1f} releases of an astrocyte, the first at {min(when)/second:.1f} s')
        subplot(311)
        plot(calcium.t/second, calcium.C[own][:4].T/uM, colour, lw=0.8)
        subplot(312)
        plot(bound.t/second, share, colour)
    subplot(313)
    plot(released.t/second, per_second, colour, label=label)
subplot(311)
axhline(C_theta/uM, color='k', ls=':', lw=1)
ylabel('calcium of astrocytes (uM)')
subplot(312)
ylabel('receptors bound')
subplot(313)
ylabel('share of transmitter\nreleased (1/s)')
xlabel('time (s)')
ylim(0, 1.4)
legend(loc='upper right', ncol=3)
tight_layout()
savefig('glia.png', dpi=120)
