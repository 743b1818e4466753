"""The distributions fit together, and say what they are."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import batchcore
from batchcore import BatchProcessor
from batchcore_sqs import SQS
from batchcore_testing import EventFactory

CORE = "batchcore"
SOURCES = {
    "batchcore-sqs": ["sqs"],
    "batchcore-kinesis": ["kinesis"],
    "batchcore-dynamodb": ["dynamodb"],
    "batchcore-kafka": ["kafka"],
    "batchcore-mq": ["activemq", "rabbitmq"],
    "batchcore-firehose": ["firehose"],
    "batchcore-s3batch": ["s3batch"],
    "batchcore-pipes": ["pipes-dynamodb", "pipes-kafka", "pipes-kinesis", "pipes-mq", "pipes-sqs"],
}
EXTRAS = {"batchcore-sqs": ["boto3", "pydantic"], "batchcore-kafka": ["fastavro", "protobuf", "pydantic"]}
OBSERVERS = {
    "batchcore-emf": ["emf"],
    "batchcore-logs": ["logs"],
    "batchcore-otel": ["otel"],
    "batchcore-sentry": ["sentry"],
}
MEMBERS = [
    *SOURCES,
    *OBSERVERS,
    *(f"batchcore-{name}" for name in ("envelopes", "testing", "deadletter", "local")),
]
DISTRIBUTIONS = [CORE, *MEMBERS]
SUPPORTED = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[^]]*\])?\s*(?P<range>[^;]*)(;.*)?")


def requirements(distribution: str) -> dict[str, str]:
    """Give what a distribution requires, extras included: name to range."""
    matches = (REQUIREMENT.fullmatch(line) for line in metadata.requires(distribution) or [])
    return {match["name"]: match["range"].strip() for match in matches if match}


def test_all_have_one_version() -> None:
    assert len({metadata.version(name) for name in DISTRIBUTIONS}) == 1


def test_the_version_of_the_core_can_be_asked_for() -> None:
    assert batchcore.__version__ == metadata.version(CORE)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_requirement_is_a_range(name: str) -> None:
    exact = {other: wanted for other, wanted in requirements(name).items() if "==" in wanted or not wanted}

    assert exact == {}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_takes_the_core_from_this_minor_version_up_to_the_next(name: str) -> None:
    major, minor = metadata.version(CORE).split(".")[:2]

    assert sorted(requirements(name)[CORE].split(",")) == [f"<{major}.{int(minor) + 1}", f">={major}.{minor}"]


def test_the_core_requires_one_package_and_no_source() -> None:
    required = [line for line in metadata.requires(CORE) or [] if "extra ==" not in line]

    assert sorted(re.split(r"[<>=!]", line)[0] for line in required) == ["pluggy"]


@pytest.mark.parametrize("version", ["8.7.0", "8.7.1", "8.8.0", "8.9.0", "9.0.0", "9.0.1"])
def test_a_release_that_stops_at_one_bad_entry_point_is_not_taken(version: str) -> None:
    assert version not in SpecifierSet(requirements("batchcore-local")["importlib-metadata"])


@pytest.mark.parametrize("version", ["6.0.0", "7.2.1", "8.6.1", "9.1.0"])
def test_a_release_that_reads_past_it_is_taken(version: str) -> None:
    assert version in SpecifierSet(requirements("batchcore-local")["importlib-metadata"])


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_requires_the_core_alone_and_all_else_as_extras(name: str) -> None:
    lines = metadata.requires(name) or []

    assert [line for line in lines if "extra ==" not in line and not line.startswith(CORE)] == []
    extras = sorted(re.split(r"[<>=]", line)[0] for line in lines if "extra ==" in line)
    assert extras == EXTRAS.get(name, ["pydantic"])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_licence_and_the_pythons_are_said(name: str) -> None:
    about = metadata.metadata(name)

    assert about["License-Expression"] == "MIT-0"
    assert about["Requires-Python"] == ">=3.10"
    assert [
        version for version in SUPPORTED if version_classifier(version) not in about.get_all("Classifier", [])
    ] == []


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_type_checkers_are_told_that_a_package_is_typed(name: str) -> None:
    spec = importlib.util.find_spec(name.replace("-", "_"))

    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").is_file()
    assert "Typing :: Typed" in metadata.metadata(name).get_all("Classifier", [])


@pytest.mark.parametrize(("distribution", "sources"), list(SOURCES.items()))
def test_a_source_is_registered_by_its_name(distribution: str, sources: list[str]) -> None:
    entry_points = metadata.distribution(distribution).entry_points.select(group="batchcore.sources")

    assert sorted(entry_point.name for entry_point in entry_points) == sources
    assert [entry_point.load().name for entry_point in entry_points] == [each.name for each in entry_points]


@pytest.mark.parametrize(("distribution", "sources"), [*SOURCES.items(), ("batchcore-testing", ["kafka"])])
def test_what_makes_the_events_of_a_source_is_registered_by_its_name(distribution: str, sources: list[str]) -> None:
    entry_points = metadata.distribution(distribution).entry_points.select(group="batchcore.event_factories")

    assert sorted(entry_point.name for entry_point in entry_points) == sources
    assert all(issubclass(entry_point.load(), EventFactory) for entry_point in entry_points)


@pytest.mark.parametrize(("distribution", "observers"), list(OBSERVERS.items()))
def test_an_observer_is_registered_by_its_name(
    distribution: str, observers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_points = metadata.distribution(distribution).entry_points.select(group="batchcore.plugins")

    assert sorted(entry_point.name for entry_point in entry_points) == observers
    monkeypatch.setenv("BATCHCORE_PLUGINS", ", ".join(observers))
    monkeypatch.setenv("BATCHCORE_EMF_NAMESPACE", "Orders")
    assert BatchProcessor(SQS).run({"Records": []}, print).response == {"batchItemFailures": []}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_does_not_require_the_kit_for_tests(name: str) -> None:
    assert "batchcore-testing" not in requirements(name)


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="pydantic has no wheel for Python 3.15")
def test_models_are_tried_on_every_python_that_pydantic_has_a_wheel_for() -> None:
    # Without it, the tests of models are skipped.
    assert importlib.util.find_spec("pydantic") is not None


def version_classifier(version: str) -> str:
    """Give the classifier of a version of Python."""
    return f"Programming Language :: Python :: {version}"
