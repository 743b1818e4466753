"""What a package offers is what its ``__all__`` says, no more and no less."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

PACKAGES = [
    "batchcore",
    "batchcore_testing",
    "batchcore_sqs",
    "batchcore_kinesis",
    "batchcore_dynamodb",
    "batchcore_kafka",
    "batchcore_mq",
    "batchcore_firehose",
    "batchcore_s3batch",
    "batchcore_pipes",
    "batchcore_envelopes",
    "batchcore_deadletter",
    "batchcore_sentry",
    "batchcore_emf",
    "batchcore_logs",
    "batchcore_otel",
    "batchcore_local",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_are_sorted_and_named_once(name: str) -> None:
    names = importlib.import_module(name).__all__

    assert list(names) == sorted(set(names))


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_can_be_had(name: str) -> None:
    module = importlib.import_module(name)

    missing = [public for public in module.__all__ if not hasattr(module, public)]

    assert missing == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_has_no_public_name_beside_them(name: str) -> None:
    module = importlib.import_module(name)

    assert public_names(module) - set(module.__all__) == set()


def test_a_star_import_gives_every_public_name() -> None:
    namespace: dict[str, object] = {}
    exec("from batchcore import *", namespace)

    assert namespace.keys() - {"__builtins__"} == set(importlib.import_module("batchcore").__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    batchcore = importlib.import_module("batchcore")

    with pytest.raises(AttributeError, match="no attribute 'BatchProcesor'"):
        batchcore.BatchProcesor  # noqa: B018 - the access is what is tested


def public_names(module: ModuleType) -> set[str]:
    """Give what a reader finds in a package: no submodules, nothing of another package, nothing for type checkers."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__).split(".")[0] == module.__name__.split(".")[0]
        and name != "TYPE_CHECKING"
    }
