"""Steps for the whole batch, before its first record and after its last: bulk look-ups, bulk writes."""

from __future__ import annotations

from batchcore.arguments import bind_arguments
from batchcore.calls import Call, make
from batchcore.delivering import deliver_at_end
from batchcore.errors import ConfigurationError, PluginError, kind_of, steering_in
from batchcore.handler import shown
from batchcore.outcome import NOT_PROCESSED, SUCCEEDED, Outcome, is_mapping
from batchcore.source import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from batchcore.calls import Calls
    from batchcore.invocation import Invocation


class Failing(dict[int, BaseException]):
    """What a step calls to fail one record: position to exception.

    Args:
        positions: the records that it may fail.
    """

    def __init__(self, positions: Iterable[int]) -> None:
        super().__init__()
        self._positions = frozenset(positions)
        self.is_over = False

    def __call__(self, which: Outcome | int, exception: BaseException) -> None:
        """Fail a record.

        Args:
            which: its outcome, or its position in the batch, counting from 0.
            exception: what it fails with.

        Raises:
            ConfigurationError: there is no such record in this step, or no exception.
        """
        if self.is_over:
            raise ConfigurationError("fail() is called after its step has ended, or its time was up: it fails nobody.")
        position: Any = which.position if isinstance(which, Outcome) else which
        if not isinstance(position, int) or position not in self._positions:
            raise ConfigurationError(
                f"fail() takes the outcome of a record of this step, or its position, not {shown(which)}."
            )
        if not _is_exception(exception):
            raise ConfigurationError(f"fail() takes the exception that the record fails with, not {shown(exception)}.")
        self[position] = exception


def run(invocation: Invocation, drive: Callable[[Invocation], None]) -> None:
    """Run the steps before the records, the records, and the steps after them. Its twin is in :mod:`batchcore.aio`."""
    try:
        make(invocation, before_records(invocation))
        drive(invocation)
        make(invocation, after_records(invocation))
    except BaseException:
        take_back(invocation)
        raise


def take_back(invocation: Invocation) -> None:
    """Let no record count as done that a step after the records has not seen to its end: the batch was broken off."""
    if invocation.settings.plugins.after_records:
        for position in range(len(invocation.values)):
            if position not in invocation.failures:
                invocation.values[position] = NOT_PROCESSED
        invocation.succeeded = -1


def before_records(invocation: Invocation) -> Calls[None]:
    """Run the steps before the records. What they fail fails in its turn; what they give, handlers may ask for.

    Raises:
        HandlerSignatureError: the handler needs an argument that nobody gives.
    """
    steps, failing = invocation.settings.plugins.before_records, Failing(range(len(invocation.values)))
    if not steps:
        return
    given: dict[str, Any] = {}
    for plugin, hook in steps:
        answer, error = yield Call(
            hook, invocation, failing, limited=False, name=f"before_records() of {describe(plugin)}"
        )
        if error is None and answer is not None and not is_mapping(answer):
            error = PluginError(
                f"before_records() of {describe(plugin)} gives a mapping of arguments for handlers, or None; it gave "
                f"a {kind_of(answer)}.",
                plugin=plugin,
                hook="before_records",
            )
        if error is not None:
            if not invocation.values:
                raise error
            for position in range(len(invocation.values)):
                failing.setdefault(position, error)
            break
        given.update(answer or {})
    failing.is_over = True
    if failing:
        invocation.held_open = True
        invocation.failed_before = {position: (error, error.__traceback__) for position, error in failing.items()}
    if len(failing) < len(invocation.values) or not failing:  # else no handler is called, and needs nothing
        bind_arguments(invocation, given)


def after_records(invocation: Invocation) -> Calls[None]:
    """Run the steps after the records, then deliver the dead letters that are left."""
    if invocation.letters is not None:
        invocation.letters.lanes_ended = True
    for plugin, hook in invocation.settings.plugins.after_records:
        outcomes = [outcome for outcome in invocation.outcomes if outcome.status == SUCCEEDED]
        failing = Failing(outcome.position for outcome in outcomes)
        answer, error = yield Call(hook, invocation, outcomes, failing, name=f"after_records() of {describe(plugin)}")
        failing.is_over, failed = True, dict(failing)
        if error is None and answer is not None:
            error = PluginError(
                f"after_records() of {describe(plugin)} gives nothing; it gave a {kind_of(answer)}. Call fail(outcome, "
                "exception) for a record that failed.",
                plugin=plugin,
                hook="after_records",
            )
        if error is not None:
            if not outcomes:
                _failed_alone(invocation, plugin, error)
            for outcome in outcomes:
                failed.setdefault(outcome.position, error)
        for position, exception in sorted(failed.items()):
            _undo(invocation, position, exception)
    yield from deliver_at_end(invocation)


def _undo(invocation: Invocation, position: int, error: BaseException) -> None:
    """Take a success back."""
    invocation.values[position] = NOT_PROCESSED
    invocation.succeeded = -1
    traceback = error.__traceback__
    try:
        raise error  # a failure handler may ask sys.exc_info() for it
    except BaseException:
        invocation.failed(position, NOT_PROCESSED, error)
    finally:
        BaseException.with_traceback(error, traceback)  # one error may be that of many records


def _failed_alone(invocation: Invocation, plugin: object, error: BaseException) -> None:
    """A step failed that no record succeeded for. Where the batch has none at all, only an error brings it back."""
    if not invocation.values:
        raise error
    invocation.report.went_wrong("after_records()", error, plugin)


def _is_exception(value: object) -> bool:
    return isinstance(value, BaseException) and steering_in(value) is None
