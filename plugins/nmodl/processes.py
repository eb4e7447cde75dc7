"""What a point process does before and in each step, and at events."""

from __future__ import annotations

from rall.plugins.nmodl.flow import Definitions, Flow
from rall.plugins.nmodl.passes import Passes
from rall.plugins.nmodl.pathways import Pathway, Receiver
from rall.plugins.nmodl.receive import OWN_FLAG, ReceiveFlow, argument_names
from rall.plugins.nmodl.syntax import Block, Name, Number, Program

__all__ = ["ProcessPasses"]

_OUT_OF_PLACE = ("BEFORE", "AFTER", "CONSTRUCTOR", "DESTRUCTOR", "DISCRETE", "POST_EVENT")


class ProcessPasses(Passes):
    """The blocks of a point process, followed.

    Parameters
    ----------
    program : Program
        The file.

    Attributes
    ----------
    receives : Block or None
        NET_RECEIVE.
    arguments : dict of str to str
        Its arguments, and what they are called in `known`.
    held : dict of str to None
        Variables that events change and that keep their values between events, arguments among them.
    pathways : list of Pathway
        What events do.
    """

    def __init__(self, program: Program) -> None:
        self.receives = next((block for block in program.blocks if block.kind == "NET_RECEIVE"), None)
        self.arguments: dict[str, str] = {}
        self.held: dict[str, None] = {}
        self.pathways: list[Pathway] = []
        super().__init__(program)
        if self.receives is not None:
            self._receive(self.receives)

    def _check(self) -> None:
        neuron = self.program.neuron
        if neuron.kind != "POINT_PROCESS":
            raise self.refuse(neuron.at, f"{neuron.kind} {neuron.name}", "", neuron.kind)
        for block in self.program.blocks:
            if block.kind in _OUT_OF_PLACE:
                what = f"{block.kind} {block.name}".strip()
                raise self.refuse(block.at, what, "say in BREAKPOINT what happens in every step", block.kind)
        for name in neuron.pointers:
            self.known[name] = "POINTER"
        if self.receives is not None:
            self._find_held(self.receives)

    def _find_held(self, block: Block) -> None:
        """Variables that keep from event to event what NET_RECEIVE assigns to them."""
        self.arguments = argument_names(self.program, block, self.known)
        self.known.update(dict.fromkeys(self.arguments.values(), "STATE"))
        self.held.update(dict.fromkeys(self.arguments.values()))
        flow = self._events(block)
        for name in flow.follow(block.body):
            if self.known.get(name) == "POINTER":
                raise self.refuse(
                    block.at,
                    f"NET_RECEIVE assigns to the POINTER '{name}'",
                    "write a rule of plasticity as on_pre and on_post of the Synapses that it changes",
                    "NET_RECEIVE",
                )
            if self.known.get(name) in ("ASSIGNED", "PARAMETER", "LOCAL"):
                self.held[name] = None
        self.known.update(dict.fromkeys(self.held, "STATE"))

    def _events(self, block: Block) -> ReceiveFlow:
        """Any event: whatever its flag is."""
        known = {**self.known, OWN_FLAG: "STATE"}
        return ReceiveFlow(self.program, Definitions(), self.refuse, known, self.arguments, Name(OWN_FLAG))

    def _receive(self, block: Block) -> None:
        self._begin(block)
        receiver = Receiver(self.program, block, self.refuse, self.known, self.arguments)
        self.pathways = receiver.pathways(self.initial)
        self.notices.update(receiver.notices)
        for name, value in receiver.own.items():
            self.held[name] = None
            self.initial[name] = value
        computed = {name for name in self.final if name not in self.frozen}
        for pathway in self.pathways:
            for name in [n for n in pathway.values if n in computed]:
                del pathway.values[name]
        for name in computed & self.held.keys():
            del self.held[name]

    def _begin(self, block: Block) -> None:
        """What arguments begin with."""
        if block.initial is None:
            return
        flow = ReceiveFlow(self.program, self.definitions, self.refuse, self.known, self.arguments, Number("0"))
        values = flow.follow(block.initial.body)
        if flow.sends:
            at = flow.sends[0].call.at
            raise self.refuse(at, "INITIAL sends an event", "begin with what it does", "net_send")
        for name, value in values.items():
            if name not in self.arguments.values() and self.known.get(name) not in ("STATE", "LOCAL"):
                raise self.refuse(value.at, f"INITIAL of NET_RECEIVE assigns to '{name}'", "", "INITIAL")
            self.initial[name] = value

    def _reacts(self, main: Flow) -> bool:
        return False

