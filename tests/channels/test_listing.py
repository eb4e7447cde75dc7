"""The library as a table."""

import re

import pytest

from rall import channels
from rall.errors import RallWarning
from rall.registry import _registry, names, register


@pytest.fixture
def family():
    """Adds a family for one test."""
    added = []

    def add(name, extension):
        register("rall.channels", name, extension)
        added.append(("rall.channels", name))

    yield add
    for key in added:
        _registry.loaded.pop(key)
        _registry.given.discard(key)


def test_rows():
    rows = {entry.name: entry for entry in channels.list()}
    assert len(rows) == len(channels.list())
    sodium = rows["hh.Na"]
    assert sodium.what == "Transient sodium channel of the squid axon"
    assert (sodium.ion, sodium.gates, sodium.temperature) == ("Na", "m, h", "6.3 C")
    assert "1952" in sodium.source
    assert (rows["leak"].ion, rows["leak"].gates, rows["leak"].temperature) == ("", "", "")
    assert rows["rothman_manis.h"].ion == ""
    assert rows["destexhe.CaT"].ion == "Ca"
    assert rows["wang_buzsaki.Na"].gates == "h, m"
    assert rows["hay.K_Pst"].gates == "m, h"
    assert rows["allen.NaV"].gates.startswith("C1, C2")
    assert "Jahr" in rows["synapses.NMDA"].source


def test_all_families_have_rows_with_a_source():
    listed = {entry.name.partition(".")[0] for entry in channels.list()}
    assert listed >= set(names("rall.channels"))
    assert all(re.search(r"\b(19|20)\d\d\b", entry.source) for entry in channels.list() if entry.ion)


def test_the_table():
    text = str(channels.list())
    title, rule, *rows = text.splitlines()
    assert title.split() == ["channel", "what", "ion", "gates", "T", "source"]
    assert set(rule) == {"-"} and len(rows) == len(channels.list())
    assert any(row.startswith("hh.Na ") for row in rows)
    page = channels.list()._repr_html_()
    assert page.count("<tr>") == len(rows) + 1 and "Traub &amp; Miles" in page


def test_families_of_others(family):
    def mine():
        """My channel."""
        return channels.leak(name="mine")

    family("mine_alone", mine)
    assert {"mine_alone": "My channel"}.items() <= {e.name: e.what for e in channels.list()}.items()


def test_a_channel_that_cannot_be_made_is_left_out_with_a_warning(family):
    def needs(argument):
        """Needs an argument."""

    family("needy", needs)
    with pytest.warns(RallWarning, match="'needy' cannot be made as it is"):
        listed = channels.list()
    assert "needy" not in {entry.name for entry in listed}


def test_names_are_found_and_offered():
    assert {"list", "plot", "gates", "hh", "rothman_manis"} <= set(dir(channels))
    assert channels.__getattr__("pospischil") is channels.pospischil
    assert "list" not in channels.__all__  # a star import keeps Python's own
