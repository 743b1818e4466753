"""One batch: the order of its records, its facts, and what became of each record.

Records of one key are a *lane*. Lanes may run side by side; inside a lane records run one after the other, in the order
of the batch. After a failure a lane stops (the rest of it is not attempted, and reported as failed) or continues.
"""

from __future__ import annotations

from collections.abc import Sequence

from batchcore.callables import is_coroutine_function
from batchcore.errors import ConfigurationError, NotAttemptedError, WholeBatchRetry, raise_if_steering
from batchcore.ledger import FAILED, NOT_ATTEMPTED, NOT_PROCESSED, SUCCEEDED, key_of, keys_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping
    from typing import Any, Literal, TypeAlias, final, overload
    from typing import Generic as Generic  # noqa: PLC0414 - others import it from here

    from typing_extensions import TypeVar

    from batchcore.dispositions import Message
    from batchcore.ledger import Ledger, Status
    from batchcore.types import Identifier, PartialItemFailureResponse, Record, RecordFacts

    LaneKey: TypeAlias = Callable[[Any], Hashable]
    OnFailure: TypeAlias = Literal["stop", "continue"]
    R = TypeVar("R", default=Any)  # what a handler gets
    T = TypeVar("T", default=Any)  # what it returns
else:
    R = T = None

    class Generic:  # noqa: D101 - typing.Generic, without the cost of its import
        __slots__ = ()
        __class_getitem__ = classmethod(lambda cls, _: cls)

    def final(cls):  # noqa: ANN001, ANN201, D103 - typing.final, without the cost of its import
        return cls


@final
class Ordering:
    """How the records of a batch depend on one another. Made by ``unordered``, ``in_order`` and ``by_key``.

    Attributes:
        key: raw record to the key of its lane; None as the answer means a lane of its own. None instead of a function
            means that all records share one lane, or, where ``grouped`` is False, that each is a lane of its own.
        grouped: whether any two records depend on one another at all.
        stops: whether a failure stops its lane.
        mandatory: whether no caller may choose another: for a source whose answer would be wrong in any other order.
        not_attempted: the exception that a record which is not attempted fails with.
        of_identifier: identifier to the key of its lane, where a source's identifiers tell it.
    """

    __slots__ = ("grouped", "key", "mandatory", "not_attempted", "of_identifier", "stops")

    def __init__(
        self,
        key: LaneKey | None,
        *,
        grouped: bool,
        stops: bool,
        not_attempted: Callable[[], BaseException],
        mandatory: bool = False,
    ) -> None:
        self.key = key
        self.grouped = grouped
        self.stops = stops
        self.not_attempted = not_attempted
        self.of_identifier: LaneKey | None = None
        self.mandatory = mandatory

    def __repr__(self) -> str:
        if not self.grouped:
            return "unordered"
        name = "in_order" if self.key is None else "by_key"
        return f"{name}(on_failure={'stop' if self.stops else 'continue'!r})"


def _ordering(
    key: LaneKey | None, on_failure: OnFailure, not_attempted: Callable[[], BaseException], mandatory: bool = False
) -> Ordering:
    if on_failure not in ("stop", "continue"):
        raise ConfigurationError(f"on_failure is 'stop' or 'continue', not {on_failure!r}.")
    if not callable(not_attempted):
        raise ConfigurationError(f"not_attempted is an exception class, or makes an exception, not {not_attempted!r}.")
    return Ordering(key, grouped=True, stops=on_failure == "stop", not_attempted=not_attempted, mandatory=mandatory)


unordered = Ordering(None, grouped=False, stops=False, not_attempted=NotAttemptedError)
"""Every record is a lane of its own: no failure touches another record."""


def in_order(
    *,
    on_failure: OnFailure = "stop",
    not_attempted: Callable[[], BaseException] = NotAttemptedError,
    mandatory: bool = False,
) -> Ordering:
    """All records are one lane: they run one after the other.

    Args:
        on_failure: ``stop`` (what follows is not attempted and reported as failed) or ``continue``.
        not_attempted: makes the exception that a record which is not attempted fails with.
        mandatory: for a source's ``ordering_policy``: whether no caller may choose another for this batch.
    """
    return _ordering(None, on_failure, not_attempted, mandatory)


def by_key(
    key: LaneKey,
    *,
    on_failure: OnFailure = "stop",
    not_attempted: Callable[[], BaseException] = NotAttemptedError,
    of_identifier: Callable[[Any], Hashable] | None = None,
) -> Ordering:
    """Records of one key are a lane; different keys do not touch one another.

    Args:
        key: raw record to the key of its lane, hashable; None means a lane of its own. If it raises, or gives what
            cannot be hashed, that record alone fails.
        on_failure: ``stop`` (the rest of the lane is not attempted and reported as failed) or ``continue``.
        not_attempted: makes the exception that a record which is not attempted fails with.
        of_identifier: for a source's own ordering, where identifiers tell the same lanes: identifier to the key of a
            lane. It never raises. Records that run one by one are asked for no key before one of them has failed.
    """
    if not callable(key):
        raise ConfigurationError(f"by_key() takes a function from a raw record to its key, not {key!r}.")
    if is_coroutine_function(key):
        raise ConfigurationError(f"by_key() calls its function and awaits nothing; {key!r} gives a coroutine.")
    ordering = _ordering(key, on_failure, not_attempted)
    ordering.of_identifier = of_identifier
    return ordering


# -- The facts.


class Batch:
    """What is known of a batch before its first record runs. Made by batchcore alone, and read by hooks.

    Attributes:
        source_state: a place for an object of the source's own, such as the state of a window; None until it is set.
    """

    __slots__ = (
        "__weakref__", "_context", "_event", "_facts", "_identifiers", "_ledger", "_records", "_respond", "_view",
        "source_state",
    )  # fmt: skip # one name a line would hide the class behind them

    _event: Any
    _records: list[Record]
    _identifiers: Sequence[Identifier]
    _context: Any
    _facts: RecordFacts  # the source
    _ledger: Ledger
    _respond: Callable[..., Any]
    _view: Callable[[Record], Any]  # makes of a raw record what a handler gets without a model
    source_state: Any

    @property
    def event(self) -> Any:
        """The Lambda event, or None where only records were given (the context manager)."""
        return self._event

    @property
    def records(self) -> Sequence[Record]:
        """The raw records, in the order of delivery."""
        return self._records

    @property
    def identifiers(self) -> Sequence[Identifier]:
        """One per record, as the source read them."""
        return self._identifiers

    @property
    def context(self) -> Any:
        """The Lambda context, or None."""
        return self._context

    @property
    def source(self) -> str:
        """The name of the source."""
        return self._facts.name

    @property
    def outcomes(self) -> Outcomes:
        """What has become of the records by now."""
        return Outcomes(self)

    @property
    def may_undo(self) -> bool:
        """Whether a record that succeeded may still fail: a batch hook follows the records."""
        return self._ledger.may_undo

    def delivery_attempt(self, record: Record) -> int | None:
        """Return how often a raw record of this batch has been delivered, counting from 1; None where nobody knows."""
        try:
            attempt = self._facts.delivery_attempt(record)
        except BaseException as error:
            raise_if_steering(error)
            return None
        return attempt if isinstance(attempt, int) else None

    def describe_record(self, record: Record) -> Mapping[str, Any]:
        """Describe a raw record of this batch for logs and traces: its group, shard or partition, never its body."""
        try:
            return dict(self._facts.describe_record(record) or {})
        except BaseException as error:
            raise_if_steering(error)
            return {}

    def original_message(self, record: Record) -> Message:
        """Return a raw record of this batch as the message it was, to send it elsewhere.

        Raises:
            Exception: whatever the source raises for a record that it cannot read.
        """
        message: Message = self._facts.original_message(record)
        return message

    def __repr__(self) -> str:
        return f"<Batch of {len(self._records)} from {self.source}>"


def typed(batch: Batch, position: int) -> Any:
    """Return a failed record as its handler had it; where it had none, its view, at worst the raw record."""
    failure = batch._ledger.failure(position)
    if failure.data is NOT_PROCESSED:
        record = batch._records[position]
        try:
            failure.data = batch._view(record)
        except BaseException as error:
            raise_if_steering(error)
            failure.data = record
    return failure.data


# -- What became of the records.


class Outcome:
    """What became of one record.

    Attributes:
        position: where in the batch, counting from 0.
        record: the raw record.
        identifier: what AWS names it by.
        status: ``succeeded``, ``failed``, ``not_attempted``, ``dropped`` or ``dead_lettered``.
        value: what the handler returned, where it succeeded.
        exception: what it failed with, where it did not. Its traceback is gone once the batch has been answered.
        duration: seconds that its handler took, awaiting included. None where none was called, and where nobody
            measured: ``run()`` and ``arun()`` do, the one-call functions do not.
    """

    __slots__ = ("duration", "exception", "identifier", "position", "record", "status", "value")

    def __init__(
        self,
        position: int,
        record: Record,
        identifier: Identifier,
        status: Status,
        value: Any = None,
        exception: BaseException | None = None,
        duration: float | None = None,
    ) -> None:
        self.position = position
        self.record = record
        self.identifier = identifier
        self.status: Status = status
        self.value = value
        self.exception = exception
        self.duration = duration

    @property
    def done(self) -> bool:
        """Whether the record needs no further delivery."""
        return self.status not in (FAILED, NOT_ATTEMPTED)

    def __repr__(self) -> str:
        return f"<Outcome {self.position}: {self.identifier!r} {self.status}>"


class Outcomes(Sequence["Outcome"]):
    """The outcomes of a batch, in its order, each made when it is asked for. Nothing can be written through it."""

    __slots__ = ("_batch",)

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @property
    def batch(self) -> Batch:
        """The batch."""
        return self._batch

    def __len__(self) -> int:
        return len(self._batch._records)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Outcome: ...
        @overload
        def __getitem__(self, index: slice) -> list[Outcome]: ...

    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        positions = range(len(self))[index]
        return [self._at(position) for position in positions] if isinstance(positions, range) else self._at(positions)

    def __iter__(self) -> Iterator[Outcome]:
        return (self._at(position) for position in range(len(self)))

    def _at(self, position: int) -> Outcome:
        batch = self._batch
        ledger, record, identifier = batch._ledger, batch._records[position], batch._identifiers[position]
        duration = None if ledger.durations is None else ledger.durations[position]
        if position in ledger.failures:
            failure = ledger.failure(position)
            return Outcome(position, record, identifier, failure.status, None, failure.exception, duration)
        value = ledger.value(position)
        if value is NOT_PROCESSED:
            return Outcome(position, record, identifier, NOT_ATTEMPTED)
        return Outcome(position, record, identifier, SUCCEEDED, value, None, duration)

    def unfinished(self) -> list[Outcome]:
        """Return the outcomes of the records that are not done, in the order of the batch."""
        return [self._at(position) for position in self.unfinished_positions()]

    def unfinished_positions(self) -> list[int]:
        """Return the positions of the records that are not done, in rising order."""
        return self._batch._ledger.unfinished()

    def failed_positions(self) -> list[int]:
        """Return the positions of the records that have failed by now and are not done, in rising order."""
        ledger = self._batch._ledger
        return sorted(position for position in ledger.failures if ledger.value(position) is NOT_PROCESSED)

    def has_succeeded(self, position: int) -> bool:
        """Whether the handler of the record at a position has returned by now, and nothing has taken that back."""
        ledger = self._batch._ledger
        return position not in ledger.failures and ledger.value(position) is not NOT_PROCESSED

    def has_failed(self, position: int) -> bool:
        """Whether the record at a position has failed by now, or been skipped, whatever else has become of it."""
        return position in self._batch._ledger.failures

    def delivered_again(self) -> list[Outcome]:
        """Return the outcomes of the records that AWS delivers again: see :attr:`BatchResult.delivered_again`."""
        return [self._at(position) for position in coming_again(self._batch, self.unfinished_positions())]

    def __repr__(self) -> str:
        return f"<Outcomes of {self._batch!r}>"


def coming_again(batch: Batch, left: Sequence[int]) -> dict[int, int]:
    """Return the positions of the records that AWS delivers again, in rising order, each with that which is the reason.

    AWS goes by identifiers, which several records may share: with one of them all of them come again.

    Args:
        batch: the batch.
        left: the positions of the records that are not done, in rising order.
    """
    facts, identifiers = batch._facts, batch._identifiers
    if left and (facts.acknowledgement == "batch" or batch._ledger.is_refused):
        return dict.fromkeys(range(len(identifiers)), left[0])
    if not left or facts.acknowledgement == "final":
        return {}
    undone, named = {*left}, keys_of(identifiers, left)
    first: dict[Hashable, int] = {}  # of each checkpoint
    again: dict[int, int] = {}
    for position, record in enumerate(batch._records):
        checkpoint = facts.checkpoint_of(record) if facts.acknowledgement == "checkpoint" else position
        if position in undone or key_of(identifiers[position]) in named:
            first.setdefault(checkpoint, position)
        if checkpoint in first:
            again[position] = first[checkpoint]
    return again


def batch_item_failures(batch: Batch, outcomes: Outcomes, fail: object = None) -> PartialItemFailureResponse:  # noqa: ARG001 - a hook has it
    """Return the default response: the identifiers of all records that are not done, in the order of the batch.

    See "Reporting batch item failures" in the AWS Lambda developer guide, for SQS, Kinesis and DynamoDB alike.

    Args:
        batch: the batch.
        outcomes: what became of its records.
        fail: not used; every hook ``build_response`` is called with it.

    Raises:
        WholeBatchRetry: AWS acknowledges the whole batch, and a record is not done.
    """
    if batch._facts.acknowledgement == "batch" and (left := outcomes.unfinished()):
        first = next((outcome for outcome in left if outcome.status == FAILED), left[0])
        raise WholeBatchRetry(
            f"{len(left)} of {len(outcomes)} records of {batch.source} are not done. It takes no partial response, so "
            "all of them are delivered again."
        ) from first.exception
    return response_naming(batch, outcomes.unfinished_positions())


def response_naming(batch: Batch, positions: Sequence[int]) -> PartialItemFailureResponse:
    """Return the response that names some records of a batch, in that order."""
    named: list[Any] = []
    identifiers = batch._identifiers
    for at in positions:
        named.append({"itemIdentifier": identifiers[at]})  # noqa: PERF401 - a comprehension is a call: twice the cost for one
    return {"batchItemFailures": named}
