"""Plain apps of fastsqs go over; of the others, each thing that does not is named."""

from __future__ import annotations

# Programs stand in one line each.
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("fastsqs")

from batchcore_local import cli
from batchcore_local.migrate.driver import parse
from batchcore_local.migrate.fastsqs import INSTEAD, study
from batchcore_local.migrate.study import Study
from batchcore_testing import make_event

APP = '''"""Orders by their kind."""

from fastsqs import FastSQS, SQSEvent

app = FastSQS(discriminator="kind", max_concurrent_messages=3)
seen = []


class OrderCreated(SQSEvent):
    order_id: str
    line_count: int = 1


class Cancelled(SQSEvent):
    """A cancelled order."""

    __message_type__ = "com.acme.order.cancelled"
    order_id: str


class Ping(SQSEvent):
    count: int = 0


# Each new order.
@app.route(OrderCreated)
async def created(msg: OrderCreated) -> None:
    if msg.order_id == "bad":
        raise ValueError(msg.order_id)
    seen.append(("created", msg.order_id, msg.line_count))


@app.route(Cancelled)
def cancelled(msg):
    seen.append(("cancelled", msg.order_id))


@app.route(Ping)
def ping():
    seen.append(("ping",))


def lambda_handler(event, context):
    return app.handler(event, context)
'''

BODIES = [
    {"kind": "order_created", "order_id": "1"},
    {"kind": "order_created", "orderId": "2", "lineCount": "4"},
    {"kind": "order_created", "order_id": "bad"},
    {"kind": "order_created"},
    {"kind": "OrderCreated", "order_id": "5"},
    {"kind": "com.acme.order.cancelled", "order_id": "6"},
    {"kind": "cancelled", "order_id": "7"},
    {"kind": "ping", "more": [1]},
    {"kind": "ping", "count": "many"},
    {"kind": None},
    {"type": "ping"},
    [],
    "no JSON",
    "",
    "5",
    {"kind": 5},
]


def studied(source: str) -> Study:
    return study(parse(source.encode()))


def changed(source: str) -> str:
    found = studied(source)
    assert found.left == []
    assert found.rewrite is not None
    text: str = found.rewrite().code
    return text


@pytest.fixture
def load() -> Iterator[Callable[[str], types.ModuleType]]:
    loaded: list[str] = []

    def loader(source: str) -> types.ModuleType:
        module = types.ModuleType(f"fastsqs_{len(loaded)}")
        sys.modules[module.__name__] = module
        loaded.append(module.__name__)
        exec(compile(source, module.__name__, "exec", dont_inherit=True), vars(module))
        return module

    yield loader
    for name in loaded:
        del sys.modules[name]


def failures(response: Any) -> list[str]:
    return sorted(failure["itemIdentifier"] for failure in response["batchItemFailures"])


@pytest.mark.parametrize("bodies", [BODIES, BODIES[:2], BODIES[2:4], BODIES[5:8]])
@pytest.mark.parametrize(("queue", "lanes"), [("orders", 0), ("orders.fifo", 2), ("orders.fifo", 1), ("fair", 2)])
def test_a_changed_app_does_what_it_did(
    queue: str, lanes: int, bodies: list[Any], load: Callable[[str], types.ModuleType]
) -> None:
    event = make_event("sqs", *bodies, eventSourceARN=f"arn:aws:sqs:eu-west-1:123456789012:{queue}", lanes=lanes)
    before, after = load(APP), load(changed(APP))
    assert "fastsqs" not in changed(APP)
    try:
        assert failures(before.lambda_handler(event, None)) == failures(after.lambda_handler(event, None))
    finally:
        before.app._loops.loop.close()
    assert sorted(before.seen) == sorted(after.seen)
    assert before.seen or len(bodies) == 2


def test_the_name_of_a_handler_becomes_a_function(load: Callable[[str], types.ModuleType]) -> None:
    start, _, _ = APP.partition("def lambda_handler")
    after = load(changed(f"{start}lambda_handler = app.handler\n"))
    assert after.lambda_handler(make_event("sqs", BODIES[0]), None) == {"batchItemFailures": []}
    assert after.seen == [("created", "1", 1)]


def test_what_is_beside_stays_and_a_second_run_changes_nothing() -> None:
    new = changed(APP)
    assert "# Each new order.\nasync def created(" in new
    assert "\n\n\nclass SQSEvent(BaseModel):\n    model_config" in new
    assert [line for line in new.splitlines() if "app." in line or "FastSQS" in line] == []
    found = studied(new)
    assert (found.rewrite, found.left, found.concerned) == (None, [], False)


def test_line_ends_and_indents_are_those_of_the_program() -> None:
    source = APP.replace("    ", "\t").replace("\n", "\r\n").encode()
    found = study(parse(source))
    assert found.rewrite is not None
    new: bytes = found.rewrite().bytes
    assert new.count(b"\n") == new.count(b"\r\n")
    assert b"    " not in new
    compile(new, "app", "exec")


def app_with(rest: str, names: str = "FastSQS, SQSEvent", options: str = "") -> str:
    return APP.replace("FastSQS, SQSEvent", names).replace("max_concurrent_messages=3", options) + rest


@pytest.mark.parametrize(
    ("source", "words"),
    [
        *((app_with("", f"FastSQS, SQSEvent, {name}"), instead) for name, instead in INSTEAD.items()),
        (app_with("", "FastSQS, SQSEvent as Base"), "SQSEvent"),
        (app_with("", "*"), "in a line of its own"),
        (app_with("import fastsqs\n"), "`from fastsqs import ...`"),
        (app_with("from fastsqs.testing import TestClient\n"), "`from fastsqs import ...`"),
        (app_with("second = FastSQS()\n"), "otherwise than once"),
        (app_with("", options="partial_batch_failure=False"), "partial_batch_failure"),
        (app_with("", options='fifo_failure_mode="halt_batch"'), "fifo_failure_mode"),
        (app_with("", options="flexible_matching=True"), "flexible_matching"),
        (app_with("", options="**options"), "changed by hand"),
        (APP.replace('"kind"', '"meta.kind"'), "discriminator"),
        (APP.replace('"kind"', "KIND"), "discriminator"),
        (app_with("app.include_router(router)\n"), "more than routes"),
        (app_with("app.add_middleware(middleware)\n"), "more than routes"),
        (app_with("@app.default()\ndef other(msg): ...\n"), "more than routes"),
        (app_with("response = app.handler(*arguments)\n"), "otherwise than app.handler(event, context)"),
        (app_with("call = [app.handler]\n"), "otherwise than app.handler(event, context)"),
        (app_with("class Sub(OrderCreated): ...\n@app.route(Sub)\ndef sub(msg): ...\n"), "is a route otherwise"),
        (app_with("class Two(SQSEvent, Other): ...\n"), "more bases"),
        (APP.replace("(msg: OrderCreated)", "(msg: OrderCreated, ctx)"), "takes msg, or nothing"),
        (APP.replace("(msg):", "(payload):"), "takes msg, or nothing"),
        (APP.replace("@app.route(Ping)", "@app.route(Ping, middlewares=[])"), "is a route otherwise"),
        (APP.replace("@app.route(Ping)", "@app.route(Ping)\n@traced"), "is a route otherwise"),
        (app_with("@app.route(Ping)\ndef again(): ...\n"), "once a model"),
        (app_with("processor = 1\n"), "processor is a name"),
        (APP.partition("@app.route(OrderCreated)")[0] + "app.handler(1, 2)\n", "has no route"),
        (APP.partition("def lambda_handler")[0], "does not call app.handler()"),
        ("from fastsqs import SQSEvent\nclass Order(SQSEvent): ...\n", "makes no app here"),
    ],
)
def test_what_is_not_plain_is_left_with_what_to_do(source: str, words: str) -> None:
    found = studied(source)
    assert found.rewrite is None
    assert any(words in text for _, text in found.left), found.left


def test_by_the_command(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "requirements.txt").write_text("fastsqs==1.2.0\n")
    assert cli.main(["migrate", ".", "--check"]) == 0
    assert cli.main(["migrate", ".", "--from", "fastsqs", "--write"]) == 0
    assert (tmp_path / "app.py").read_text() == changed(APP)
    said = capsys.readouterr().err
    assert "app.py: look: app is gone" in said
    assert "requirements.txt:1: put those packages in the place of fastsqs." in said
    assert cli.main(["migrate", ".", "--from", "fastsqs", "--check"]) == 0
