"""Mutants that random batches must find, with nothing to go by but a ledger and AWS's rules.

See :mod:`tests.mutants.mutant`.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "test_every_driver_does_what_the_rules_say"
STOPS = "test_after_a_stop"
WHERE = "road/test_properties.py"

MUTANTS = (
    Mutant(
        "random batches: a lane stops only at what is not done",
        "invocation.py",
        "        return self.values[position] is NOT_PROCESSED\n",
        "        return position in self.failures\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, a lane stops only at what is not done",
        "road.py",
        "        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:\n",
        "        if stops and position in failures and lane is not None:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, records without a key stop nobody",
        "road.py",
        "        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:\n",
        "        if stops and position in failures and values[position] is NOT_PROCESSED:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a lane that goes on does not stop",
        "road.py",
        "        if stops and position in failures and lane",
        "        if position in failures and lane",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, the caller's key is asked where a lane goes on",
        "road.py",
        "    plain = not ordering.stops and (ordering.key is None or invocation.settings.ordering is None)\n",
        "    plain = not ordering.stops\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: lanes side by side are lanes of one key",
        "road.py",
        "            by_key.setdefault(object() if lane is None else lane, []).append(position)\n",
        "            by_key.setdefault(position if lane != 'a' else lane, []).append(position)\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a dropped record is done",
        "invocation.py",
        "            failure.status, self.values[position] = DROPPED, None\n",
        "            failure.status = DROPPED\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: the nearest base class decides",
        "invocation.py",
        "        kind = next((kind for kind in type(failure.exception).__mro__ if kind in dispositions), None)\n",
        "        kind = type(failure.exception) if type(failure.exception) in dispositions else None\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: an undelivered letter is not done",
        "invocation.py",
        '            self.report.went_wrong("deliver_dead_letter()", error)\n        else:\n',
        '            self.report.went_wrong("deliver_dead_letter()", error)\n        finally:\n',
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a stop stops the batch",
        "invocation.py",
        "            self.stopped = True\n",
        "            self.stopped = False\n",
        WHERE,
        STOPS,
    ),
    Mutant(
        "random batches: the answer is in the order of the batch",
        "outcome.py",
        "            return sorted(position for position in failures if values[position] is NOT_PROCESSED) if",
        "            return [position for position in failures if values[position] is NOT_PROCESSED] if",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a batch raises only if nothing is done",
        "road.py",
        "    undone = all(value is NOT_PROCESSED for value in invocation.values)\n",
        "    undone = len(invocation.failures) == len(invocation.values)\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a handler that waits is done when it has ended",
        "aio.py",
        "                            waited = True\n                            self._start_tasks()\n"
        "                            value = await _Resumed(",
        "                            waited = True\n                            values[position] = None\n"
        "                            self._start_tasks()\n                            value = await _Resumed(",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: asyncio keeps a lane in order",
        "aio.py",
        "    if not invocation.ordering.lanes:\n",
        "    if not invocation.ordering.stops:\n",
        WHERE,
        RULES,
    ),
)
