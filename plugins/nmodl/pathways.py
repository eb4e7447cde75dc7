"""NET_RECEIVE as pathways: what an event does, and what the events do that the process sends to itself.

An event that comes back after a fixed time is a second pathway with that delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rall.plugins.nmodl.algebra import add, constant, names, replaced
from rall.plugins.nmodl.flow import Definitions
from rall.plugins.nmodl.receive import FLAG, OWN_FLAG, SENT, ReceiveFlow, Send
from rall.plugins.nmodl.refusal import Refuse
from rall.plugins.nmodl.syntax import Binary, Block, Call, Conditional, Expression, Name, Number, Place, Program

__all__ = ["Pathway", "Receiver"]

_MOST = 8


@dataclass(frozen=True)
class Pathway:
    """What one kind of event does.

    Parameters
    ----------
    name : str
        ``'pre'``, or ``'later'`` and the like.
    values : dict of str to Expression
        Variables and what they are afterwards.
    definitions : Definitions
        What stands in them.
    draws : set of str
        Keys of random definitions.
    interval : Expression or None
        How long after ``'pre'`` it happens.
    """

    name: str
    values: dict[str, Expression]
    definitions: Definitions
    draws: set[str]
    interval: Expression | None = None


@dataclass(frozen=True)
class _Return:
    """What comes back after one time: what sends or moves it, and under which conditions."""

    name: str
    interval: Expression
    flag: Expression
    members: list[tuple[Send, Expression]]

    @property
    def at(self) -> Place:
        return self.members[0][0].call.at

    @property
    def always(self) -> bool:
        return len(self.members) == 1 and constant(self.members[0][1]) == 1


class Receiver:
    """Follows NET_RECEIVE for each kind of event.

    Parameters
    ----------
    program : Program
        The file.
    block : Block
        NET_RECEIVE.
    refuse : Refuse
        Raises errors.
    known : dict of str to str
        Names; those of the importer's own are added.
    arguments : mapping of str to str
        Names of arguments in `known`.

    Attributes
    ----------
    own : dict of str to Expression
        Variables of the importer's own and what they begin with.
    notices : dict of str to None
        What was assumed, each once.
    """

    def __init__(
        self, program: Program, block: Block, refuse: Refuse, known: dict[str, str], arguments: Mapping[str, str]
    ) -> None:
        self._program, self._block, self._refuse, self._known = program, block, refuse, known
        self._arguments = arguments
        self.own: dict[str, Expression] = {}
        self.notices: dict[str, None] = {}

    def pathways(self, initial: Mapping[str, Expression]) -> list[Pathway]:
        """All of them, that of events from outside first.

        Parameters
        ----------
        initial : mapping of str to Expression
            What variables and arguments begin with.
        """
        flow, values = self._followed(Number("0"))
        sends = self._sends(flow, values)
        first = Pathway("pre", values, flow.definitions, flow.draws)
        if not sends:
            return [first]
        if any(s.flag is None for s, _ in sends) and not any(s.flag is not None for s, _ in sends):
            raise self._refuse(sends[0][0].call.at, "net_move without a net_send", "", "net_move")
        later = self._later(first, sends, initial)
        return [first, *later]

    def _followed(self, flag: Expression, least: float = 0.0) -> tuple[ReceiveFlow, dict[str, Expression]]:
        flow = ReceiveFlow(
            self._program, Definitions(), self._refuse, self._known, self._arguments, flag, least
        )  # fmt: skip
        values = flow.follow(self._block.body)
        self.notices.update(flow.notices)
        return flow, values

    def _sends(self, flow: ReceiveFlow, values: dict[str, Expression]) -> list[tuple[Send, Expression]]:
        """What is sent and whether, taken out of the values."""
        found = []
        for k, send in enumerate(flow.sends):
            happens = values.pop(f"{SENT}{k}", Number("0"))
            if isinstance(happens, Name):
                happens = flow.definitions[happens.name].expression
            found.append((send, happens))
        return found

    def _later(
        self, first: Pathway, sends: list[tuple[Send, Expression]], initial: Mapping[str, Expression]
    ) -> list[Pathway]:
        groups: dict[Expression, list[tuple[Send, Expression]]] = {}
        for send, happens in sends:
            self._check_interval(first, send)
            groups.setdefault(_opened(send.interval, first.definitions), []).append((send, happens))
        result: list[Pathway] = []
        for interval, members in groups.items():
            flags = [s.flag for s, _ in members if s.flag is not None]
            at = members[0][0].call.at
            if not flags or any(flag != flags[0] for flag in flags):
                raise self._refuse(at, "events with several flags after the same time", "use one flag", "net_send")
            name = "later" if not result else f"later{len(result) + 1}"
            result.append(self._returning(first, _Return(name, interval, flags[0], members), initial))
        return result

    def _check_interval(self, first: Pathway, send: Send) -> None:
        for name in names(_opened(send.interval, first.definitions)):
            if self._known.get(name) not in ("PARAMETER", "UNIT", "CONSTANT") or name in first.values:
                raise self._refuse(
                    send.call.at,
                    f"the time that {send.call.name} waits depends on '{name.rstrip('@')}'",
                    "it can be a parameter or a number; write the model as a NeuronGroup otherwise",
                    send.call.name,
                )

    def _returning(self, first: Pathway, back: _Return, initial: Mapping[str, Expression]) -> Pathway:
        fixed = constant(back.flag)
        if fixed is None:
            return self._counted(first, back, initial)
        if fixed == 0:
            raise self._refuse(back.at, "net_send with the flag 0, as events from outside have it", "use 1", "net_send")
        flow, values = self._followed(Number(str(fixed)))
        if self._sends(flow, values):
            what = "an event of the process itself sends another one"
            raise self._refuse(back.at, what, "write a NeuronGroup", "net_send")
        if not back.always:
            values = self._if_due(first, flow, values, back)
        return Pathway(back.name, values, flow.definitions, flow.draws, back.interval)

    def _counted(self, first: Pathway, back: _Return, initial: Mapping[str, Expression]) -> Pathway:
        """An event whose flag says how many there were; the later ones are counted as well."""
        counter = next((v for v, value in first.values.items() if value == back.flag and self._counts(first, v)), None)
        begins = constant(initial.get(counter or "", Number("0")))
        if counter is None or not back.always or begins is None or begins < 0:
            remedy = "use a number, or a variable that counts events"
            raise self._refuse(back.at, "the flag of net_send is no number", remedy, "net_send")
        own = OWN_FLAG
        self._known[own] = "STATE"
        self.own[own] = Number(f"{begins:.15g}")
        flow, values = self._followed(Name(FLAG), begins + 1)
        if counter in values or self._sends(flow, values):
            raise self._refuse(back.at, "the event that comes back counts or sends as well", "", "net_send")
        key = flow.definitions.make(own, add(Name(own), Number("1")), False)

        def now(name: str) -> Expression | None:
            return key if name == FLAG else None

        for definition in flow.definitions.values():
            definition.expression = replaced(definition.expression, now)
        flow.definitions[key.name].number = -1  # before what asks for it
        values = {own: key, **{name: replaced(value, now) for name, value in values.items()}}
        return Pathway(back.name, values, flow.definitions, flow.draws, back.interval)

    def _counts(self, first: Pathway, variable: str) -> bool:
        found = _opened(first.values[variable], first.definitions)
        return found in (add(Name(variable), Number("1")), add(Number("1"), Name(variable)))

    def _if_due(
        self, first: Pathway, flow: ReceiveFlow, values: dict[str, Expression], back: _Return
    ) -> dict[str, Expression]:
        """What an event does that comes back only if it was sent, or after it was moved.

        A variable keeps when it is due.  There is one at a time: it is sent only while none is on its way.
        """
        sent = [(send, happens) for send, happens in back.members if send.flag is not None]
        if len(sent) > 1 or not self._waits(first, sent[0][1]):
            raise self._refuse(
                sent[0][0].call.at,
                "net_send under a condition that may hold again before the event is back",
                "send in any case and decide when it is back, or let a variable say that one is on its way",
                "net_send",
            )
        due = f"due {back.name}"
        self._known[due] = "STATE"
        self.own[due] = Number("-1")
        when: Expression = Name(due)
        for send, happens in back.members:
            moment = add(Name("t"), _opened(send.interval, first.definitions))
            fixed = constant(happens)
            when = moment if fixed == 1 else when if fixed == 0 else _chosen(happens, moment, when)
        first.values[due] = first.definitions.make(due, when, False)
        late = Call("fabs", (Binary("-", Name("t"), Name(due)),))
        test = flow.definitions.make("is due", Binary("<", late, Binary("*", Number("0.75"), Name("dt"))), True)
        return {v: flow.definitions.make(v, Conditional(test, x, Name(v)), False) for v, x in values.items()}

    def _waits(self, first: Pathway, happens: Expression) -> bool:
        """Whether what makes an event be sent also makes its condition fail from then on."""
        if not isinstance(happens, Conditional):
            return False
        test = _opened(happens.test, first.definitions)

        def then(name: str) -> Expression | None:
            value = first.values.get(name)
            value = None if value is None else _opened(value, first.definitions)
            if isinstance(value, Conditional) and value.test == test:
                value = value.yes
            return value if value is not None and constant(value) is not None else None

        return constant(replaced(test, then)) == 0


def _chosen(happens: Expression, moment: Expression, other: Expression) -> Expression:
    """`moment` if something happens, which is a choice between 1 and 0."""
    if not isinstance(happens, Conditional):
        return Conditional(Binary("!=", happens, Number("0")), moment, other)
    yes, no = constant(happens.yes), constant(happens.no)
    if (yes, no) == (1, 0):
        return Conditional(happens.test, moment, other)
    if (yes, no) == (0, 1):
        return Conditional(happens.test, other, moment)
    return Conditional(Binary("!=", happens, Number("0")), moment, other)


def _opened(node: Expression, definitions: Definitions) -> Expression:
    return replaced(
        node, lambda name: _opened(definitions[name].expression, definitions) if name in definitions else None
    )
