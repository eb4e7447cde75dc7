"""Interrupts: letting a compiled loop know at once that a signal has come.

Python runs handlers of signals between its own instructions, hence not while the main thread is in compiled code.
What comes at once is a byte, on a file that `signal.set_wakeup_fd` names; a thread waits for it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["told_at_once"]

#: Seconds between two times that it is told, for a loop may have begun anew since.
_AGAIN = 0.01


@contextmanager
def told_at_once(number: int, tell: Callable[[], None]) -> Iterator[None]:
    """Call a function, in another thread, as soon as a signal comes; for the main thread.

    Parameters
    ----------
    number : int
        The signal.
    tell : callable
        May be called several times.
    """
    if os.name == "nt":  # pipes block there
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    over = threading.Event()

    def wait() -> None:
        while not over.is_set():
            came = os.read(reader, 1)
            if before >= 0 and not over.is_set():  # somebody else waits as well
                with suppress(OSError):
                    os.write(before, came)
            while came == bytes([number]) and not over.is_set():
                tell()
                over.wait(_AGAIN)

    thread = threading.Thread(target=wait, name="rall-interrupts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)
        with suppress(BlockingIOError):  # full of signals: there is something to read
            os.write(writer, b"\0")
        thread.join()
        os.close(reader)
        os.close(writer)
