"""What groups of elements have in common."""

from __future__ import annotations

from rall.groups.group import Group
from rall.groups.resolver import Resolver
from rall.groups.sites import Sites
from rall.groups.states import ReadableStates, States, get_all_states, set_all_states
from rall.groups.subgroup import Subgroup
from rall.groups.views import VariableView

__all__ = [
    "Group", "ReadableStates", "Resolver", "Sites", "States", "Subgroup", "VariableView", "get_all_states",
    "set_all_states",
]  # fmt: skip
