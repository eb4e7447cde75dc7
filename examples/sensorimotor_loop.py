"""Vehicles with two eyes, two motors and four spiking neurons: a closed loop of world and network.

Braitenberg, Vehicles (MIT Press 1984), vehicles 2a and 2b.  Light on an eye excites a sensory neuron, whose spikes
excite the motor neuron of one wheel.  Wired straight (2a) the wheel on the lit side is the faster one and the vehicle
turns away from the light; with crossed wires (2b) it turns towards the light and drives into it.  The world, which
is plain Python in a network_operation, reads the motor neurons and sets the light on the eyes each millisecond.
Writes sensorimotor_loop.png.  The argument small drives fewer vehicles.
"""

import sys

from rall import *

seed(1984)
n = 6 if 'small' in sys.argv else 16  # vehicles; the first half is wired straight, the second crossed
step = 1*ms

tau_m, tau_s, tau_w, noise = 10*ms, 5*ms, 50*ms, 0.15  # membrane, synapse, wheel; the threshold is 1
eyes = NeuronGroup(2*n, '''
    dv/dt = (light - v)/tau_m + noise*sqrt(2/tau_m)*xi : 1
    light : 1
''', threshold='v > 1', reset='v = 0', method='euler')
motors = NeuronGroup(2*n, '''
    dv/dt = (1.1 + s - v)/tau_m + noise*sqrt(2/tau_m)*xi : 1
    ds/dt = -s/tau_s : 1
    dwheel/dt = -wheel/tau_w : 1
''', threshold='v > 1', reset='v = 0; wheel += 1', method='euler')
wires = Synapses(eyes, motors, on_pre='s_post += 1.5')
wires.connect('i < n and j == i')  # neurons 2c and 2c + 1 are the left and the right one of vehicle c
wires.connect('i >= n and i//2 == j//2 and i != j')

turn = 2*pi*(arange(n) % (n//2))/(n//2)
where = 100*exp(1j*turn)  # in cm from the light; the angles are complex numbers of length 1
heading = -exp(1j*(turn + tile(linspace(-1.2, 1, n//2), 2)))
path = []


@network_operation(dt=step)
def world():
    """From the wheels' speeds to a motion of the bodies, and from there to the light on the eyes."""
    global where, heading
    path.append(where)
    left, right = 4*motors.wheel[:].reshape(n, 2).T  # in cm/s
    moving = abs(where) > 5  # who touches the lamp stays there
    where = where + moving*heading*(left + right)/2*step/second
    heading = heading*exp(1j*moving*(right - left)/6*step/second)  # the wheels are 6 cm apart
    lit = [-where/abs(where)*conj(heading*exp(1j*side*pi/4)) for side in (1, -1)]
    eyes.light = (3*clip(real(lit), 0, 1)/(1 + abs(where)/100)).T.ravel()


sensed, acted = SpikeMonitor(eyes), SpikeMonitor(motors)
run(7*second)

path = array(path)
nearest, last = abs(path).min(axis=0), abs(path[-1])
figure(figsize=(11, 5))
subplot(121)
for name, wired, colour in (('straight wires (2a)', slice(n//2), 'C0'), ('crossed wires (2b)', slice(n//2, n), 'C3')):
    print(f'{name}: nearest to the light {nearest[wired].min():.0f} to {nearest[wired].max():.0f} cm, '
          f'at last {last[wired].min():.0f} to {last[wired].max():.0f} cm')
    plot(path[:, wired].real, path[:, wired].imag, colour, lw=1)
    plot([], [], colour, label=name)
plot(path[0].real, path[0].imag, 'k.', label='start')
plot(0, 0, 'y*', ms=18, mec='k', label='light')
gca().set_aspect('equal')
xlim(-170, 170)
xlabel('x (cm)')
ylabel('y (cm)')
ylim(-190, 150)
legend(loc='lower center', ncol=2)

subplot(122)
names = []
for group, monitor in (('eye', sensed), ('motor', acted)):
    for side, index in (('left', 2*(n - 1)), ('right', 2*n - 1)):
        plot(monitor.t[monitor.i == index]/second, full(sum(monitor.i == index), len(names)), '|', ms=30, mew=0.7)
        names.append(f'{side} {group}')
yticks(range(4), names)
ylim(3.6, -0.6)
xlim(0, 1.5)
xlabel('time (s)')
title('spikes of the last crossed vehicle')
tight_layout()
savefig('sensorimotor_loop.png', dpi=120)
