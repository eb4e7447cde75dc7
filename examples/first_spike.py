"""A pyramidal cell fires: the script of the README.  Writes spike.png and traces.png."""

from rall import *

defaultclock.dt = 0.025*ms
morpho = Morphology.grow('pyramidal').discretize(max_length=20*um)  # or Morphology.from_file('cell.swc')
model = channels.leak() + channels.hh.Na() + channels.hh.K() + 'I : amp (point current)'
cell = SpatialNeuron(morphology=morpho, model=model, Cm=1*uF/cm**2, Ri=100*ohm*cm,
                     threshold='v > 0*mV', threshold_location=0, refractory='v > 0*mV')
cell.initialise(v=-65*mV)
voltage, spikes = StateMonitor(cell, 'v', record=True, dt=0.1*ms), SpikeMonitor(cell)
run(1*ms)
cell.I[0] = 2*nA
run(29*ms)
print(spikes.t)
view3d(cell, voltage).screenshot('spike.png', t=3.2*ms)
plot(voltage.t/ms, voltage[0].v/mV, voltage.t/ms, voltage[morpho.apic[400*um]].v/mV)
savefig('traces.png')
