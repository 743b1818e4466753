"""What CloudWatch would not take is refused when the plugin is made, with a sentence that says what to do."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, PluginLoadError
from batchcore_emf import CloudWatchMetrics
from batchcore_testing import make_event

MANY = {f"name{number}": "value" for number in range(31)}


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ("", "letters, digits"),
        ("   ", "letters, digits"),
        (":orders", "does not begin with a colon"),
        ("orders\n", "letters, digits"),
        ("bestellungen-für", "letters, digits"),
        (17, "not 17"),
        ("o" * 256, "255 characters at most"),
        ("AWS/Lambda", "those of AWS"),
        ("aws/orders", "those of AWS"),
    ],
)
def test_a_namespace_that_cloudwatch_does_not_take(namespace: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        CloudWatchMetrics(namespace)


@pytest.mark.parametrize(
    ("dimensions", "said"),
    [
        (["service"], "mapping of names"),
        (MANY, "30 dimensions; there are 31"),
        ({"": "orders"}, "name of a dimension"),
        ({" ": "orders"}, "name of a dimension"),
        ({":service": "orders"}, "begin with a colon"),
        ({"dienst-für": "orders"}, "ASCII"),
        ({"n" * 251: "orders"}, "250 characters at most"),
        ({"service": ""}, "not empty"),
        ({"service": " "}, "not blank"),
        ({"service": "für"}, "ASCII"),
        ({"service": "a\nb"}, "printable"),
        ({"service": 17}, "Write '17'"),
        ({"service": None}, "is a text"),
        ({"service": "v" * 1025}, "1024 fit"),
        ({"RecordsFailed": "orders"}, "the metric 'RecordsFailed' has that name"),
        ({"batch_source": "orders"}, "another key of the document has that name"),
        ({"failure_types": "orders"}, "another key of the document"),
        ({"_aws": "orders"}, "another key of the document"),
    ],
)
def test_a_dimension_that_cloudwatch_does_not_take(dimensions: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        CloudWatchMetrics("Orders", dimensions)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"only": ["RecordsFaild"]}, "list of some of these metrics: Records, RecordsSucceeded"),
        ({"only": "Records"}, "list of some"),
        ({"only": []}, "list of some"),
        ({"of_batch": {"Value": 1}}, "of_batch is a function"),
        ({"units": {"Value": "EUR"}}, "Its units are: Bits"),
        ({"units": {"Value": None}}, "no unit of CloudWatch"),
        ({"units": {"": "Count"}}, "name of a metric"),
        ({"units": {"v" * 251: "Count"}}, "250 characters at most"),
        ({"units": {"service": "Count"}}, "the dimension 'service' has that name"),
        ({"units": {"Records": "Count"}}, "the metric 'Records' has that name"),
        ({"units": {"_aws": "Count"}}, "another key"),
    ],
)
def test_an_option_that_cannot_work(options: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        CloudWatchMetrics("Orders", {"service": "orders"}, **options)


def test_a_long_value_is_not_quoted_at_length() -> None:
    with pytest.raises(ConfigurationError) as raised:
        CloudWatchMetrics("o" * 100_000)

    assert len(str(raised.value)) < 250


def test_the_longest_that_fits_is_taken(line_of: Any) -> None:
    dimensions = {f"{'n' * 248}{number:02}": "v" * 1_024 for number in range(30)}
    line = line_of(
        CloudWatchMetrics("o" * 255, dimensions, units={"m" * 250: "Bytes"}, of_batch=lambda _: {"m" * 250: 1}), "a"
    )

    assert line["m" * 250].dimensions == tuple(dimensions.items())
    assert line["m" * 250].unit == "Bytes"


def test_a_name_that_is_free_because_its_metric_is_not_wanted_is_taken(line_of: Any) -> None:
    line = line_of(CloudWatchMetrics("Orders", {"TimeLeft": "yes"}, only=["Records"]), "a")

    assert line["Records"].dimensions == (("TimeLeft", "yes"),)


# What the environment says.


def test_without_a_namespace_it_says_where_to_put_one() -> None:
    with pytest.raises(
        ConfigurationError, match=r"CloudWatchMetrics\('Orders'\), or set the variable BATCHCORE_EMF_NA"
    ):
        CloudWatchMetrics()


@pytest.mark.parametrize(
    ("variables", "namespace", "dimensions"),
    [
        ({"BATCHCORE_EMF_NAMESPACE": "Ours"}, "Ours", ()),
        ({"POWERTOOLS_METRICS_NAMESPACE": "Theirs"}, "Theirs", ()),
        ({"BATCHCORE_EMF_NAMESPACE": "Ours", "POWERTOOLS_METRICS_NAMESPACE": "Theirs"}, "Ours", ()),
        (
            {"BATCHCORE_EMF_NAMESPACE": "Ours", "POWERTOOLS_SERVICE_NAME": "orders", "AWS_LAMBDA_FUNCTION_NAME": "f"},
            "Ours",
            (("service", "orders"),),
        ),
        ({"BATCHCORE_EMF_NAMESPACE": "Ours", "AWS_LAMBDA_FUNCTION_NAME": "f"}, "Ours", (("function_name", "f"),)),
        (
            {
                "BATCHCORE_EMF_NAMESPACE": "Ours",
                "BATCHCORE_EMF_DIMENSIONS": "stage=prod, team = a=b",
                "POWERTOOLS_SERVICE_NAME": "x",
            },
            "Ours",
            (("stage", "prod"), ("team", "a=b")),
        ),
    ],
)
def test_the_environment_says_what_the_code_does_not(
    written: Any, extracted: Any, monkeypatch: Any, variables: Any, namespace: str, dimensions: Any
) -> None:
    for name, value in {**variables, "BATCHCORE_PLUGINS": "emf"}.items():
        monkeypatch.setenv(name, value)
    BatchProcessor("sqs").run(make_event("sqs", "a"), bool)

    (line,) = written()
    assert extracted(line)["Records"][:2] == (namespace, dimensions)


def test_what_the_code_says_counts(line_of: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("BATCHCORE_EMF_NAMESPACE", "Other")
    monkeypatch.setenv("BATCHCORE_EMF_DIMENSIONS", "stage=prod")

    assert line_of(CloudWatchMetrics("Orders", {}), "a")["Records"][:2] == ("Orders", ())


@pytest.mark.parametrize("dimensions", ["prod", "stage=prod,", "stage=prod,stage=test", "stage="])
def test_dimensions_of_the_environment_that_cannot_be_read(monkeypatch: Any, dimensions: str) -> None:
    monkeypatch.setenv("BATCHCORE_EMF_DIMENSIONS", dimensions)

    with pytest.raises(ConfigurationError, match="stage"):
        CloudWatchMetrics("Orders")


def test_a_plugin_that_is_named_and_cannot_work_is_an_error_when_the_processor_is_made(monkeypatch: Any) -> None:
    monkeypatch.setenv("BATCHCORE_PLUGINS", "emf")

    with pytest.raises(PluginLoadError, match="BATCHCORE_EMF_NAMESPACE"):
        BatchProcessor("sqs")


def test_what_is_installed_and_not_named_writes_nothing(written: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("BATCHCORE_EMF_NAMESPACE", "Orders")
    BatchProcessor("sqs").run(make_event("sqs", "a"), bool)

    assert written() == []


def test_what_is_installed_and_not_named_is_not_imported() -> None:
    program = (
        "import sys\nfrom batchcore import BatchProcessor\nfrom batchcore_sqs import SQSRecord\n"
        "BatchProcessor('sqs').run({'Records': []}, bool)\n"
        "assert not any(name.startswith('batchcore_emf') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
