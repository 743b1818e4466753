"""The mutants: what is changed, which promise that breaks, and the tests that must fail for it.

``old`` stands exactly once in its file. ``tests`` are words of which a test's name must hold one, as for ``pytest -k``.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of one file.

    Attributes:
        breaks: the promise, in words.
        file: the file, below ``batchcore/``.
        old: the text that is replaced.
        new: the text instead.
        where: the folder or file of the tests, below ``tests/``.
        tests: what ``pytest -k`` selects there.
    """

    breaks: str
    file: str
    old: str
    new: str
    where: str
    tests: str


MUTANTS = (
    # 1. Nothing is reported done that did not finish.
    Mutant(
        "a slot starts as not processed",
        "road.py",
        "invocation.values = [NOT_PROCESSED] * len(records)",
        "invocation.values = [None] * len(records)",
        "road/test_done.py",
        "test_forgotten_process_call_reports_every_record",
    ),
    Mutant(
        "a record that raised is no success",
        "road.py",
        "                invocation.failed(position, data, error)\n                if invocation.stopped:",
        "                invocation.failed(position, data, error)\n                values[position] = None\n"
        "                if invocation.stopped:",
        "road/test_done.py",
        "test_answer_names_exactly_the_records_that_failed",
    ),
    Mutant(
        "an awaitable that nobody awaits is no success",
        "road.py",
        "                    known_kind = plain_kind(value)",
        "                    known_kind = type(value)",
        "road/test_one_bad_record.py",
        "test_plain_handler_that_returns_an_awaitable_has_failed",
    ),
    Mutant(
        "every kind of returned value is looked at",
        "road.py",
        "                if type(value) is not known_kind:",
        "                if known_kind is NoneType and type(value) is not known_kind:",
        "road/test_one_bad_record.py",
        "test_plain_handler_that_returns_an_awaitable_has_failed",
    ),
    Mutant(
        "a generator that nobody runs is no success",
        "road.py",
        "    if is_awaitable(value) or isinstance(value, (GeneratorType, AsyncGeneratorType)):",
        "    if is_awaitable(value):",
        "road/test_one_bad_record.py",
        "generator",
    ),
    Mutant(
        "an async handler that raised is no success",
        "aio.py",
        "                else:\n                    values[position] = value\n",
        "                finally:\n                    values[position] = None\n",
        "road/test_done.py",
        "test_answer_names_exactly_the_records_that_failed",
    ),
    Mutant(
        "an interrupt is not one record's failure",
        "invocation.py",
        "        if isinstance(error, KeyboardInterrupt):\n            raise error\n",
        "",
        "road/test_done.py",
        "test_keyboard_interrupt_one_by_one",
    ),
    Mutant(
        "a refused batch leaves no earlier answer",
        "current.py",
        "return invocation if invocation.ready else None",
        "return invocation if invocation.ready else self.last",
        "road/test_done.py",
        "test_refused_batch_leaves_no_earlier_answer",
    ),
    Mutant(
        "no record is done when _clean() raises",
        "partial.py",
        "            invocation.values[:] = [NOT_PROCESSED] * len(invocation.values)\n",
        "",
        "road/test_scratch.py",
        "test_clean_that_raises_makes_every_record_failed",
    ),
    Mutant(
        "an entry that is no success is a failure",
        "entries.py",
        "    raise EntryFailedError(entry)",
        "    return entry",
        "road/test_scratch.py",
        "test_entry_that_is_no_success_is_a_failure",
    ),
    Mutant(
        "a dead letter is done only once it was delivered",
        "invocation.py",
        'went_wrong("deliver_dead_letter()", error)\n',
        'went_wrong("deliver_dead_letter()", error)\n            self.values[position] = None\n',
        "road/test_dispositions.py",
        "test_dead_letter_that_was_not_delivered",
    ),
    Mutant(
        "a Lambda handler that returns nothing gives the answer",
        "functions.py",
        "            return answer if returned is None else returned",
        "            return returned",
        "road/test_decorators.py",
        "test_function_that_returns_nothing_answers",
    ),
    Mutant(
        "a source that gives no answer is an error",
        "road.py",
        "    if response is None:\n",
        "    if response is Ellipsis:\n",
        "contract",
        "response or answer",
    ),
    # 2. The answer is ready before anything decides to raise.
    Mutant(
        "the answer names every record when the error is caught",
        "road.py",
        "    invocation.response = answer_to(invocation)\n    invocation.finished = True\n",
        "    if settings.raise_on_entire_batch_failure and may_raise and _entirely_failed(invocation):\n"
        '        invocation.finished, invocation.response = True, {"batchItemFailures": []}\n'
        "        raise _whole_batch_error(invocation)\n"
        "    invocation.response = answer_to(invocation)\n    invocation.finished = True\n",
        "road/test_whole_batch.py",
        "test_answer_is_ready_when_the_error_is_caught_round_the_context_manager",
    ),
    Mutant(
        "a whole batch that failed raises",
        "road.py",
        "    return undone and any(failure.status == FAILED for failure in invocation.failures.values())",
        "    return undone and all(failure.status == FAILED for failure in invocation.failures.values())",
        "road/test_whole_batch.py",
        "test_failure_and_records_not_attempted_are_a_whole_batch",
    ),
    Mutant(
        "a batch that was never processed does not raise",
        "road.py",
        "    if not invocation.failures:\n        return\n",
        "    if not invocation.failures:\n        raise BatchProcessingError\n",
        "road/test_whole_batch.py",
        "test_batch_that_was_never_processed_does_not_raise",
    ),
    # 3. One bad record costs one record.
    Mutant(
        "an exception whose text raises costs one record",
        "errors.py",
        '    except BaseException as error:\n        return f"<str() of it raised {type(error).__name__}>"',
        '    except ArithmeticError as error:\n        return f"<str() of it raised {type(error).__name__}>"',
        "road/test_one_bad_record.py",
        "test_entries_can_be_had or test_whole_batch_that_raises",
    ),
    Mutant(
        "SystemExit of a handler fails its record",
        "road.py",
        "            except BaseException as error:\n                invocation.failed(position, data, error)\n"
        "                if invocation.stopped:",
        "            except Exception as error:\n                invocation.failed(position, data, error)\n"
        "                if invocation.stopped:",
        "road/test_one_bad_record.py",
        "test_handler_may_raise_anything",
    ),
    Mutant(
        "a key that cannot be had costs one record",
        "road.py",
        "            invocation.failed(position, NOT_PROCESSED, error)\n            continue\n",
        "            raise\n",
        "road/test_one_bad_record.py",
        "test_key_function_that_raises or test_key_that_cannot_be_hashed",
    ),
    Mutant(
        "a failure handler that raises changes no outcome",
        "invocation.py",
        "            except BaseException as mistake:\n",
        "            except ArithmeticError as mistake:\n",
        "road/test_overrides.py",
        "test_failure_handler_that_raises_is_logged",
    ),
    Mutant(
        "a success handler that raises fails its record",
        "road.py",
        "                if on_success is not None:\n                    on_success(record, value)\n",
        "                if on_success is not None:\n                    values[position] = value\n"
        "                    on_success(record, value)\n",
        "road/test_overrides.py",
        "test_success_handler_that_raises_fails_its_record",
    ),
    Mutant(
        "an observer that raises changes no outcome",
        "observing.py",
        "    def batch_finished(self, result: BatchResult) -> None:",
        "    def batch_finished_never(self, result: BatchResult) -> None:",
        "contract/test_observers.py",
        "batch_finished or finished",
    ),
    Mutant(
        "a handler that changes the event's list moves no outcome",
        "road.py",
        "    return [*records]\n",
        "    return records\n",
        "road/test_one_bad_record.py",
        "test_handler_that_changes_the_list_of_records",
    ),
    Mutant(
        "records are told apart by position, not by identifier",
        "outcome.py",
        "            return sorted(position for position in failures if",
        "            return sorted(position for position in {batch.identifiers[p]: p for p in failures}.values() if",
        "road/test_done.py",
        "test_positions_decide or test_each_of_two_failed_records",
    ),
    # 4. Order is kept where the source has one.
    Mutant(
        "a lane stops at its first failure",
        "road.py",
        "        if stops and invocation.unfinished(position):\n            break\n",
        "",
        "road/test_lanes.py",
        "test_fifo_queue_is_one_lane or test_rules_of_an_ordering",
    ),
    Mutant(
        "a stopped group stays stopped",
        "road.py",
        "            stopped.add(lane)\n",
        "            pass\n",
        "road/test_lanes.py",
        "test_fifo_processor_told_to_skip or test_rules_of_an_ordering",
    ),
    Mutant(
        "a record without a key is a lane of its own",
        "road.py",
        "            by_key.setdefault(object() if lane is None else lane, []).append(position)\n",
        "            by_key.setdefault(lane, []).append(position)\n",
        "road/test_lanes.py",
        "test_rules_of_an_ordering",
    ),
    Mutant(
        "asyncio keeps a lane in order",
        "aio.py",
        "    if not invocation.ordering.lanes:\n",
        "    if True:\n",
        "road/test_lanes.py",
        "test_rules_of_an_ordering or test_groups_are_kept_in_order_under_asyncio",
    ),
    Mutant(
        "the caller's ordering wins",
        "road.py",
        "    invocation.ordering = settings.ordering or source.ordering_policy(invocation)\n",
        "    invocation.ordering = source.ordering_policy(invocation) or settings.ordering\n",
        "road/test_lanes.py",
        "test_callers_ordering_wins",
    ),
    Mutant(
        "no more lanes run at a time than allowed",
        "aio.py",
        "if len(self._tasks) + self._here < self._limit and",
        "if len(self._tasks) + self._here < self._limit + 1 and",
        "road/test_asyncio.py",
        "test_lanes_run_together_up_to_the_limit",
    ),
    # 5. Nothing shared is mutable per batch.
    Mutant(
        "each context sees its own batch",
        "current.py",
        "        entry = _begun.get()\n",
        "        entry = None\n",
        "road/test_sharing.py",
        "test_two_threads_sharing or test_batch_of_another_thread",
    ),
    Mutant(
        "a record's context variables are its own",
        "aio.py",
        "            run = self._context.copy().run\n",
        "            run = copy_context().run\n            run = lambda f, *a: f(*a)\n",
        "road/test_context_variables.py",
        "test_no_record_sees_the_context_variables",
    ),
    Mutant(
        "what is kept holds no frames",
        "outcome.py",
        "    BaseException.with_traceback(exception, None)\n",
        "",
        "road/test_memory.py",
        "frames",
    ),
    # 7. Wrong use is an error before the first side effect.
    Mutant(
        "an event of another source is refused",
        "road.py",
        "    if not claimed:\n        raise _unexpected(source, event)\n",
        "",
        "road/test_bad_input.py",
        "test_event_of_another_source or test_what_is_no_event",
    ),
    Mutant(
        "an empty identifier is refused",
        "records.py",
        "            if all(identifiers):\n",
        "            if identifiers is not None:\n",
        "road/test_bad_input.py",
        "test_record_that_no_answer_could_name",
    ),
    Mutant(
        "a coroutine function is refused by the synchronous processor",
        "processor.py",
        "        if binding.is_coroutine_function:\n",
        "        if binding is None:\n",
        "road/test_bad_input.py",
        "test_coroutine_function_is_refused",
    ),
    Mutant(
        "another source's model is refused",
        "models.py",
        "    if made_for is not None and made_for != source:\n",
        "    if made_for is not None and made_for == source:\n",
        "contract/test_models.py",
        "model",
    ),
    Mutant(
        "a method without the marker is an error",
        "source.py",
        "            if attribute in ALL_HOOKS and callable(method):\n",
        "            if attribute in () and callable(method):\n",
        "contract/test_refused_plugins.py",
        "mark",
    ),
    Mutant(
        "two sources of one name are an error",
        "plugins.py",
        "    if len(found) > 1:\n        raise AmbiguousSourceError(",
        "    if len(found) > 99:\n        raise AmbiguousSourceError(",
        "contract/test_discovery.py",
        "two or same or one_name",
    ),
    # Logs never hold an input.
    Mutant(
        "what pydantic refused is not logged",
        "report.py",
        "_without_input(error) if _is_pydantic(error) else text_of(error)",
        "text_of(error)",
        "road/test_logging.py",
        "input",
    ),
    Mutant(
        "a printed exception that quotes an input is not logged",
        "report.py",
        "            if _quotes_input(error):\n",
        "            if error is None:\n",
        "road/test_logging.py",
        "test_input_that_pydantic_refused_is_never_logged",
    ),
)
