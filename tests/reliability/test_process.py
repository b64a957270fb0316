"""A clock that leaves out waiting for a processor, with threads that end and readings cut short."""

from __future__ import annotations

from itertools import pairwise

from tests.reliability.process import OwnTime, waited_ns


class Machine:
    """A clock and an account that the test moves.

    Attributes:
        interrupted: so many readings last long, and the whole while is waiting of thread "1".
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waited = {"1": 0}
        self.interrupted = 0

    def clock(self) -> float:
        return self.seconds

    def read(self) -> dict[str, int]:
        if self.interrupted:
            self.interrupted -= 1
            self.wait(0.2)
        return dict(self.waited)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.waited["1"] += round(seconds * 1e9)


def passed(machine: Machine, time: OwnTime, began: float) -> float:
    return round(time.now() - began, 6)


def test_waiting_is_left_out_and_work_is_not() -> None:
    machine = Machine()
    time = OwnTime(machine.read, machine.clock)
    began = time.now()
    machine.wait(5.0)
    machine.seconds += 0.3
    assert passed(machine, time, began) == 0.3


def test_a_thread_that_ended_takes_no_waiting_back() -> None:
    """Its account went with it, and what it had ever waited looked like a gap of the window."""
    machine = Machine()
    machine.waited["2"] = 130_000_000
    time = OwnTime(machine.read, machine.clock)
    began = time.now()
    del machine.waited["2"]
    assert passed(machine, time, began) == 0.0
    machine.waited["2"] = 50_000_000  # another of that number
    machine.seconds += 0.05
    assert passed(machine, time, began) == 0.0


def test_a_reading_that_was_cut_in_two_is_made_again() -> None:
    """The clock was read before a wait and the account after it: the next gap had the wait."""
    machine = Machine()
    time = OwnTime(machine.read, machine.clock)
    moments = [time.now()]
    for interrupted in (2, 0, 1, 0):
        machine.interrupted = interrupted
        machine.seconds += 0.01
        moments.append(time.now())
    gaps = [round(b - a, 6) for a, b in pairwise(moments)]
    assert gaps == [0.01, 0.01, 0.01, 0.01]


def test_the_systems_account_is_of_this_process() -> None:
    assert all(waited >= 0 for waited in waited_ns().values())
