"""Mutants that random batches must find, with nothing to go by but a log of what was done and AWS's rules.

See ``mutant.py``. They are of what no single test holds in all its cases: lanes, time, and what becomes of a
record.
"""

from __future__ import annotations

from .mutant import Mutant

RULES = "test_every_driver_does_what_the_rules_say"
WHERE = "properties/test_properties.py"
OF_TIME = "properties/test_properties_of_time.py"

MUTANTS = (
    # Lanes.
    Mutant(
        "random batches: a lane stops only at what is not done",
        "_concurrency.lanes.Lane.__iter__",
        "ledger.values[position] is NOT_PROCESSED",
        "position in ledger.failures",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: one by one, records without a key stop nobody",
        "engine._walk",
        "lane is not None",
        "True",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: lanes side by side are lanes of one key",
        "_concurrency.lanes.all_lanes",
        "object() if key is None else key",
        "key if key == 'a' else position",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a lane that waited stops where its letter was not taken",
        "_concurrency.lanes.next_lanes",
        "run.ordering.stops and ledger.values[position] is NOT_PROCESSED",
        "False",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: in threads, no lane starts after a stop",
        "_concurrency.lanes._run_waiting",
        "ledger.stop is None",
        "True",
        WHERE,
        "test_after_a_stop",
    ),
    # Time.
    Mutant(
        "random batches: something starts with exactly that left",
        "deadline.Clock.is_up",
        "self._remaining() >= self._margin_ms",
        "self._remaining() > self._margin_ms",
        OF_TIME,
        "test_records_start_as_long_as_there_is_time",
    ),
    Mutant(
        "random batches: what is abandoned has a ledger of its own",
        "ledger.Ledger._close",
        "copy.values += self.values",
        "copy.values = self.values",
        OF_TIME,
        "test_what_is_abandoned_changes_nothing",
    ),
    # What becomes of a record.
    Mutant(
        "random batches: what is raised counts as much as what is mapped",
        "dispositions.disposition_of",
        "type(error).__mro__",
        "type(error).__mro__[::-1]",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: the delivery that is the last one counts",
        "plan.Run._disposition_of",
        "attempt >= after",
        "attempt > after",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: at the end, a letter above one that comes again is withheld",
        "_extensions.dead_letters.deliver_at_end",
        "again.intersection(items)",
        "()",
        WHERE,
        RULES,
    ),
    Mutant(
        "random batches: a letter waits until all before it have ended",
        "_extensions.dead_letters.DeadLetters.everything_before_has_ended",
        "following == position",
        "True",
        WHERE,
        RULES,
    ),
)
