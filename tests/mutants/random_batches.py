"""Mutants that random batches must find, with nothing to go by but a log of what was done and AWS's rules.

See :mod:`tests.mutants.mutant`.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "test_every_driver_does_what_the_rules_say"
STOPS = "test_after_a_stop"
WHERE = "properties/test_properties.py"
OF_TIME = "properties/test_properties_of_time.py"
STARTS = "test_records_start_as_long_as_there_is_time"
LATE = "test_what_is_left_behind_changes_nothing"
OF_LIVES = "properties/test_properties_of_lives.py"

MUTANTS = (
    # Lanes.
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
        "lanes.py",
        "        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:\n",
        "        if stops and position in failures and lane is not None:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, records without a key stop nobody",
        "lanes.py",
        "        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:\n",
        "        if stops and position in failures and values[position] is NOT_PROCESSED:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a lane that goes on does not stop",
        "lanes.py",
        "        if stops and position in failures and lane",
        "        if position in failures and lane",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, the caller's key is asked where a lane goes on",
        "road.py",
        "    plain = not ordering.stops and (ordering.key is None or ordering is not settings.ordering)\n",
        "    plain = not ordering.stops\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: lanes side by side are lanes of one key",
        "lanes.py",
        "            by_key.setdefault(object() if lane is None else lane, []).append(position)\n",
        "            by_key.setdefault(position if lane != 'a' else lane, []).append(position)\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: asyncio keeps a lane in order",
        "lanes.py",
        "    if not invocation.ordering.lanes:\n",
        "    if not invocation.ordering.stops:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a lane that waits with its letter is not forgotten",
        "lanes.py",
        "            letters.parked.append((position, positions))\n            return\n",
        "            return\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a lane that waited stops at a letter that nobody took",
        "lanes.py",
        "            elif invocation.ordering.stops and invocation.unfinished(position):\n",
        "            elif invocation.unfinished(position) and False:\n",
        WHERE,
        RULES,
    ),
    # Time.
    Mutant(
        "random batches: nothing starts when the time is up",
        "lanes.py",
        "        if is_up():\n",
        "        if is_up() and False:\n",
        OF_TIME,
        STARTS,
    ),
    Mutant(
        "random batches: something starts with exactly that left",
        "clock.py",
        "not self._remaining() >= self._margin_ms",
        "not self._remaining() > self._margin_ms",
        OF_TIME,
        STARTS,
    ),
    Mutant(
        "random batches: the margin is what is left, not what has passed",
        "clock.py",
        "not self._remaining() >= self._margin_ms",
        "not self._remaining() <= self._margin_ms",
        OF_TIME,
        STARTS,
    ),
    Mutant(
        "random batches: calls after the records have their part of the margin",
        "clock.py",
        "else self.margin / 4)",
        "else self.margin / 2)",
        OF_TIME,
        STARTS,
    ),
    Mutant(
        "random batches: those that were left behind have slots of their own",
        "left_behind.py",
        "list(workers.values), dict(workers.failures), -1",
        "workers.values, workers.failures, -1",
        OF_TIME,
        LATE,
    ),
    Mutant(
        "random batches: those that were left behind tell nobody of a success",
        "invocation.py",
        "        if self.observing is not None and not self.cut_loose:\n",
        "        if self.observing is not None:\n",
        OF_TIME,
        LATE,
    ),
    Mutant(
        "random batches: a task that is given up is not one that has ended",
        "aio.py",
        "        return not self._tasks\n",
        "        return True\n",
        OF_TIME,
        LATE,
    ),
    # What becomes of a record.
    Mutant(
        "random batches: a dropped record is done",
        "invocation.py",
        "            failure.status, self.values[position] = DROPPED, None\n",
        "            failure.status = DROPPED\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: the record that asked for it is dropped",
        "invocation.py",
        "            failure.status, self.values[position] = DROPPED, None\n",
        "            failure.status, self.values[position - 1] = DROPPED, None\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: the nearest base class decides",
        "disposition.py",
        "    for kind in type(error).__mro__:\n",
        "    for kind in type(error).__mro__[:1]:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: what is raised counts as much as what is mapped",
        "disposition.py",
        "    for kind in type(error).__mro__:\n",
        "    for kind in type(error).__mro__[::-1]:\n",
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
    # Dead letters.
    Mutant(
        "random batches: an undelivered letter is not done",
        "delivering.py",
        "    if problem is None:\n        failure.status",
        "    if problem is not Ellipsis:\n        failure.status",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: the delivery that is the last one counts",
        "invocation.py",
        "attempt >= after",
        "attempt > after",
        WHERE,
        RULES,
    ),
    Mutant(
        "random lives: poison leaves a queue with its last delivery",
        "invocation.py",
        "attempt >= after",
        "attempt > after",
        OF_LIVES,
        "test_poison_leaves_a_queue",
    ),
    Mutant(
        "random batches: in a lane, a letter above one that comes again is withheld",
        "delivering.py",
        "        if letters.lowest is not None and letters.lowest < position:\n",
        "        if letters.lowest is not None and letters.lowest > position:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: at the end, a letter above one that comes again is withheld",
        "delivering.py",
        "        if lowest is not None:\n",
        "        if lowest is not None and lowest < 0:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: it is the lowest that comes again that counts",
        "delivering.py",
        "first_with_identifiers_of(invocation, unfinished) if",
        "first_with_identifiers_of(invocation, unfinished[-1:]) if",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a letter waits for those before it",
        "delivering.py",
        "        if not all_ended:\n            return\n",
        "",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a letter that waits is no failure yet",
        "dead_letters.py",
        "                if following not in failures or following in self.in_lanes:\n",
        "                if following not in failures:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a letter is told of when it is settled",
        "delivering.py",
        "    invocation.tell(position, failure.exception)\n",
        "",
        WHERE,
        RULES,
    ),
    # Steps.
    Mutant(
        "random batches: what a step before the records fails, fails",
        "steps.py",
        "    if failing:\n",
        "    if not failing:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: what a step after the records fails, fails",
        "steps.py",
        "        for position, exception in sorted(failed.items()):\n",
        "        for position, exception in sorted(failed.items())[:1]:\n",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a step after the records that raises fails them all",
        "steps.py",
        "            for outcome in outcomes:\n                failed.setdefault(outcome.position, error)\n",
        "",
        WHERE,
        RULES,
    ),
    # The answer.
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
)
