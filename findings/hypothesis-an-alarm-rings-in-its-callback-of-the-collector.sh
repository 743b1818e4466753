#!/usr/bin/env bash
# hypothesis 6.168.5: once a property has run, hypothesis leaves a Python function in gc.callbacks, for as long as the
# process lives. Every collection calls it, also in code that has nothing to do with hypothesis. An exception that a signal
# handler raises, such as that of a time limit by SIGALRM, may be raised while it runs: there it cannot be caught. It goes
# to sys.unraisablehook, which pytest makes a warning of, and whoever waited for the exception never gets it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install hypothesis==6.168.5

cat >"$folder/alarms.py" <<'PROGRAM'
import gc
import signal
import sys

from hypothesis import given
from hypothesis import strategies as st


class TimeLimit(Exception):
    pass


def ring(*_):
    raise TimeLimit


lost = []
sys.unraisablehook = lambda unraisable: lost.append(unraisable.object)
signal.signal(signal.SIGALRM, ring)


def alarms(count):
    """Let so many alarms ring while garbage is collected."""
    for number in range(count):
        try:
            signal.setitimer(signal.ITIMER_REAL, 20e-6 + number % 50 * 1e-6)
            for _ in range(500):
                gc.collect(0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeLimit:
            pass


@given(st.integers())
def holds(number):
    assert isinstance(number, int)


assert gc.callbacks == []
alarms(1000)
assert lost == []
holds()
(left,) = gc.callbacks
alarms(1000)
assert left.__module__.startswith("hypothesis."), left
assert lost, "no exception was lost"
assert set(lost) == {left}, lost
PROGRAM

"$folder/env/bin/python" "$folder/alarms.py"
echo "As seen: exceptions of a signal handler were raised in hypothesis's callback of the collector, and lost."
