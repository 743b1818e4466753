"""A name that no source has: what was probably meant, and what to install, which is never a package of nobody's."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from .installed import Site
from .support import ToySource, play

Core = Any  # the module batchcore, imported anew


def refused(core: Core, name: str) -> str:
    with pytest.raises(core.SourceNotInstalledError) as caught:
        core.BatchProcessor(name)
    assert caught.value.plugin == name
    return str(caught.value)


MEANT = [
    ("SQS", "sqs"),
    ("Sqs", "sqs"),
    (" sqs ", "sqs"),
    ("sqs\n", "sqs"),
    ("sqss", "sqs"),
    ("aws:sqs", "sqs"),
    ("AWS::SQS", "sqs"),
    ("aws_sqs", "sqs"),
    ("AmazonSQS", "sqs"),
    ("batchcore-sqs", "sqs"),
    ("batchcore_sqs", "sqs"),
    ("EventType.SQS", "sqs"),
    ("SQSDataStreams", "sqs"),
    ("sqs-fifo", "sqs"),
    ("aws:kinesis", "kinesis"),
    ("KinesisDataStreams", "kinesis"),
    ("kinesis-streams", "kinesis"),
    ("Kinesis Data Streams", "kinesis"),
    ("kineses", "kinesis"),
    ("DynamoDB", "dynamodb"),
    ("dynamo", "dynamodb"),
    ("dynamodb-streams", "dynamodb"),
    ("DynamoDBStreams", "dynamodb"),
    ("aws:dynamodb", "dynamodb"),
]


@pytest.mark.parametrize(("name", "meant"), MEANT)
def test_a_name_that_is_nearly_that_of_an_installed_source_is_asked_after(fresh: Core, name: str, meant: str) -> None:
    message = refused(fresh, name)

    assert message.startswith(f"No source named {name!r} is installed; did you mean {meant!r}? Installed: ")
    assert "pip install" not in message


def test_a_name_that_is_nearly_that_of_an_offered_source_is_asked_after(fresh: Core) -> None:
    fresh.offer("my-toys", ToySource())

    assert "did you mean 'my-toys'?" in refused(fresh, "MyToys")


def test_the_name_that_is_written_differently_is_meant_before_a_longer_one(fresh: Core, site: Site) -> None:
    for name in ("sqs_extended", "kafka"):
        site.install_source(name)

    assert "did you mean 'sqs'?" in refused(fresh, "SQS")
    assert "did you mean 'sqs_extended'?" in refused(fresh, "SQS-Extended")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        *((name, name) for name in ("firehose", "kafka", "s3batch")),
        *((name, "mq") for name in ("activemq", "rabbitmq", "mq")),
        *((name, "pipes") for name in ("pipes-kafka", "pipes")),
    ],
)
def test_a_source_of_ours_that_is_not_installed_is_to_be_installed(fresh: Core, name: str, package: str) -> None:
    assert refused(fresh, name).startswith(f"No source named {name!r} is installed; pip install batchcore-{package}. ")


def test_a_package_of_ours_that_is_not_installed_says_which_sources_it_has(fresh: Core) -> None:
    assert "batchcore-mq has activemq, rabbitmq. Installed: " in refused(fresh, "mq")
    assert "batchcore-kafka has" not in refused(fresh, "kafka")


def test_a_package_of_ours_that_has_several_sources_is_not_one_of_them(fresh: Core, site: Site) -> None:
    sources = {"pipes-sqs": "batchcore_pipes.hooks:sqs", "pipes-mq": "batchcore_pipes.hooks:mq"}
    site.install("batchcore-pipes", {"batchcore_pipes": ""}, sources=sources)

    assert refused(fresh, "pipes").startswith(
        "No source named 'pipes' is installed; batchcore-pipes has pipes-dynamodb, pipes-kafka, pipes-kinesis, "
        "pipes-mq, pipes-sqs. Installed: "
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Kafka", "kafka"),
        ("SelfManagedKafka", "kafka"),
        ("aws:kafka", "kafka"),
        ("kinesis-firehose", "firehose"),
        ("S3Batch", "s3batch"),
    ],
)
def test_a_name_that_is_nearly_that_of_a_source_of_ours_says_what_to_install(
    fresh: Core, name: str, meant: str
) -> None:
    message = refused(fresh, name)

    assert f"did you mean {meant!r}? pip install batchcore-{meant}. Installed: " in message
    assert message.count("pip install") == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("RabbitMQ", "did you mean 'rabbitmq'? pip install batchcore-mq. Installed: "),
        ("pipes_sqs", "did you mean 'pipes-sqs'? pip install batchcore-pipes. Installed: "),
        *((name, "; pip install batchcore-mq. batchcore-mq has activemq, rabbitmq. ") for name in ("MQ", "aws:mq")),
        ("eventbridge-pipes", "; pip install batchcore-pipes. batchcore-pipes has pipes-dynamodb, "),
    ],
)
def test_a_name_that_is_nearly_that_of_a_package_says_what_to_install(fresh: Core, name: str, says: str) -> None:
    assert says in refused(fresh, name)


def test_a_source_of_ours_may_be_meant_though_another_is_nearly_named_so(fresh: Core, site: Site) -> None:
    site.install_source("acme_kafka")

    assert "did you mean 'acme_kafka'? Otherwise: pip install batchcore-kafka." in refused(fresh, "kafka")


@pytest.mark.parametrize("name", ["carrier-pigeon", "no-such-source", "", "?", "\ud800", "s3", "x" * 10_000])
def test_of_any_other_name_nothing_is_advised_to_install(fresh: Core, name: str) -> None:
    message = refused(fresh, name)

    assert "pip install" not in message
    assert "no package of batchcore has it" in message
    assert "registers its source in the entry-point group batchcore.sources" in message
    assert "pass the source itself as event_type" in message
    assert "Installed: dynamodb, kinesis, sqs." in message
    assert len(message.encode()) < 500


@pytest.mark.parametrize(
    ("event", "origin"),
    [
        ({"Records": [{"eventSource": "aws:s3"}]}, "an event with 1 record of aws:s3"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "an event with 1 record of aws:sns"),
        ({"eventSource": "aws:kafka", "records": {}}, "an event of aws:kafka"),
    ],
)
def test_an_event_that_nobody_claims_is_called_what_it_says_it_is(fresh: Core, event: Any, origin: str) -> None:
    with pytest.raises(fresh.UnexpectedBatchTypeError, match=f"claims this event, which is {origin}"):
        fresh.BatchProcessor().run(event, play)


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [7]},
        {"Records": {"a": 1}},
        {"Records": [{"eventSource": "x" * 10_000}]},
        {"eventSource": 7},
        7,
        None,
    ],
)
def test_an_event_that_does_not_say_what_it_is_is_refused_like_any_other(fresh: Core, event: Any) -> None:
    with pytest.raises(fresh.UnexpectedBatchTypeError, match=r"No installed source claims this event\. Installed: "):
        fresh.BatchProcessor().run(event, play)


@pytest.mark.parametrize(
    ("event", "advice"),
    [
        ([{"messageId": "m", "body": "x", "eventSource": "aws:sqs"}], r"not guessed.*BatchProcessor\(\"pipes-sqs\"\)"),
        ([7], "EventBridge Pipes"),
        ("{}", r"pass json\.loads\(event\)"),
        (b"{}", r"pass json\.loads\(event\)"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_an_event_that_no_source_can_claim_is_refused_with_what_to_do(
    fresh: Core, event: Any, advice: str, named: bool
) -> None:
    with pytest.raises(fresh.UnexpectedBatchTypeError, match=advice):
        fresh.BatchProcessor(*(["sqs"] if named else [])).run(event, play)


# Lazy imports, from Python 3.15 on.


@pytest.mark.skipif(sys.version_info < (3, 15), reason="Python has no lazy imports before 3.15")
@pytest.mark.parametrize(
    ("statement", "hint"),
    [
        ("lazy from batchcore_acme import Record", "batchcore_acme is imported lazily"),
        ("lazy import batchcore_acme", "batchcore_acme is imported lazily"),
        ("", "A package that is imported lazily"),
    ],
)
def test_a_source_that_is_imported_lazily_is_hinted_at(site: Site, statement: str, hint: str) -> None:
    (site.folder / "batchcore_acme.py").write_text("from batchcore import offer\nclass Record: ...\noffer('acme', 1)\n")

    message = site.run(f"""
        import json, batchcore
        {statement}
        try:
            batchcore.BatchProcessor("acme")
        except batchcore.SourceNotInstalledError as error:
            print(json.dumps(str(error)))
    """)

    assert hint in message
    assert "import it without lazy" in message


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="Python has lazy imports from 3.15 on")
def test_where_python_has_no_lazy_imports_none_is_hinted_at(fresh: Core) -> None:
    assert "lazy" not in refused(fresh, "kafka")
