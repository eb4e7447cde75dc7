"""What an event does, by NET_RECEIVE: its statements followed for one value of ``flag``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rall.plugins.nmodl.algebra import constant, sub
from rall.plugins.nmodl.chance import drawn, is_uniform
from rall.plugins.nmodl.flow import Definition, Definitions, Flow, Scope
from rall.plugins.nmodl.refusal import Refuse
from rall.plugins.nmodl.syntax import (
    Binary,
    Block,
    Call,
    CallStatement,
    Expression,
    If,
    Index,
    Name,
    Number,
    Opaque,
    Program,
    Statement,
    Watch,
)  # fmt: skip
from rall.plugins.nmodl.verbatim import harmless

__all__ = ["FLAG", "OWN_FLAG", "SENT", "ReceiveFlow", "Send", "argument_names"]

FLAG = "flag"
#: The same as a variable of the importer's own.
OWN_FLAG = f"{FLAG}@"
#: What names of the importer's own begin with: whether an event was sent, by the number of its statement.
SENT = "sent "


@dataclass(frozen=True)
class Send:
    """A ``net_send``, or a ``net_move`` of what it sent.

    Parameters
    ----------
    interval : Expression
        In ms, after now.
    flag : Expression or None
        Of the event; None for a ``net_move``, which keeps it.
    call : Call
        Where it stands.
    """

    interval: Expression
    flag: Expression | None
    call: Call


def argument_names(program: Program, block: Block, known: Mapping[str, str]) -> dict[str, str]:
    """The arguments of NET_RECEIVE, and names for them that no variable of the file has."""
    return {name: f"{name}@" if name in known else name for name, _ in block.arguments}


class ReceiveFlow(Flow):
    """The execution of NET_RECEIVE.

    Parameters
    ----------
    program, definitions, refuse, known
        See `Flow`; `definitions` are of this alone.
    arguments : mapping of str to str
        Names of arguments, and what they are in `known`.
    flag : Expression
        Of the event.
    least : float
        What the flag is at least, where it is no number.

    Attributes
    ----------
    sends : list of Send
        In their order; which of them happen, `values` has under `SENT`.
    draws : set of str
        Keys of definitions that are random.
    """

    def __init__(
        self,
        program: Program,
        definitions: Definitions,
        refuse: Refuse,
        known: Mapping[str, str],
        arguments: Mapping[str, str],
        flag: Expression,
        least: float = 0.0,
    ) -> None:
        more: dict[type, Callable[..., None]] = {
            CallStatement: ReceiveFlow._call, If: ReceiveFlow._if, Opaque: ReceiveFlow._opaque,
            Watch: ReceiveFlow._watch,
        }  # fmt: skip
        super().__init__(program, definitions, refuse, known, more)
        self.sends: list[Send] = []
        self.draws: set[str] = set()
        self._program, self._least = program, least
        self._scope: Scope = {name: Name(key) for name, key in arguments.items()}
        self._arguments = arguments
        self._flag = flag

    def follow(self, body: Sequence[Statement]) -> dict[str, Expression]:
        """Execute the block; what it leaves in variables of the file and in arguments."""
        self._calls[-1].scopes.append({FLAG: self._flag})
        self._calls[-1].scopes.append(self._scope)
        self.run(_without_returns(self._without_pointers(body)))
        found = {key: self._scope[name] for name, key in self._arguments.items()}
        changed = {key: value for key, value in found.items() if value is not None and value != Name(key)}
        return {**self.values, **changed}

    def _without_pointers(self, body: Sequence[Statement]) -> list[Statement]:
        """Statements without those that C code makes depend on a POINTER, as if it were not set."""
        done: list[Statement] = []
        depth = 0
        for statement in body:
            if isinstance(statement, If):
                yes, no = (self._without_pointers(part) for part in (statement.yes, statement.no))
                statement = If(statement.test, tuple(yes), tuple(no), at=statement.at)
            if isinstance(statement, Opaque) and statement.kind == "VERBATIM":
                opens = statement.text.count("{") - statement.text.count("}")
                used = [name for name in self._program.neuron.pointers if f"_p_{name}" in statement.text]
                if depth > 0 or (opens > 0 and used):
                    depth += opens
                    rest = statement.text.rpartition("}")[2]
                    if depth == 0 and "return" in rest:
                        done.append(Opaque("VERBATIM", rest, at=statement.at))
                    self.notices.update({f"what C code does with '{name}' was left out": None for name in used})
                    continue
            if depth <= 0:
                done.append(statement)
        return done

    def read(self, name: str, at: object) -> Expression:
        """See `Flow.read`; variables of the whole file keep their values."""
        if self.known.get(name) == "STATE" and name not in self.values and not self._scoped(name):
            return Name(name, at=at)  # type: ignore[arg-type]
        return super().read(name, at)  # type: ignore[arg-type]

    def element(self, node: Index) -> str:
        """See `Flow.element`."""
        if constant(self.value(node.index)) is None:
            raise self.refuse(
                node.at, f"the array '{node.name}' remembers events", "keep sums that decay instead", "NET_RECEIVE"
            )
        return super().element(node)

    def _scoped(self, name: str) -> bool:
        return any(name in scope for scope in self._calls[-1].scopes)

    def _remembered(self, branches: object, name: str, other: Expression | None) -> Expression:
        return Number("0") if name.startswith(SENT) else Name(name)

    def value(self, node: Expression) -> Expression:
        """See `Flow.value`; whether the flag is a number that it cannot be is known."""
        found = super().value(node)
        if not isinstance(found, Binary):
            return found
        sides = (found.left, found.right)
        known = [constant(side) for side in sides]
        if found.operator in ("==", "!=") and Name(FLAG) in sides:
            if any(number is not None and number < self._least for number in known):
                return Number("0" if found.operator == "==" else "1", at=node.at)
        if found.operator == "&&" and 0 in known:
            return Number("0", at=node.at)
        return found

    def _called(self, node: Call) -> Expression:
        if node.name == "fmod" and "fmod" not in self._blocks:
            raise self.refuse(
                node.at, "fmod finds a place in an array of events", "keep sums that decay instead", "NET_RECEIVE"
            )
        random = self._drawn(node)
        if random is None:
            return super()._called(node)
        key = f"drawn#{len(self.definitions)}"
        self.definitions[key] = Definition("drawn", random, True, len(self.definitions))
        self.draws.add(key)
        return Name(key, at=node.at)

    def _drawn(self, node: Call) -> Expression | None:
        """A random number; None for other functions."""
        block = self._blocks.get(node.name)
        if block is not None and block.kind == "FUNCTION" and is_uniform(block):
            self.notices[f"{node.name}() is taken as a random number between 0 and 1"] = None
            return drawn("scop_random", (), ())
        if block is not None:
            return None
        streams = self._program.neuron.randoms
        given = [
            part if isinstance(part, Name) and part.name in streams else self.value(part) for part in node.arguments
        ]
        return drawn(node.name, given, streams)

    # --- statements ---

    def _call(self, statement: CallStatement) -> None:
        call = statement.call
        if call.name == "state_discontinuity" and len(call.arguments) == 2 and isinstance(call.arguments[0], Name):
            self.assign(call.arguments[0].name, self.value(call.arguments[1]))
        elif call.name in ("net_send", "net_move") and len(call.arguments) == (2 if call.name == "net_send" else 1):
            self._send(call)
        elif call.name == "net_event":
            remedy = "use a NeuronGroup with a threshold and a reset"
            raise self.refuse(call.at, "this mechanism sends events to others", remedy, "net_event")
        else:
            Flow._call(self, statement)

    def _send(self, call: Call) -> None:
        interval = self.value(call.arguments[0])
        if call.name == "net_move":
            interval = _settled_difference(interval)
        self.values[f"{SENT}{len(self.sends)}"] = Number("1")
        self.sends.append(Send(interval, self.value(call.arguments[1]) if call.name == "net_send" else None, call))

    def _if(self, statement: If) -> None:
        test = self.value(statement.test)
        if constant(test) is None:  # written once, however many variables depend on it
            name = f"condition {len(self.definitions)}"
            kept = self._local("condition", test)
            if kept is test:
                Flow._if(self, statement)
                return
            self._calls[-1].scopes[-1][name] = kept
            named = Binary("!=", Name(name, at=statement.test.at), Number("0"), at=statement.test.at)
            statement = If(named, statement.yes, statement.no, at=statement.at)
        Flow._if(self, statement)

    def _opaque(self, statement: Opaque) -> None:
        if statement.kind == "VERBATIM" and "return" in statement.text and harmless(statement.text):
            raise self.refuse(
                statement.at, "VERBATIM returns in the middle", "put what follows into an IF", "VERBATIM"
            )
        Flow._opaque(self, statement)

    def _watch(self, statement: Watch) -> None:
        raise self.refuse(
            statement.at,
            "WATCH waits for a threshold",
            "give the cell threshold=... and do what follows in on_pre of Synapses from the cell",
            "WATCH",
        )


def _settled_difference(moment: Expression) -> Expression:
    """How long it is from now to a moment, ``t + interval``."""
    if isinstance(moment, Binary) and moment.operator == "+":
        if moment.left == Name("t"):
            return moment.right
        if moment.right == Name("t"):
            return moment.left
    return sub(moment, Name("t"))


def _without_returns(body: Sequence[Statement]) -> tuple[Statement, ...]:
    """Statements in which what follows an IF that ends the block stands in its ELSE."""
    done: list[Statement] = []
    for k, statement in enumerate(body):
        if isinstance(statement, If) and not statement.no and _ends(statement.yes):
            kept = tuple(s for s in statement.yes if not _returns(s))
            rest = _without_returns(body[k + 1 :])
            return (*done, If(statement.test, kept, rest, at=statement.at))
        if _returns(statement) and k == len(body) - 1:
            break
        done.append(statement)
    return tuple(done)


def _ends(body: Sequence[Statement]) -> bool:
    return bool(body) and _returns(body[-1])


def _returns(statement: Statement) -> bool:
    return (
        isinstance(statement, Opaque) and statement.kind == "VERBATIM" and "return" in statement.text
        and harmless(statement.text)
    )  # fmt: skip
