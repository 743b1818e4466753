"""Batch hooks: for all records at once, before the first and after the last. Bulk look-ups, bulk writes."""

from __future__ import annotations

from batchcore._extensions.calls import RECORDS, TimedCall
from batchcore._extensions.dead_letters import book_of, deliver_at_end
from batchcore._extensions.scopes import bind_arguments, scoped
from batchcore.callables import describe_value, is_object, type_name
from batchcore.errors import ConfigurationError, PluginError, steering_in
from batchcore.ledger import NOT_PROCESSED, SUCCEEDED
from batchcore.model import Outcome
from batchcore.source import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from batchcore._extensions.calls import Calls
    from batchcore._plugins.loading import Plugins
    from batchcore.plan import Run


class Failing(dict[int, BaseException]):
    """What a batch hook calls to fail one record of some positions: position to exception."""

    def __init__(self, positions: Iterable[int]) -> None:
        super().__init__()
        self._positions = frozenset(positions)
        self.is_over = False

    def __call__(self, which: Outcome | int, exception: Any) -> None:
        """Fail a record, named by its outcome or its position in the batch, counting from 0, with an exception.

        Raises:
            ConfigurationError: there is no such record for this hook, or no exception.
        """
        if self.is_over:
            raise ConfigurationError("fail() is called after its hook has ended, or its time was up: it fails nobody.")
        position: Any = which.position if isinstance(which, Outcome) else which
        if not isinstance(position, int) or position not in self._positions:
            raise ConfigurationError(
                f"fail() takes the outcome of a record of this hook, or its position, not {describe_value(which)}."
            )
        if not isinstance(exception, BaseException) or steering_in(exception) is not None:
            raise ConfigurationError(
                f"fail() takes the exception that the record fails with, not {describe_value(exception)}."
            )
        self[position] = exception


def calls_of(run: Run) -> Calls[None]:
    """Yield the calls of a batch before its records, the records, and the calls after them."""
    plugins: Any = run.plan.plugins
    try:
        yield from _before_records(run, plugins)
        yield RECORDS
        yield from _after_records(run, plugins)
        run.batch._ledger.hooks_have_ended = True
    except BaseException:
        if plugins.after_records:  # broken off: none has seen to the end what a hook after the records was to see
            run.batch._ledger.undo_successes()
        raise


def _before_records(run: Run, plugins: Plugins) -> Calls[None]:
    """Call the hooks before the records. What they fail fails in its turn; what they give, handlers may ask for.

    Raises:
        HandlerSignatureError: the handler needs an argument that nobody gives.
    """
    count = run.batch._ledger.count
    failing = Failing(range(count))
    if not plugins.before_records:
        return
    given: dict[str, Any] = {}
    for plugin, hook in plugins.before_records:
        name = f"before_records() of {describe(plugin)}"
        answer, error = yield TimedCall(hook, run.batch, failing, limit=None, name=name)
        if error is None and answer is not None and not is_object(answer):
            message = f"{name} gives a mapping of arguments for handlers, or None; it gave a {type_name(answer)}."
            error = PluginError(message, plugin=plugin, hook="before_records")
        if error is not None:
            if not count:
                raise error
            for position in range(count):
                failing.setdefault(position, error)
            break
        given.update(answer or {})
    failing.is_over = True
    if failing:
        around = run.surrounded()
        around.scope = scoped
        around.failed_before = {position: (error, error.__traceback__) for position, error in failing.items()}
    if len(failing) < count or not failing:  # else no handler is called, and needs nothing
        bind_arguments(run, given)


def _after_records(run: Run, plugins: Plugins) -> Calls[None]:
    """Call the hooks after the records, then deliver the dead letters that are left."""
    book = book_of(run.batch._ledger)
    if book is not None:
        book.lanes_ended = True
    for plugin, hook in plugins.after_records:
        outcomes = [outcome for outcome in run.batch.outcomes if outcome.status == SUCCEEDED]
        failing = Failing(outcome.position for outcome in outcomes)
        name = f"after_records() of {describe(plugin)}"
        answer, error = yield TimedCall(hook, run.batch, outcomes, failing, name=name)
        failing.is_over, failed = True, dict(failing)
        if error is None and answer is not None:
            message = (
                f"{name} gives nothing; it gave a {type_name(answer)}. Call fail(outcome, exception) for a record that "
                "failed."
            )
            error = PluginError(message, plugin=plugin, hook="after_records")
        if error is not None:
            if not run.batch.records:  # only an error brings such a batch back
                raise error
            if not outcomes:
                run.report.went_wrong("after_records()", error, plugin)
            for outcome in outcomes:
                failed.setdefault(outcome.position, error)
        for position, exception in sorted(failed.items()):
            _undo(run, position, exception)
    yield from deliver_at_end(run)


def _undo(run: Run, position: int, error: BaseException) -> None:
    """Take a success back."""
    ledger = run.batch._ledger
    ledger.undo(position)
    traceback = error.__traceback__
    try:
        raise error  # a failure handler may ask sys.exc_info() for it
    except BaseException:
        run.fail(ledger, position, NOT_PROCESSED, error)
    finally:
        BaseException.with_traceback(error, traceback)  # one error may be that of many records
