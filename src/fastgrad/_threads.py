"""Threads that wait a moment for more to do: one that waits is at work sooner than one that has to be started."""

import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from typing import Any

#: Seconds for which a thread that has nothing to do waits: from one gradient of a descent to the next, as a rule.
PATIENCE = 0.05

_waiting: list["_Helper"] = []


def start(task: Callable[..., Any], given: tuple[Any, ...]) -> None:
    """Have a thread call the task with what is given: one that waits, or a new one."""
    try:
        helper = _waiting.pop()
    except IndexError:
        start_new_thread(_Helper(task, given).live, ())
        return
    helper.task, helper.given = task, given
    helper.bell.release()


class _Helper:
    """A thread: what it is to do, and the bell that calls it to do so."""

    __slots__ = ("bell", "given", "task")

    def __init__(self, task: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self.task, self.given = task, given
        self.bell = allocate_lock()
        self.bell.acquire()

    def live(self) -> None:
        """Do what there is to do, until nothing comes for a while."""
        called = True
        while called:
            self.task(*self.given)
            self.task, self.given = _nothing, ()  # while it waits it holds nothing that it was given
            _waiting.append(self)
            called = self.bell.acquire(True, PATIENCE) or self._is_taken_and_called()

    def _is_taken_and_called(self) -> bool:
        """Take this thread from those that wait; where somebody has just done so, wait for the call."""
        try:
            _waiting.remove(self)
        except ValueError:
            return self.bell.acquire(True, PATIENCE)  # never comes if Ctrl-C has come between
        return False


def _nothing() -> None:
    pass


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waiting.clear)  # a child has none of its parent's threads
