"""Packages whose metadata is stripped or wrong cost themselves alone, and are named where they may be the cause."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from .installed import SOURCE, Site
from .support import play

Core = Any  # the module batchcore, imported anew

STRIPPED: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_text(""),
    "without a name": lambda path: path.write_text("Metadata-Version: 2.1\nVersion: 1.0\n"),
    "with an empty name": lambda path: path.write_text("Metadata-Version: 2.1\nName:\nVersion: 1.0\n"),
    "not UTF-8": lambda path: path.write_bytes(b"Name: \xff\xfe\n"),
}


@pytest.fixture(params=STRIPPED)
def strip(request: pytest.FixtureRequest, site: Site) -> Callable[[str], None]:
    """Strip the METADATA of an installed distribution."""

    def do(distribution: str) -> None:
        STRIPPED[request.param](site.folder / f"{distribution.replace('-', '_')}-1.0.dist-info" / "METADATA")

    return do


def event_for(name: str) -> dict[str, Any]:
    return {name: [{"id": "1"}]}


# METADATA, which says the name.


def test_a_source_without_metadata_is_found(site: Site, strip: Any) -> None:
    site.install_source("kafka")
    strip("batchcore-kafka")

    assert (
        site.run("""
        import json
        from batchcore import BatchProcessor
        event = {"kafka": [{"id": "1"}]}
        print(json.dumps([BatchProcessor(name).run(event, len).response for name in ("kafka", None)]))
    """)
        == [{"batchItemFailures": []}] * 2
    )


def test_a_broken_source_without_metadata_is_broken(fresh: Core, site: Site, strip: Any) -> None:
    site.install("batchcore-kafka", {"broken_kafka": "raise RuntimeError"}, sources={"kafka": "broken_kafka:source"})
    strip("batchcore-kafka")

    with pytest.raises(fresh.SourceBrokenError, match=r"broken_kafka:source\) and fails to load") as caught:
        fresh.BatchProcessor("kafka")

    assert isinstance(caught.value.__cause__, RuntimeError)


def test_two_sources_without_metadata_that_have_one_name_are_both_named(fresh: Core, site: Site, strip: Any) -> None:
    for number in ("one", "two"):
        module = f"kafka_{number}"
        site.install(f"{number}-kafka", {module: SOURCE.format(name="kafka")}, sources={"kafka": f"{module}:source"})
        strip(f"{number}-kafka")

    with pytest.raises(fresh.AmbiguousSourceError, match=r"kafka_one:source and .*kafka_two:source"):
        fresh.BatchProcessor("kafka")


def test_a_broken_plugin_without_metadata_is_an_error_at_construction(
    fresh: Core, site: Site, strip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("signing", {"broken_plugin": "raise RuntimeError"}, plugins={"signs": "broken_plugin:Plugin"})
    strip("signing")
    monkeypatch.setenv("BATCHCORE_PLUGINS", "signs")

    with pytest.raises(fresh.PluginLoadError, match=r"broken_plugin:Plugin\) and fails to load"):
        fresh.BatchProcessor("sqs")


def test_a_package_that_lost_all_its_metadata_is_to_be_imported(site: Site) -> None:
    (site.folder / "batchcore_acme.py").write_text(SOURCE.format(name="acme"), encoding="utf-8")

    message = site.run("""
        import json, batchcore
        from batchcore import entry_points
        entry_points.OURS = {"acme": ("acme",)}  # none that may be installed here
        try:
            batchcore.BatchProcessor("acme")
        except batchcore.SourceNotInstalledError as error:
            print(json.dumps(str(error)))
    """)

    assert "import batchcore_acme: it is there" in message
    assert "pip install" not in message


# Entry points that cannot be read.


BAD: dict[str, bytes] = {
    "a line without =": b"[other.group]\nno value\n",
    "a line without = in a group of ours": b"[batchcore.sources]\nno value\n",
    "not UTF-8": b"[other.group]\nname = \xff\xfe\n",
}


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest, site: Site) -> str:
    """Install a package whose entry points cannot be read, and return its name."""
    site.install("acme-bad", {})
    (site.folder / "acme_bad-1.0.dist-info" / "entry_points.txt").write_bytes(BAD[request.param])
    return "acme-bad"


def test_a_package_that_cannot_be_read_hides_no_other(site: Site, bad: str) -> None:
    site.install_source("kafka")

    assert site.run("""
        import json
        from batchcore import BatchProcessor
        event = {"kafka": [{"id": "1"}]}
        print(json.dumps([BatchProcessor(name).run(event, len).batch.source for name in ("kafka", None)]))
    """) == ["kafka", "kafka"]


def test_a_package_that_cannot_be_read_is_named_where_a_source_is_not_found(fresh: Core, site: Site, bad: str) -> None:
    with pytest.raises(fresh.SourceNotInstalledError) as caught:
        fresh.BatchProcessor("mq")

    message = str(caught.value)
    assert message.startswith(
        "No source named 'mq' is installed; pip install batchcore-mq. batchcore-mq has activemq, rabbitmq. Installed: "
    )
    assert f"The entry points of {bad} cannot be read: " in message
    assert "Mend or uninstall it." in message


def test_a_package_that_cannot_be_read_is_named_where_nobody_claims_an_event(fresh: Core, site: Site, bad: str) -> None:
    with pytest.raises(fresh.UnexpectedBatchTypeError, match=f"The entry points of {bad} cannot be read: "):
        fresh.BatchProcessor().run(event_for("boxes"), play)


def test_a_package_that_cannot_be_read_is_named_where_a_plugin_is_not_found(
    fresh: Core, site: Site, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHCORE_PLUGINS", "no_such_plugin")

    with pytest.raises(fresh.PluginLoadError, match=f"The entry points of {bad} cannot be read: "):
        fresh.BatchProcessor("sqs")


def test_the_line_that_is_wrong_is_quoted(fresh: Core, site: Site) -> None:
    site.install("acme-bad", {})
    text = "# a comment\n\n[some.group]\ngood = module:name\nno value here\n"
    (site.folder / "acme_bad-1.0.dist-info" / "entry_points.txt").write_text(text)

    with pytest.raises(fresh.SourceNotInstalledError, match="the line 'no value here' has no '='"):
        fresh.BatchProcessor("mq")


def test_a_package_that_can_be_neither_read_nor_named_is_told_by_its_place(fresh: Core, site: Site, bad: str) -> None:
    folder = site.folder / "acme_bad-1.0.dist-info"
    (folder / "METADATA").unlink()

    with pytest.raises(fresh.SourceNotInstalledError) as caught:
        fresh.BatchProcessor("mq")

    assert f"The entry points of {folder} cannot be read: " in str(caught.value)


def test_the_first_of_two_on_the_path_is_the_one_that_counts(
    fresh: Core, site: Site, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_source("kafka")
    (tmp_path / "layer").mkdir()
    layer = Site(tmp_path / "layer")
    layer.install("batchcore_kafka", {"newer": SOURCE.format(name="kafka")}, sources={"kafka": "newer:source"})
    monkeypatch.syspath_prepend(tmp_path / "layer")

    assert fresh.BatchProcessor("kafka").run(event_for("kafka"), play).response == {"batchItemFailures": []}
    assert "newer" in sys.modules


def test_a_value_that_names_nothing_makes_its_own_source_broken(fresh: Core, site: Site) -> None:
    site.install("batchcore-kafka", {}, sources={"kafka": "not an object!"})
    site.install_source("mq")

    assert fresh.BatchProcessor("mq").run(event_for("mq"), play).response == {"batchItemFailures": []}
    with pytest.raises(fresh.SourceBrokenError, match=r"batchcore-kafka, not an object!\) and fails to load"):
        fresh.BatchProcessor("kafka")


# Readers that stop at a value, as importlib-metadata from 8.7 to 9.0 does.


class Finder:
    """Finds packages that are no folders."""

    def __init__(self, *distributions: object) -> None:
        self.distributions = distributions

    def find_spec(self, *arguments: object) -> None:
        """Find no module."""

    def find_distributions(self, context: object) -> Iterable[object]:
        for distribution in self.distributions:
            if isinstance(distribution, Exception):
                raise distribution
            yield distribution


def strict_distribution() -> Any:
    import importlib_metadata

    class Strict(importlib_metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return {"METADATA": "Name: acme-strict\n"}.get(filename)

        def locate_file(self, path: Any) -> Any:
            return Path(path)

        @property
        def entry_points(self) -> Any:
            raise ValueError("Invalid object reference", "not an object!")

    return Strict()


def test_a_value_that_the_reader_stops_at_hides_no_other_package(
    fresh: Core, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_source("kafka")
    monkeypatch.setattr(sys, "meta_path", [Finder(strict_distribution()), *sys.meta_path])

    assert fresh.BatchProcessor("kafka").run(event_for("kafka"), play).response == {"batchItemFailures": []}
    with pytest.raises(fresh.SourceNotInstalledError) as caught:
        fresh.BatchProcessor("mq")
    message = str(caught.value)
    assert "The entry points of acme-strict cannot be read: ValueError: ('Invalid object reference'," in message
    assert "importlib-metadata before 8.7 and from 9.1 on reads past it" in message


def test_a_finder_of_packages_that_raises_is_an_error_of_ours(
    fresh: Core, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [Finder(OSError("no disk")), *sys.meta_path])

    with pytest.raises(fresh.PluginError, match=r"What is installed cannot be read: OSError: no disk") as caught:
        fresh.BatchProcessor("kafka")

    assert isinstance(caught.value.__cause__, OSError)
