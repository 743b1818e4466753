"""Names for the type checker: records, identifiers, the shapes of a response, the Lambda context.

The core reads this file only while types are checked; importing it costs ``typing``.
"""

# Nothing calls what stands here: it is read.
# pyright: reportReturnType=false

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Mapping
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

Record: TypeAlias = Any
"""One raw record, as AWS delivered it: for the sources here a mapping of strings."""

Identifier: TypeAlias = str | Mapping[str, Any] | None
"""What AWS names a record by: a string, an object, or None where the source has no identity."""

Acknowledgement: TypeAlias = Literal["record", "checkpoint", "batch", "result", "final"]
"""How AWS acknowledges the records of a batch: see :meth:`batchcore.hookspecs.SourceHooks.acknowledgement`."""

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
"""What :func:`sys.exc_info` gives while an exception is being handled."""

SuccessResponse: TypeAlias = tuple[str, Any, Any]
"""``("success", what the handler returned, the raw record)``."""

FailureResponse: TypeAlias = tuple[str, str, Any]
"""``("fail", "<class 'ValueError'>:the message", the typed record)``."""


class PartialItemFailures(TypedDict):
    """One failed record in a response."""

    itemIdentifier: Any


class PartialItemFailureResponse(TypedDict):
    """The response that Lambda reads when ``ReportBatchItemFailures`` is set on the event source mapping.

    The type of every response here, because it is that of nearly every source. A window's has ``state`` besides. Where
    a source's response has another shape, the Lambda function says so: ``cast(ItsResponse, result.response)``.
    """

    batchItemFailures: list[PartialItemFailures]


class RecordFacts(Protocol):
    """What a batch asks of its source about single records: hooks, as plain callables."""

    name: str
    acknowledgement: Acknowledgement
    checkpoint_of: Callable[[Record], Hashable]
    delivery_attempt: Callable[[Record], int | None]
    describe_record: Callable[[Record], Mapping[str, Any]]
    original_message: Callable[[Record], Any]


class DeadLetterBook(Protocol):
    """What the ledger of a batch writes down of its dead letters: see :mod:`batchcore._extensions.dead_letters`."""

    @property
    def in_lanes(self) -> AbstractSet[int]:
        """Positions whose lanes wait for their delivery."""

    @property
    def problems(self) -> Mapping[int, BaseException]:
        """Position to what kept it from being delivered."""

    def add(self, position: int) -> None:
        """Take a dead letter."""

    def ended(self, position: int, problem: BaseException | None) -> None:
        """Note what became of one."""

    def without_lanes(self) -> DeadLetterBook:
        """Return those that can still be delivered when workers are abandoned."""


class Lane(Protocol):
    """What takes outcomes as a list does, and writes them down by the positions of its records."""

    def append(self, value: Any, /) -> None:
        """Take what the handler of the record that runs has returned."""

    def __len__(self) -> int:
        """Return the position of the record that runs."""


class Observing(Protocol):
    """The observers of one batch: see :mod:`batchcore._extensions.scopes`."""

    watches_records: bool

    def batch_started(self, batch: Any, /) -> None:
        """Notify of the batch."""

    def record_finished(self, position: int, /) -> None:
        """Notify of a record."""

    def enter(self, position: int, /) -> Any:
        """Open the scopes of a record."""

    def leave(self, scopes: Any, raised: BaseException | None, /) -> None:
        """Close them."""


Gets = TypeVar("Gets")  # what a handler gets
Gives = TypeVar("Gives")  # what it returns
_Gets = TypeVar("_Gets", contravariant=True)
_Gives = TypeVar("_Gives", covariant=True)
_Name = TypeVar("_Name", contravariant=True)


class TakesContext(Protocol[_Gets, _Gives]):
    """A record handler that takes the Lambda context, too."""

    def __call__(self, record: _Gets, /, *, lambda_context: Any) -> _Gives:
        """Handle a record."""


class _TakesState(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, state: Any) -> _Gives: ...


class _TakesWindow(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, window: Any) -> _Gives: ...


class _TakesStateAndContext(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, state: Any, lambda_context: Any) -> _Gives: ...


class _TakesStateAndWindow(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, state: Any, window: Any) -> _Gives: ...


class _TakesWindowAndContext(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, window: Any, lambda_context: Any) -> _Gives: ...


class _TakesAll(Protocol[_Gets, _Gives]):
    def __call__(self, record: _Gets, /, *, state: Any, window: Any, lambda_context: Any) -> _Gives: ...


_OfWindow: TypeAlias = _TakesState[Gets, Gives] | _TakesWindow[Gets, Gives] | _TakesStateAndWindow[Gets, Gives]
_OfBoth: TypeAlias = _TakesStateAndContext[Gets, Gives] | _TakesWindowAndContext[Gets, Gives] | _TakesAll[Gets, Gives]
TakesNamed: TypeAlias = _OfWindow[Gets, Gives] | _OfBoth[Gets, Gives]
"""A record handler that takes something else by name. Whatever else plugins give: annotate it as Callable[..., Any]."""

Handler: TypeAlias = Callable[[Gets], Gives] | TakesContext[Gets, Gives] | TakesNamed[Gets, Gives]
"""A record handler."""


class ProcessorOf(Protocol[_Gives]):
    """A processor of handlers that get what this is of."""

    def __call__(self, records: Any, handler: Handler[_Gives, object], lambda_context: Any = None) -> Any:
        """Begin a batch."""


Awaited: TypeAlias = Coroutine[Any, Any, Any]


class Anything:
    """What no handler returns, so that only one whose result is ``Any`` is taken for it."""


class CoroutineFunctionsNeedAsyncBatchProcessor:
    """What a synchronous call gives for a coroutine function: nothing, for it raises. It has no response."""


class ModelOf(Protocol[_Gives, _Name]):
    """A pydantic model that is not of another source.

    A source's models narrow ``model_post_init`` for the type checker; every other model accepts anything there.
    """

    def model_validate(self, obj: Any, /) -> _Gives:
        """Give what handlers get."""

    def model_post_init(self, model: Any, context: _Name, /) -> None:
        """Accept the name of its own source."""


OfSQS: TypeAlias = ModelOf[Gives, Literal["sqs"]]
OfKinesis: TypeAlias = ModelOf[Gives, Literal["kinesis"]]
OfDynamoDB: TypeAlias = ModelOf[Gives, Literal["dynamodb"]]
OfNone: TypeAlias = ModelOf[Gives, Literal["sqs", "kinesis", "dynamodb"]]


class SourceOf(Protocol[_Gives]):
    """A source that says what its handlers get."""

    def record_decoder(self, batch: Any) -> Callable[[Any], _Gives]:
        """Give what makes it."""


class SourceObject(Protocol):
    """An object that implements a source, as far as the type checker can tell."""

    @property
    def claims_event(self) -> Callable[..., bool]:
        """Whether an event is this source's."""

    @property
    def extract_records(self) -> Callable[..., Any]:
        """Give the records of an event."""

    @property
    def identify_records(self) -> Callable[..., Any]:
        """Give an identifier per record."""


AnySource: TypeAlias = str | SourceObject | None
"""A name, or an object; None where it is to be found from each event."""

_Called = TypeVar("_Called", covariant=True)


class SourceNamed(SourceObject, Protocol[_Called]):
    """A source whose name the type checker knows, as it does of the objects of the packages here."""

    @property
    def name(self) -> _Called:
        """Give it."""


class SourceOfSomeName(SourceObject, Protocol):
    """A source whose name may be any. One whose name the type checker knows is none: what can be set is invariant."""

    name: str


class LambdaContext(Protocol):
    """The Lambda context, as AWS describes it for Python. Annotate with it what Lambda calls, and handlers.

    See "Using the Lambda context object to retrieve Python function information" in the AWS Lambda developer guide.
    batchcore itself reads the time that is left, where a context tells it, and nothing else.
    """

    @property
    def function_name(self) -> str:
        """The name of the function."""

    @property
    def function_version(self) -> str:
        """The version of the function."""

    @property
    def invoked_function_arn(self) -> str:
        """The ARN by which the function was invoked; it tells whether a version or an alias was named."""

    @property
    def memory_limit_in_mb(self) -> str | int:
        """The memory of the function, in MB. The runtime of AWS has it as a string."""

    @property
    def aws_request_id(self) -> str:
        """The identifier of the invocation."""

    @property
    def log_group_name(self) -> str:
        """The log group of the function."""

    @property
    def log_stream_name(self) -> str:
        """The log stream of the execution environment."""

    @property
    def identity(self) -> Any:
        """The Cognito identity that authorized the request, if any."""

    @property
    def client_context(self) -> Any:
        """What a client application sent along, if anything."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the invocation."""
