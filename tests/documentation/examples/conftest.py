"""Load an example as it is, or with only its import lines changed to Powertools', and run it."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import json
import re
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
EVENTS = ROOT / "tests" / "events"

UTILITIES = "aws_lambda_powertools.utilities"
# Where Powertools keeps what an example imports from batchcore and its packages.
THEIRS = {
    "batchcore": dict.fromkeys(
        (
            "AsyncBatchProcessor",
            "BasePartialProcessor",
            "BatchProcessor",
            "EventType",
            "ExceptionInfo",
            "FailureResponse",
            "SuccessResponse",
            "async_process_partial_response",
            "batch_processor",
            "process_partial_response",
        ),
        f"{UTILITIES}.batch",
    )
    | {"LambdaContext": f"{UTILITIES}.typing", "PartialItemFailureResponse": f"{UTILITIES}.batch.types"},
    "batchcore_sqs": {
        "SQSRecord": f"{UTILITIES}.data_classes.sqs_event",
        "SqsFifoPartialProcessor": f"{UTILITIES}.batch",
    },
    "batchcore_sqs.models": {"SqsRecordModel": f"{UTILITIES}.parser.models"},
    "batchcore_kinesis": {"KinesisStreamRecord": f"{UTILITIES}.data_classes.kinesis_stream_event"},
    "batchcore_kinesis.models": {
        "KinesisDataStreamRecord": f"{UTILITIES}.parser.models",
        "KinesisDataStreamRecordPayload": f"{UTILITIES}.parser.models",
    },
    "batchcore_dynamodb": {"DynamoDBRecord": f"{UTILITIES}.data_classes.dynamo_db_stream_event"},
    "batchcore_dynamodb.models": {
        "DynamoDBStreamChangedRecordModel": f"{UTILITIES}.parser.models",
        "DynamoDBStreamRecordModel": f"{UTILITIES}.parser.models",
    },
}


USES_MODELS = re.compile(r"^ *(from|import) (pydantic|batchcore_\w+\.models)\b", re.MULTILINE)


def with_their_imports(source: str) -> str:
    """Give the program with its imports from batchcore changed to imports from Powertools, and nothing else."""
    tree = ast.parse(source)
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module in THEIRS:
            names = THEIRS[statement.module]
            body += [ast.ImportFrom(names[a.name], [ast.alias(a.name, a.asname)], 0) for a in statement.names]
        else:
            body.append(statement)
    tree.body = body
    return ast.unparse(ast.fix_missing_locations(tree))


@dataclass
class Context:
    """The Lambda context."""

    function_name: str = "orders"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 4321


@dataclass
class Run:
    """What one invocation of a program showed to whoever looked."""

    response: Any = None
    error: tuple[str, str, list[str]] | None = None
    succeeded: list[Any] = field(default_factory=list)
    failed: list[Any] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    entries: list[tuple[str, Any, Any]] = field(default_factory=list)


def plain(record: Any) -> Any:
    """Give a typed record as the type of record it is, with plain data."""
    if hasattr(record, "model_dump"):
        return type(record).__name__, record.model_dump()
    if hasattr(record, "raw_event"):
        return type(record).__name__, record.raw_event
    return record


def cause(status: str, value: Any) -> Any:
    """Give the cause of an entry without what differs on purpose.

    That is: where the exception of a record not attempted is defined, and that a decoding error names the field.
    """
    if status == "success":
        return value
    if "CircuitBreaker" in value:
        return value.partition("'>:")[0].rpartition(".")[2]
    return re.sub(r"'>:[\w.]+ is not JSON: ", "'>:", value)


def same_entries(entries: list[tuple[str, Any, Any]]) -> list[tuple[str, Any, Any]]:
    return [(status, cause(status, value), plain(record)) for status, value, record in entries]


def shown(processor: Any, run: Run) -> Run:
    run.succeeded = list(processor.success_messages)
    run.failed = [plain(record) for record in processor.fail_messages]
    run.exceptions = [kind.__name__ for kind, _, _ in processor.exceptions]
    return run


@contextmanager
def legacy_allowed() -> Iterator[None]:
    """Silence what the legacy decorators say, here when they are applied and there when they are called."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batch_processor.* is deprecated")
        yield


@dataclass
class Program:
    """An example that has been loaded."""

    module: ModuleType

    @property
    def processor(self) -> Any:
        return self.module.processor

    def __call__(self, event: Any) -> Any:
        with legacy_allowed():
            return self.module.lambda_handler(event, Context())

    def run(self, event: Any) -> Run:
        """Invoke the handler, then process the records once more to have their entries."""
        run = Run()
        try:
            run.response = self(event)
        except Exception as error:
            children = [kind.__name__ for kind, _, _ in getattr(error, "child_exceptions", [])]
            run.error = (type(error).__name__, str(error).partition(".")[0], children)
        shown(self.processor, run)
        handler = next(v for k, v in vars(self.module).items() if k.endswith("record_handler"))
        processor = self.processor(records=event["Records"], handler=handler, lambda_context=Context())
        try:
            with processor:
                process = processor.async_process if "async" in handler.__name__ else processor.process
                run.entries = same_entries(process())
        except Exception as error:
            if type(error).__name__ != "BatchProcessingError":
                raise
        return run


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the examples read: no tracing, and no AWS but what a test puts there."""
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


services = itertools.count()


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    """Load a program of the examples: ``theirs`` for the one with Powertools' imports, ``warned`` to let it warn."""
    loaded: list[str] = []

    def loader(name: str, *, theirs: bool = False, warned: bool = False) -> Program:
        path = EXAMPLES / name
        source = path.read_text()
        if theirs:
            source = with_their_imports(source)
        # A logger is set up once per service, with the standard output of that moment.
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"orders{next(services)}")
        if USES_MODELS.search(source):
            pytest.importorskip("pydantic")
        # One name for both: it stands in the text of an entry. With a spec, as every module that Python loads has.
        spec = importlib.util.spec_from_file_location(f"{path.stem}_example", path)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module  # where pydantic looks up annotations
        loaded.append(module.__name__)
        with nullcontext() if warned else legacy_allowed():
            exec(compile(source, str(path), "exec"), vars(module))
        return Program(module)

    yield loader
    for name in loaded:
        sys.modules.pop(name, None)


@pytest.fixture
def twins(load: Callable[..., Program]) -> Callable[[str], tuple[Program, Program]]:
    """Load a program twice: as it is, and with Powertools' imports."""
    return lambda name: (load(name), load(name, theirs=True))


@pytest.fixture(params=["batchcore", "powertools"])
def either(request: pytest.FixtureRequest, load: Callable[..., Program]) -> Callable[[str], Program]:
    """Load a program; a test that asks for this runs once with each kind of imports."""
    return lambda name: load(name, theirs=request.param == "powertools")


@pytest.fixture
def changed_imports() -> Callable[[str], str]:
    """Change the imports of a program's text to Powertools'."""
    return with_their_imports


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def event() -> Callable[[str], Any]:
    """Read one of the events of the reference page."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def table(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Make an empty DynamoDB table with a key of the given name, and let the example find it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    made = []

    def make(key: str) -> Any:
        made.append(
            boto3.resource("dynamodb").create_table(
                TableName=f"table-{uuid.uuid4()}",
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        )
        monkeypatch.setenv("TABLE_NAME", made[-1].name)
        monkeypatch.setenv("IDEMPOTENCY_TABLE", made[-1].name)
        return made[-1]

    yield make
    for resource in made:
        resource.delete()
