"""The demo: orders on a real queue, a function that fails some of them, and the books closed at the end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from batchcore_local.audit import Evidence, closing_table, findings, verdict
from batchcore_local.errors import LocalError, NotDrainedError
from batchcore_local.function import Handler, LocalFunction, environment, load_handler
from batchcore_local.mapping import BatchReport, EventSourceMapping
from batchcore_local.orders import Fate, Order, make_orders, read_ledger
from batchcore_local.poller import find_driver
from batchcore_local.server import LocalAws, local_aws
from batchcore_local.sqs import queue_depth

MAX_RECEIVES = 2
"""How often the queue delivers a message before it becomes a dead letter."""

VISIBILITY_SECONDS = 1
"""How soon a failed message comes back. On AWS at least six times the function's timeout; here nobody wants to wait."""

LEDGER_VARIABLE = "ORDERS_LEDGER"
"""The environment variable that tells the function where its ledger is."""

Say: TypeAlias = Callable[[str], object]


class Queues(NamedTuple):
    """The URLs of a queue and of its dead-letter queue."""

    main: str
    dead: str


def run_demo(
    target: str,
    *,
    orders: int = 30,
    break_response: bool = False,
    ledger: Path | None = None,
    queue_name: str = "orders",
    say: Say = print,
) -> int:
    """Run the demo once.

    Args:
        target: the function, as :func:`batchcore_local.load_handler` takes it.
        orders: how many orders to send, at least 10.
        break_response: whether to replace the function's response by one that hides its failures.
        ledger: where the function writes what it did; a file that does not exist yet. Without it, one that is removed.
        queue_name: the queue's name.
        say: is given each line of the report as soon as it is known.

    Returns:
        0 when nothing was lost and nothing done twice, else 1.
    """
    with tempfile.TemporaryDirectory() as folder, local_aws() as aws:
        path = ledger or Path(folder) / "ledger.jsonl"
        variables = {**aws.environment(), LEDGER_VARIABLE: str(path)}
        with environment(variables):
            handler = load_handler(target)
        function = LocalFunction(
            hide_failures(handler) if break_response else handler, name="orders", environment=variables
        )
        sqs = aws.client("sqs")
        queues = create_queues(sqs, queue_name)
        say(f"queue      {queue_name} at {aws.endpoint_url}, {MAX_RECEIVES} receives, then {queue_name}-dead-letters")
        say(f"function   {target}" + (", its response broken: failures are hidden" if break_response else ""))
        sent = send(sqs, queues.main, make_orders(orders))
        say(f"sent       {len(sent)} orders: {_count_fates(sent)}")
        say("")
        _drain(aws, queues, function, say)
        evidence = Evidence(sent, read_ledger(path), read_dead_letters(sqs, queues.dead), queue_depth(sqs, queues.main))
    return _close(evidence, say)


def hide_failures(handler: Handler) -> Handler:
    """Break a function's response: it lists the failures under a key that Lambda does not read, and never raises.

    Args:
        handler: the function to break.
    """

    def broken(event: Any, context: Any) -> Any:
        with suppress(Exception):
            return {"failures": handler(event, context)["batchItemFailures"]}
        return {"failures": [record["messageId"] for record in event["Records"]]}

    return broken


def create_queues(sqs: Any, name: str) -> Queues:
    """Create a queue whose messages become dead letters after two receives, and its dead-letter queue.

    Args:
        sqs: a boto3 client of SQS.
        name: the queue's name.
    """
    dead = sqs.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES}
    main = sqs.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    return Queues(main, dead)


def send(sqs: Any, url: str, orders: Sequence[Order]) -> list[Order]:
    """Send orders, ten at a time.

    Args:
        sqs: a boto3 client of SQS.
        url: the queue's URL.
        orders: what to send.

    Returns:
        The orders that SQS accepted: all of them.

    Raises:
        LocalError: SQS refused some.
    """
    for start in range(0, len(orders), 10):
        some = orders[start : start + 10]
        entries = [{"Id": str(position), "MessageBody": order.body()} for position, order in enumerate(some)]
        response = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        if response.get("Failed"):
            raise LocalError(f"SQS did not accept {len(response['Failed'])} of the orders: {response['Failed'][0]}.")
    return list(orders)


def read_dead_letters(sqs: Any, url: str) -> list[str]:
    """Read the names of all orders in the dead-letter queue, and leave them there.

    Args:
        sqs: a boto3 client of SQS.
        url: the dead-letter queue's URL. Its visibility timeout must be longer than the reading takes.
    """
    names: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        names += [json.loads(message["Body"])["order"] for message in messages]
    return names


def _drain(aws: LocalAws, queues: Queues, function: LocalFunction, say: Say) -> None:
    mapping = EventSourceMapping(find_driver("sqs")(aws, queues.main, batch_size=10), function)
    try:
        mapping.drain(on_batch=lambda report: say(progress(report)))
    except NotDrainedError as error:
        say(str(error))


def progress(report: BatchReport) -> str:
    """Return on one line what became of one batch.

    Args:
        report: the batch.
    """
    again = f"{report.redelivered:>2} came back" if report.redelivered else " " * 12
    line = (
        f"batch {report.number:>2}   received {report.received:>2}   {again}"
        f"   deleted {report.received - report.failed:>2}   left on the queue {report.failed:>2}"
    )
    return f"{line}   the function failed: {report.complaint}" if report.complaint else line


def _close(evidence: Evidence, say: Say) -> int:
    say("")
    for line in closing_table(evidence):
        say(line)
    say("")
    found = findings(evidence)
    for line in found or [verdict(evidence)]:
        say(line)
    return 1 if found else 0


def _count_fates(orders: Sequence[Order]) -> str:
    return "; ".join(f"{sum(order.fate is fate for order in orders)} {fate.value}" for fate in Fate)
