"""Mutants of the time that is kept, of what is left behind, of executors and of what is said of an answer.

See :mod:`tests.mutants.mutant`.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

LATE_THREADS = "test_what_a_thread_does_after_the_answer"
IN_TIME = "engine/test_time.py"
LEFT_BEHIND = "engine/test_left_behind.py"

MUTANTS = (
    # The time that is kept.
    Mutant(
        "a processor that is to stop in time needs to be told the time",
        "road.py",
        "    if settings.stop_before is not None and invocation.clock is None:\n",
        "    if settings.stop_before is None and invocation.clock is Ellipsis:\n",
        IN_TIME,
        "test_call_without_a_usable_context or test_context_that_tells_no_time",
    ),
    Mutant(
        "what is no number tells no time",
        "clock.py",
        "isinstance(value, (int, float)) and not isinstance(value, bool) and value == value",
        "isinstance(value, (int, float)) and value == value",
        IN_TIME,
        "test_context_that_tells_no_time",
    ),
    Mutant(
        "a clock that breaks off leaves no time",
        "clock.py",
        "            return True\n",
        "            return False\n",
        IN_TIME,
        "test_clock_that_breaks_off",
    ),
    Mutant(
        "a record that had no time says so",
        "lanes.py",
        "TIME_UP if invocation.out_of_time else BATCH_STOPPED",
        "BATCH_STOPPED",
        IN_TIME,
        "test_record_that_did_not_start",
    ),
    Mutant(
        "what was not attempted is not done",
        "outcome.py",
        "        return self.status not in (FAILED, NOT_ATTEMPTED)\n",
        "        return self.status != FAILED\n",
        "engine/test_explain.py",
        "test_record_behind_a_failure_of_its_lane or test_record_that_had_no_time",
    ),
    # What is left behind.
    Mutant(
        "the answer does not wait for a stuck thread",
        "threads.py",
        "        if seconds == 0:\n            break\n",
        "",
        LEFT_BEHIND,
        LATE_THREADS,
    ),
    Mutant(
        "a late thread calls no success_handler()",
        "road.py",
        "            if on_success is not None and not invocation.cut_loose:\n",
        "            if on_success is not None:\n",
        LEFT_BEHIND,
        LATE_THREADS,
    ),
    Mutant(
        "a late thread logs no failure",
        "invocation.py",
        "        if self.cut_loose:\n            return\n        (self.log",
        "        (self.log",
        LEFT_BEHIND,
        LATE_THREADS,
    ),
    Mutant(
        "handlers that ended late are counted",
        "invocation.py",
        "        self.settings.late.append(None)\n",
        "        pass\n",
        LEFT_BEHIND,
        "test_handlers_that_ended_late",
    ),
    Mutant(
        "handlers that ended late are counted once",
        "report.py",
        "        del late[:ended_late]\n",
        "",
        LEFT_BEHIND,
        "test_handlers_that_ended_late",
    ),
    Mutant(
        "async handlers are cancelled when the time is up",
        "aio.py",
        "        self._invocation.time_is_up()\n        for task in self._tasks:\n            task.cancel()\n",
        "        self._invocation.time_is_up()\n",
        LEFT_BEHIND,
        "test_async_handler_is_cancelled",
    ),
    Mutant(
        "an async handler that was cancelled for want of time says so",
        "aio.py",
        "_cut_short(error) if invocation.out_of_time else error",
        "error",
        LEFT_BEHIND,
        "test_async_handler_is_cancelled",
    ),
    Mutant(
        "a batch that is out of time has not failed whole",
        "road.py",
        "failure.status == FAILED and not isinstance(failure.exception, OutOfTimeError)",
        "failure.status == FAILED",
        LEFT_BEHIND,
        "test_batch_of_which_all_are_out_of_time",
    ),
    Mutant(
        "a stuck thread does not hold up the interpreter",
        "workers.py",
        "daemon=True",
        "daemon=False",
        LEFT_BEHIND,
        "test_interpreter_exits",
    ),
    Mutant(
        "a late thread changes no duration",
        "left_behind.py",
        "        invocation.durations = list(invocation.durations)\n",
        "        pass\n",
        LEFT_BEHIND,
        "test_late_thread_does_not_change_the_time",
    ),
    Mutant(
        "a coroutine that was left behind delivers nothing",
        "aio.py",
        "None if invocation.cut_loose else invocation.letters",
        "invocation.letters",
        LEFT_BEHIND,
        "test_coroutine_that_was_left_behind_delivers_nothing",
    ),
    Mutant(
        "a letter that waits when the batch is stopped is settled",
        "road.py",
        "            if not waits and invocation.stopped:",
        "            if invocation.stopped:",
        "engine/test_waiting_letters.py",
        "test_letter_that_waits_when_the_batch_is_stopped",
    ),
    Mutant(
        "a letter that waits when others are left behind is told of",
        "left_behind.py",
        "sorted(workers.letters.in_lanes & invocation.failures.keys())",
        "()",
        "engine/test_waiting_letters.py",
        "test_letter_that_waits_for_one_that_is_left_behind",
    ),
    Mutant(
        "a key that cannot be had may stop the batch",
        "lanes.py",
        "            if invocation.stopped:\n                return\n            continue\n",
        "            continue\n",
        "engine/test_dispositions.py",
        "test_key_that_cannot_be_had_stops_the_batch",
    ),
    # Executors.
    Mutant(
        "an executor is used",
        "processor.py",
        "        if self.max_concurrency == 1 and self.executor is None:\n",
        "        if self.max_concurrency == 1:\n",
        "engine/test_executor.py",
        "test_handlers_run_in_its_threads",
    ),
    Mutant(
        "max_concurrency limits an executor",
        "threads.py",
        "len(waiting) if max_concurrency is None else min(max_concurrency, len(waiting))",
        "len(waiting)",
        "engine/test_executor.py",
        "test_max_concurrency_takes_no_more",
    ),
    Mutant(
        "an executor of processes is refused, and what is one of them",
        "options.py",
        "    for kind in type(executor).__mro__:\n",
        "    for kind in type(executor).__mro__[:1]:\n",
        "engine/test_executor.py",
        "test_subclass_of_one_whose_work",
    ),
    # What is said of an answer.
    Mutant(
        "on a stream all behind the lowest failure comes again",
        "outcome.py",
        "        return range(first_with_identifiers_of(batch, unfinished), len(batch.values))\n",
        "        pass\n",
        "engine/test_explain.py",
        "test_on_a_stream_all_from_the_lowest",
    ),
    Mutant(
        "a batch that was stopped by time is a warning",
        "report.py",
        "        warns = ended_late or batch.out_of_time\n",
        "        warns = ended_late\n",
        "engine/test_summary.py",
        "test_batch_that_was_stopped_by_time",
    ),
)
