"""Loggers of scripts, and which warnings of rall are shown."""

from __future__ import annotations

import logging
import warnings

import pytest

from rall.errors import RallWarning
from rall.logger import BrianLogger, get_logger
from rall.session import session


@pytest.fixture(autouse=True)
def levels():
    kept = logging.getLogger().level
    with warnings.catch_warnings():
        yield
    logging.getLogger().setLevel(kept)


def shown():
    """Whether a warning of rall is shown now."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("something odd", RallWarning, stacklevel=1)
    return bool(caught)


def test_messages_of_scripts_go_to_pythons_logging(caplog):
    log = get_logger("my.model")
    with caplog.at_level(5):
        log.diagnostic("a")
        log.debug("b")
        log.info("c 100%")
        log.warn("d", "odd")
        log.warning("e")
        log.error("f", name_suffix="bad")
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("my.model", 5, "a"),
        ("my.model", logging.DEBUG, "b"),
        ("my.model", logging.INFO, "c 100%"),
        ("my.model.odd", logging.WARNING, "d"),
        ("my.model", logging.WARNING, "e"),
        ("my.model.bad", logging.ERROR, "f"),
    ]
    assert {r.filename for r in caplog.records} == {"test_logger.py"}


def test_once(caplog):
    log = get_logger("my.model")
    for _ in range(3):
        log.warn("again", once=True)
        log.warn("again", "other", once=True)
    assert len(caplog.records) == 2


def test_levels():
    for quieter, level in (
        (BrianLogger.log_level_diagnostic, 5), (BrianLogger.log_level_debug, 10), (BrianLogger.log_level_info, 20),
        (BrianLogger.log_level_warn, 30),
    ):  # fmt: skip
        quieter()
        assert shown() and logging.getLogger().level == level
    BrianLogger.log_level_error()
    assert not shown() and logging.getLogger().level == logging.ERROR
    BrianLogger.log_level_info()
    assert shown()


def test_suppressing(caplog, monkeypatch):
    monkeypatch.setattr(session, "said", set())
    with pytest.warns(RallWarning, match="no names such as 'resolution_conflict'"):
        BrianLogger.suppress_name("resolution_conflict")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BrianLogger.suppress_name("base", filter_log_file=True)
        BrianLogger.suppress_hierarchy("brian2.codegen")
    get_logger("noisy.one").warn("before")
    BrianLogger.suppress_hierarchy("noisy.one")
    get_logger("noisy.one").warn("after")
    get_logger("noisy.one").warn("after", "below")
    assert [r.getMessage() for r in caplog.records] == ["before"]
    assert shown()
    BrianLogger.suppress_hierarchy("brian2")
    assert not shown()
