"""The rules that a source must keep, and where each is from."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

_GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg/"
_FAILURES = {
    "sqs": f"{_GUIDE}services-sqs-errorhandling.html",
    "kinesis": f"{_GUIDE}services-kinesis-batchfailurereporting.html",
    "dynamodb": f"{_GUIDE}services-ddb-batchfailurereporting.html",
    "kafka": f"{_GUIDE}kafka-retry-configurations.html",
    "rabbitmq": f"{_GUIDE}with-mq.html",
    "activemq": f"{_GUIDE}with-mq.html",
    "pipes": "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html",
}
_OURS = "batchcore.hookspecs, and docs/hooks.md of the project"
_KIT = "batchcore_testing.SourceContract, and docs/contract.md of the project"


class ContractBroken(AssertionError):
    """A source breaks a rule of its contract.

    Attributes:
        rule: the rule.
    """

    def __init__(self, message: str, *, rule: Rule) -> None:
        super().__init__(message)
        self.rule = rule


class Rule(NamedTuple):
    """One rule.

    Attributes:
        text: what must hold.
        mend: the hook to look at.
        where: who says so: AWS's page on failures of the service (``failures``), another page, or our own.
    """

    text: str
    mend: str
    where: str = "failures"

    def broken(self, seen: str, service: str, cause: BaseException | None = None) -> NoReturn:
        """Fail the test.

        Args:
            seen: what broke the rule.
            service: the service of the event, for AWS's page on it.
            cause: an exception that did, if one did.

        Raises:
            ContractBroken: always.
        """
        __tracebackhide__ = True
        where = self.where
        if where == "failures":
            where = _FAILURES.get(service.partition("-")[0], _OURS)
        raise ContractBroken(
            f"{self.text}\n  seen:  {seen}\n  mend:  {self.mend}\n  rule:  {where}", rule=self
        ) from cause


EXTRACTED = Rule(
    "The records of an event are given all, once each, as they are, in the order in which AWS delivers them.",
    "extract_records()",
    _OURS,
)
NAMED = Rule("A source has a name: text by which it is found, logged and described.", "name = ...", _OURS)
READ_BY_SOMEBODY = Rule(
    "A response is read as AWS reads it. Where the service is none that is known here, that is batchItemFailures.",
    "the fixture reads, which gives a function: event and response to the positions of the records that are not done",
    _KIT,
)
UNIQUE = Rule(
    "An identifier names one record of its batch and no other: AWS reads it as that record.", "identify_records()"
)
STABLE = Rule(
    "A record has the same identifier each time it is asked for, and whenever it is delivered again.",
    "identify_records()",
)
TOLD_APART = Rule(
    "Where each lane counts by itself, as each partition of Kafka counts its offsets, records of two lanes may have "
    "the same number. Their identifiers differ all the same, and a response that names one does not name the other.",
    "identify_records(), whose identifiers name the lane too. Where a number is never given twice: the fixture "
    "identifiers_repeat, which gives False; and an event factory, which makes it of number and not of sequence",
    _KIT,
)
AS_AWS_NAMES_IT = Rule(
    "An identifier is what AWS names the record by, as JSON: a string that is not empty, or an object. Any other is in "
    "no batch, and the whole batch comes again.",
    "identify_records()",
)
NAMELESS = Rule(
    "A record without an identifier is refused with RecordIdentityError before the first handler call: AWS takes an "
    "response with an empty one for the failure of the whole batch.",
    "identify_records()",
)
SUCCESS = Rule(
    "When every record is done, the response is one that AWS reads as success: nothing comes again.", "build_response()"
)
FAILURE = Rule(
    "A response names every record that is not done and no other; AWS reads it as exactly those.",
    "build_response(), or identify_records()",
)
UNCHANGED = Rule("The event belongs to Lambda: nothing in it is changed.", "the hook that writes into a record", _OURS)
CLAIMS_ITS_OWN = Rule("A source claims its own events.", "claims_event(), which gives True for this one", _OURS)
CLAIMS_NO_OTHER = Rule(
    "A source claims an event only if all of it is its own. What it claims by mistake is read as something else, and "
    "deleted when nothing fails.",
    "claims_event()",
    _OURS,
)
LANE_ORDER = Rule(
    "Records that depend on one another are handled one after the other, in the order of delivery, however many run at "
    "a time.",
    "ordering_policy()",
)
LANE_STOP = Rule(
    "After a failure, the rest of its lane comes again: what is acknowledged behind it can never be done in order.",
    "ordering_policy(), which stops a lane at a failure",
)
ONE_BAD_RECORD = Rule(
    "One bad record costs one record: it fails alone, or the batch is refused before the first handler call because "
    "the record cannot be named.",
    "the hook in the traceback, which must not read the inside of a record; record_decoder() gives a callable that may",
    _OURS,
)
ONE_BAD_NAME = ONE_BAD_RECORD._replace(
    mend="identify_records(), which must raise RecordIdentityError for an identifier that is missing, empty, or of a "
    "type that AWS does not take; else the hook in the traceback",
)
EVERY_PROCESSOR = Rule(
    "A source means the same to every processor: in this thread, in worker threads, under asyncio, in a with block.",
    "the hook that differs; it must be safe in threads",
    _OURS,
)
DECODED = Rule(
    "A handler gets its own record, as it was delivered this time, and as plugins have prepared it.",
    "record_decoder(), whose callable makes something new of what it is given, and remembers nothing",
    _OURS,
)
READABLE = Rule(
    "What a good record holds can be read; what cannot be read is an error, and not something else.",
    "the typed record: a property gives a value, or None where there is none, or raises ValueError",
    _OURS,
)
SILENT = Rule(
    "An error says what could not be read, and holds nothing of its content: errors are logged.",
    "the typed record, or record_decoder(): see batchcore.records",
    _OURS,
)
OWN_EXCEPTION = Rule(
    "Each record fails with an exception of its own: who adds something to one would add it to all.",
    "ordering_policy(): not_attempted makes a new exception each time",
    _OURS,
)
NO_TRACE = Rule("What belongs to the process is not changed by a batch.", "record_decoder(), or who it calls", _OURS)
ARGUMENTS = Rule(
    "What a handler asks for by name, it gets: a context manager for each record, entered and left around its handler, "
    "beside others; a failure leaves nothing behind for the next.",
    "handler_arguments()",
    _OURS,
)
EACH_ONCE = Rule("The handler is called once for each record.", "extract_records()", _OURS)
MODELS = Rule(
    "With a model, the handler gets what the model makes of the raw record, and a record that does not fit it fails "
    "alone.",
    "extract_records(), which gives raw records, or record_preparer()",
    _OURS,
)
DEADLINE = Rule(
    "When the time is up, what was not started is not done: the response names it. Where what failed does not come "
    "again, as with Firehose, the batch fails instead.",
    "build_response(), which raises WholeBatchRetry where nothing else brings a record back",
    _OURS,
)
WRAPPED = Rule(
    "A plugin may wrap any hook of a source: with a wrapper that gives what it got, nothing changes.",
    "the arguments of the hook, which are those of its specification or fewer",
    _OURS,
)
NO_MEMORY = Rule(
    "A source keeps nothing of a batch: the next one, or another at the same time, is read as if it were the first.",
    "the hook that writes into the source",
    _OURS,
)
EMPTY = Rule("A batch without records is a success.", "the hook in the traceback: batch.records may be empty", _OURS)
DESCRIBED = Rule(
    "What is logged of a record says where it is from, and holds nothing of its content.", "describe_record()", _OURS
)
COUNTED = Rule("The deliveries of a record are counted from 1, or not known: None.", "delivery_attempt()", _OURS)
SENT_ON = Rule(
    "A dead letter is sent on as a message: a text, attributes in the form of SQS and SNS, and its group.",
    "original_message()",
    _OURS,
)
SENT_ON_BROKEN = Rule(
    "A record that cannot be read is the very one that becomes a dead letter. Whatever is broken in it, as long as it "
    "can be named, it is sent on as a message: the record as JSON where it has no text of its own.",
    "original_message(), which must bear what is missing or of another type",
    _OURS,
)
SENT_ON_AS_SENT = Rule(
    "A message is what the producer sent, or the record as JSON. What Python shows of an object, its repr() or str(), "
    "is neither: nobody can read it back.",
    "original_message()",
    _OURS,
)
ACKNOWLEDGED = Rule(
    "acknowledgement() says how AWS acknowledges: each record by itself, by a checkpoint, the whole batch, or by a "
    "result for each. Where there are several checkpoints, checkpoint_of() tells them apart.",
    "acknowledgement() and checkpoint_of()",
)
WINDOW_STATE = Rule(
    "A response to a batch of a tumbling window has the window's state; without one AWS takes it for a failure. Where "
    "no handler changes it, it goes out as it came in.",
    "build_response() and handler_arguments(): see batchcore.windows",
    f"{_GUIDE}services-kinesis-windows.html",
)
WINDOW_ORDER = Rule(
    "A batch of a tumbling window runs in order, up to the first failure, whatever was chosen: its state tells what is "
    "done before it.",
    "ordering_policy(): see batchcore.windows.WINDOW_ORDER",
    f"{_GUIDE}services-kinesis-windows.html",
)
FACTORY = Rule(
    "What the event factory makes is claimed by its source, and named as AWS names it.",
    "the event factory: what the entry-point group batchcore.event_factories has for the source, or the fixture "
    "event_factory gives. Else claims_event() or identify_records() of the source",
    _KIT,
)
EXAMPLE = Rule(
    "event_of(n) gives an event with n records that are all good, with names of their own; where the source has lanes, "
    "several records in one of them.",
    "the fixture event_of, or extract_records()",
    _KIT,
)
