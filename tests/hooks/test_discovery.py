"""How a source is found: passed, offered, installed; by name, or by what it claims. And what goes wrong with it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from .installed import SOURCE, Site
from .support import FullSource, ToySource, play, source_with, toys, wrapper_of

Core = Any  # the module batchcore, imported anew


def event_for(name: str, *identifiers: str) -> dict[str, Any]:
    return {name: [{"id": identifier} for identifier in identifiers or ("1",)]}


# -- By name.


def test_an_installed_source_is_found_by_its_name(fresh: Core, site: Site) -> None:
    site.install_source("kafka")

    result = fresh.BatchProcessor("kafka").run(event_for("kafka", "bad", "good"), play)

    assert result.response == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert result.batch.source == "kafka"


@pytest.mark.parametrize("name", ["sqs", "kinesis", "dynamodb"])
def test_the_sources_of_this_repository_are_found_by_their_names(fresh: Core, name: str) -> None:
    processor = fresh.BatchProcessor(name)

    assert processor.run({"Records": []}, play).response == {"batchItemFailures": []}
    assert f"batchcore_{name}" in sys.modules


@pytest.mark.parametrize(
    ("member", "name"), [("SQS", "sqs"), ("KinesisDataStreams", "kinesis"), ("DynamoDBStreams", "dynamodb")]
)
def test_an_event_type_is_the_name_of_a_source(fresh: Core, member: str, name: str) -> None:
    event_type = getattr(fresh.EventType, member)

    assert event_type == name
    assert fresh.BatchProcessor(event_type).run({"Records": []}, play).batch.source == name


def forbid_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever reads entry points fail."""

    def read(group: str) -> Any:
        raise AssertionError(f"the entry points of {group} are read")

    monkeypatch.setattr("batchcore.entry_points.registered", read)


def test_an_offered_source_is_found_by_its_name_without_a_scan(fresh: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ToySource()
    fresh.offer("toy", source)
    forbid_scans(monkeypatch)

    assert fresh.BatchProcessor("toy").run(toys("car"), play).response == {"batchItemFailures": []}


def test_an_offered_source_stands_before_an_installed_one(fresh: Core, site: Site) -> None:
    site.install_source("toy")
    fresh.offer("toy", ToySource())

    assert fresh.BatchProcessor("toy").run(toys("car"), play).response == {"batchItemFailures": []}


def test_the_name_that_a_source_is_found_by_is_the_batches(fresh: Core) -> None:
    fresh.offer("things", ToySource())

    assert fresh.BatchProcessor("things").run(toys("car"), play).batch.source == "things"
    assert fresh.BatchProcessor().run(toys("car"), play).batch.source == "things"


def test_what_is_installed_is_read_once_per_process(fresh: Core, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from batchcore import entry_points

    scans: list[str] = []
    original = entry_points.Reading

    def counted(found: Any, unreadable: Any = ()) -> Any:
        scans.append(" ".join(sorted({entry.value for entry in found if entry.name == "kafka"})))
        return original(found, unreadable)

    monkeypatch.setattr(entry_points, "Reading", counted)
    site.install_source("kafka")

    for _ in range(3):
        fresh.BatchProcessor("kafka")
        with pytest.raises(fresh.SourceNotInstalledError):
            fresh.BatchProcessor("mq")

    assert scans == ["batchcore_kafka_for_tests:source"]


READS = """
    import json, sys
    from batchcore.entry_points import read, registered
    %s
    readers = ("importlib.metadata", "importlib_metadata")
    known = registered("batchcore.sources").entry_points
    plainly = not any(name in sys.modules for name in readers)
    found = read("batchcore.sources").entry_points
    named = [sorted([entry.name, entry.value, entry.dist.name] for entry in entries) for entries in (known, found)]
    print(json.dumps([*named, plainly, sorted({type(entry).__module__.partition(".")[0] for entry in found})]))
"""


def test_the_same_is_found_with_importlib_metadata_and_without(site: Site) -> None:
    """In processes of their own: once it is imported, what Python's own gives is made of its classes."""
    pytest.importorskip("importlib_metadata")
    site.install_source("kafka")
    site.install_source("mq")

    _, found, _, of_it = site.run(READS % "")
    _, found_without, _, of_python = site.run(
        READS % "sys.modules['importlib_metadata'] = None  # as if it were not there"
    )

    assert {"kafka", "mq"} <= {name for name, _, _ in found}
    assert found == found_without
    assert of_it == ["importlib_metadata"]
    assert of_python == ["importlib"]


# -- Without a reader of metadata, which costs a cold start most of what it takes; and with one where that is needed.


ONLY_THESE = "sys.path = [path for path in sys.path if 'site-packages' not in path and 'dist-packages' not in path]"
"""Nothing that is installed here, which may be unusual: the folder of the test, and Python's own."""

USUAL: dict[str, str] = {
    "as installed": "",
    "a comment and an empty line": "# a comment\n\n[console_scripts]\n",
    "extras": "[other.group]\nname = module.inner:name.inner [extra, other]\nplain = module\n",
    "a group that begins like ours": "[batchcore.sources.more]\nname = module:name\n",
}


@pytest.mark.parametrize("text", USUAL.values(), ids=USUAL)
def test_what_is_installed_as_usual_is_read_without_a_reader_of_metadata(site: Site, text: str) -> None:
    site.install_source("kafka")
    site.install("acme-usual", {})
    (site.folder / "acme_usual-1.0.dist-info" / "entry_points.txt").write_text(text)
    (site.folder / "acme_nothing-1.0.dist-info").mkdir()
    (site.folder / "acme_file-1.0.egg-info").write_text("Name: acme-file\n")

    known, found, plainly, _ = site.run(READS % ONLY_THESE)

    assert ["kafka", "batchcore_kafka_for_tests:source", "batchcore-kafka"] in found
    assert known == found
    assert plainly


def test_a_package_of_which_two_are_on_the_path_needs_no_reader_where_it_registers_nothing(site: Site) -> None:
    site.install_source("kafka")
    site.install("acme-twice", {})
    (site.folder / "layer" / "Acme.Twice-2.0.dist-info").mkdir(parents=True)

    known, found, plainly, _ = site.run(READS % f"{ONLY_THESE}; sys.path += [{str(site.folder / 'layer')!r}] * 2")

    assert known == found
    assert plainly


def write_archive(folder: Path) -> str:
    with ZipFile(folder / "layer.zip", "w") as archive:
        archive.writestr("acme_zip-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme-zip\nVersion: 1.0\n")
        archive.writestr("acme_zip-1.0.dist-info/entry_points.txt", "[batchcore.sources]\nodd = odd:source\n")
    return f"sys.path.append({str(folder / 'layer.zip')!r})"


def write_metadata(folder: Path, inner: str, text: str = "[batchcore.sources]\nodd = odd:source\n") -> Path:
    metadata = folder / inner
    metadata.mkdir(parents=True)
    for name in ("METADATA", "PKG-INFO"):
        (metadata / name).write_text("Metadata-Version: 2.1\nName: acme-odd\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(text)
    return metadata


def write_egg(folder: Path) -> str:
    write_metadata(folder, "acme_odd-1.0-py3.egg/EGG-INFO")
    return f"sys.path.append({str(folder / 'acme_odd-1.0-py3.egg')!r})"


def write_twice(folder: Path) -> str:
    write_metadata(folder, "layer/Acme_Odd-1.0.dist-info")
    write_metadata(folder, "other/acme.odd-2.0.dist-info", "[batchcore.sources]\nodd = odd:other\n")
    return f"sys.path += {[str(folder / 'layer'), str(folder / 'other')]!r}"


def write_capitals(folder: Path) -> str:
    write_metadata(folder, "acme_odd-1.0.DIST-INFO")
    return ""


def write_no_name(folder: Path) -> str:
    write_metadata(folder, "-1.0.dist-info")
    return ""


def write_value(folder: Path) -> str:
    write_metadata(folder, "acme_odd-1.0.dist-info", "[batchcore.sources]\nodd = odd : source\n")
    return ""


def write_line_before_sections(folder: Path) -> str:
    write_metadata(folder, "acme_odd-1.0.dist-info", "none\n[batchcore.sources]\nodd = odd:source\n")
    return ""


def find_elsewhere(folder: Path) -> str:
    metadata = write_metadata(folder, "elsewhere/acme_odd-1.0.dist-info")
    (folder / "acme_finder.py").write_text(FINDER.format(str(metadata)))
    return "import acme_finder; sys.meta_path.insert(0, acme_finder)"


FINDER = """
def find_spec(*arguments):
    return None

def find_distributions(context):
    from importlib.metadata import Distribution
    return [Distribution.at({!r})]
"""

UNUSUAL = {
    "an archive": write_archive,
    "an egg": write_egg,
    "two of one package": write_twice,
    "capitals": write_capitals,
    "no name": write_no_name,
    "an unusual value": write_value,
    "a line before all sections": write_line_before_sections,
    "a finder of others": find_elsewhere,
}


@pytest.mark.parametrize("write", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_read_by_a_reader_of_metadata(site: Site, write: Callable[[Path], str]) -> None:
    site.install_source("kafka")

    known, found, plainly, _ = site.run(READS % f"{ONLY_THESE}; {write(site.folder)}")

    assert {"kafka", "odd"} <= {name for name, _, _ in found}
    assert known == found
    assert not plainly


# -- As an object.


def test_a_source_may_be_passed_as_an_object(fresh: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_scans(monkeypatch)

    result = fresh.BatchProcessor(ToySource()).run(toys("car"), play)

    assert result.response == {"batchItemFailures": []}
    assert result.batch.source == "toy"


@pytest.mark.parametrize("name", [None, 7, ToySource])
def test_a_source_without_a_name_is_called_by_its_class(fresh: Core, name: object) -> None:
    source = type("NamelessSource", (ToySource,), {"name": name})()

    assert fresh.BatchProcessor(source).run(toys("car"), play).batch.source == "NamelessSource"


# -- Not installed, installed and broken, installed twice: three errors.


def test_a_source_that_is_not_installed_says_what_to_install(fresh: Core, site: Site) -> None:
    site.install_source("kafka")

    with pytest.raises(fresh.SourceNotInstalledError) as caught:
        fresh.BatchProcessor("mq")

    message = str(caught.value)
    assert message.startswith(
        "No source named 'mq' is installed; pip install batchcore-mq. batchcore-mq has activemq, rabbitmq. Installed: "
    )
    assert "kafka" in message
    assert caught.value.plugin == "mq"
    assert isinstance(caught.value, fresh.SourceError)
    assert isinstance(caught.value, fresh.ConfigurationError)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import a_module_that_is_not_there", ModuleNotFoundError),
        ("raise RuntimeError('no licence')", RuntimeError),
        ("1 +", SyntaxError),
        ("other = 1", AttributeError),
    ],
)
def test_a_source_whose_package_does_not_load_is_broken_not_missing(
    fresh: Core, site: Site, code: str, cause: type[Exception]
) -> None:
    site.install("batchcore-kafka", {"broken_kafka": code}, sources={"kafka": "broken_kafka:source"})

    with pytest.raises(fresh.SourceBrokenError) as caught:
        fresh.BatchProcessor("kafka")

    message = str(caught.value)
    assert "The source 'kafka' is installed (batchcore-kafka, broken_kafka:source) and fails to load" in message
    assert cause.__name__ in message
    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.plugin == "kafka"
    assert isinstance(caught.value, fresh.SourceError)


def test_two_packages_that_register_one_name_are_both_named(fresh: Core, site: Site) -> None:
    site.install("batchcore-kafka", {"kafka_one": SOURCE.format(name="kafka")}, sources={"kafka": "kafka_one:source"})
    site.install("other-kafka", {"kafka_two": SOURCE.format(name="kafka")}, sources={"kafka": "kafka_two:source"})

    with pytest.raises(fresh.AmbiguousSourceError) as caught:
        fresh.BatchProcessor("kafka")

    message = str(caught.value)
    assert "batchcore-kafka, kafka_one:source and other-kafka, kafka_two:source" in message
    assert "Uninstall one, or pass the source itself as event_type." in message
    assert caught.value.plugin == "kafka"


def test_one_package_that_is_found_on_two_paths_is_one(
    fresh: Core, site: Site, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_source("kafka")
    (tmp_path / "layer").mkdir()
    Site(tmp_path / "layer").install_source("kafka")
    monkeypatch.syspath_prepend(tmp_path / "layer")

    assert fresh.BatchProcessor("kafka").run(event_for("kafka"), play).response == {"batchItemFailures": []}


def test_one_source_that_two_packages_register_is_one(fresh: Core, site: Site) -> None:
    site.install_source("kafka")
    site.install("batchcore-kafka-old-name", {}, sources={"kafka": "batchcore_kafka_for_tests:source"})

    assert fresh.BatchProcessor("kafka").run(event_for("kafka"), play).response == {"batchItemFailures": []}


def test_two_sources_that_are_offered_as_one_name_are_refused(fresh: Core) -> None:
    fresh.offer("toy", ToySource())

    with pytest.raises(fresh.AmbiguousSourceError) as caught:
        fresh.offer("toy", other := FullSource())

    assert "Two sources are offered as 'toy': ToySource and FullSource" in str(caught.value)
    assert "pass the source itself as event_type" in str(caught.value)
    assert caught.value.plugin is other


def test_a_source_may_be_offered_again(fresh: Core) -> None:
    source = ToySource()

    fresh.offer("toy", source)
    fresh.offer("toy", source)
    fresh.offer("toy", ToySource())

    assert fresh.BatchProcessor("toy").run(toys("car"), play).batch.source == "toy"


def test_an_installed_source_that_is_wrong_is_refused_for_what_is_wrong(fresh: Core, site: Site) -> None:
    code = "from batchcore import hookimpl\nclass S:\n    @hookimpl\n    def claims(self): ...\nsource = S()"
    site.install("batchcore-odd", {"odd_source": code}, sources={"odd": "odd_source:source"})

    with pytest.raises(fresh.UnknownHookError) as caught:
        fresh.BatchProcessor("odd")

    assert caught.value.hook == "claims"


# -- By what it claims.


def test_a_source_is_found_from_the_event(fresh: Core, site: Site) -> None:
    site.install_source("kafka")
    site.install_source("mq")
    processor = fresh.BatchProcessor()

    assert processor.run(event_for("mq"), play).batch.source == "mq"
    assert processor.run(event_for("kafka"), play).batch.source == "kafka"
    assert processor.run(event_for("mq"), play).batch.source == "mq"


@pytest.mark.parametrize(
    ("event", "source"),
    [("sqsEvent", "sqs"), ("kinesisStreamEvent", "kinesis"), ("dynamoStreamEvent", "dynamodb")],
)
def test_the_sources_of_this_repository_are_found_from_their_events(
    fresh: Core, sample: Any, event: str, source: str
) -> None:
    assert fresh.BatchProcessor().run(sample(event), lambda record: None).batch.source == source


def test_a_source_is_found_from_the_records_alone(fresh: Core, site: Site) -> None:
    fresh.offer("toy", ToySource())

    with fresh.BatchProcessor()(records=toys("car", "bad")["toys"], handler=play) as processor:
        processor.process()

    assert processor.response() == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_offered_sources_are_asked_first_and_without_a_scan(fresh: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.offer("toy", ToySource())
    forbid_scans(monkeypatch)

    assert fresh.BatchProcessor().run(toys("car"), play).batch.source == "toy"


def test_a_source_that_is_found_is_resolved_once_per_processor(fresh: Core) -> None:
    looked_up: list[str] = []

    class Counted(ToySource):
        def __getattribute__(self, name: str) -> Any:
            looked_up.append(name)
            return super().__getattribute__(name)

    fresh.offer("toy", Counted())
    processor = fresh.BatchProcessor()
    processor.run(toys("car"), play)
    looked_up.clear()

    processor.run(toys("car"), play)

    assert "claims_event" not in looked_up
    assert "extract_records" not in looked_up


def test_a_source_is_found_whatever_the_form_of_its_hooks(fresh: Core) -> None:
    class Renamed:
        @fresh.hookimpl(specname="claims_event")
        def is_mine(self) -> bool:
            return True

        @fresh.hookimpl(specname="extract_records")
        def records(self, event: Any) -> Any:
            return event["toys"]

        @fresh.hookimpl(specname="identify_records")
        def names(self, records: Any) -> Any:
            return [record["id"] for record in records]

    fresh.offer("renamed", Renamed())

    assert fresh.BatchProcessor().run(toys("bad", "car"), play).response == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }


def test_wrappers_have_a_say_in_what_a_source_claims(fresh: Core) -> None:
    fresh.offer("toy", ToySource())

    class InABox:
        @fresh.hookimpl(wrapper=True)
        def claims_event(self, event: Any) -> Any:
            yield
            return "box" in event

        @fresh.hookimpl(wrapper=True)
        def extract_records(self, event: Any) -> Any:
            try:
                return (yield)
            except KeyError:
                return event["box"]["toys"]

    result = fresh.BatchProcessor(plugins=[InABox()]).run({"box": toys("car")}, play)

    assert result.return_values == ["played with car"]


def test_a_source_that_is_found_by_name_alone_is_found_from_no_event_and_from_no_records(fresh: Core) -> None:
    class Named(ToySource):
        only_by_name = True

    fresh.offer("toy", Named())

    with pytest.raises(fresh.UnexpectedBatchTypeError, match="No installed source claims this event"):
        fresh.BatchProcessor().run(toys("car"), play)
    with pytest.raises(fresh.UnexpectedBatchTypeError, match="No installed source claims these records"):
        fresh.BatchProcessor()(records=toys("car")["toys"], handler=play)
    assert fresh.BatchProcessor("toy").run(toys("car"), play).batch.source == "toy"


def test_a_source_that_is_found_by_name_alone_is_no_second_one_that_claims_an_event(fresh: Core, site: Site) -> None:
    site.install_source("kafka")
    code = SOURCE.format(name="kafka").replace("class Source:", "class Source:\n    only_by_name = True")
    site.install("batchcore-pipe", {"pipe_source": code}, sources={"pipe": "pipe_source:source"})

    assert fresh.BatchProcessor().run(event_for("kafka"), play).batch.source == "kafka"
    assert fresh.BatchProcessor("pipe").run(event_for("kafka"), play).batch.source == "pipe"


def test_an_event_that_nobody_claims_is_refused_before_the_first_record(fresh: Core, site: Site) -> None:
    site.install_source("kafka")
    handled: list[Any] = []

    with pytest.raises(fresh.UnexpectedBatchTypeError) as caught:
        fresh.BatchProcessor().run({"boxes": [1]}, handled.append)

    message = str(caught.value)
    assert message.startswith("No installed source claims this event. Installed: ")
    assert all(name in message for name in ("dynamodb", "kafka", "kinesis", "sqs"))
    assert "Install the source's package" in message
    assert handled == []


def test_records_that_nobody_can_name_are_refused(fresh: Core) -> None:
    with pytest.raises(fresh.UnexpectedBatchTypeError, match="No installed source claims these records"):
        fresh.BatchProcessor()(records=[{"nothing": 1}], handler=play)


def test_two_sources_that_claim_one_event_are_both_named(fresh: Core) -> None:
    class Other(ToySource):
        pass

    fresh.offer("toy", ToySource())
    fresh.offer("other", Other())
    handled: list[Any] = []

    with pytest.raises(fresh.AmbiguousSourceError, match="Several sources claim this event: other, toy"):
        fresh.BatchProcessor().run(toys("car"), handled.append)

    assert handled == []
    assert fresh.BatchProcessor("other").run(toys("car"), play).batch.source == "other"


def test_two_installed_sources_that_claim_one_event_are_both_named(fresh: Core, site: Site) -> None:
    site.install_source("kafka")
    code = SOURCE.format(name="kafka")
    site.install("batchcore-msk", {"msk_source": code}, sources={"msk": "msk_source:source"})

    with pytest.raises(fresh.AmbiguousSourceError, match="Several sources claim this event: kafka, msk"):
        fresh.BatchProcessor().run(event_for("kafka"), play)


def test_an_empty_batch_is_a_success_whoever_claims_it(fresh: Core, sample: Any) -> None:
    for name in ("batchcore_sqs", "batchcore_kinesis", "batchcore_dynamodb"):
        importlib.import_module(name)

    assert fresh.BatchProcessor().run({"Records": []}, play).response == {"batchItemFailures": []}
    with fresh.BatchProcessor()(records=[], handler=play) as processor:
        processor.process()
    assert processor.response() == {"batchItemFailures": []}


def test_no_records_alone_are_nobodys_whatever_source_is_offered_first(fresh: Core) -> None:
    fresh.offer("toy", source_with(ToySource, build_response=lambda batch, outcomes: {"results": []}))
    with fresh.BatchProcessor()(records=[], handler=play) as processor:
        processor.process()
    assert processor.response() == {"batchItemFailures": []}


def test_a_source_that_raises_over_an_event_does_not_claim_it(fresh: Core) -> None:
    fresh.offer("toy", ToySource())
    fresh.offer("raising", source_with(FullSource, claims_event=lambda event: event["no such key"]))

    assert fresh.BatchProcessor().run(toys("car"), play).batch.source == "toy"


def test_a_broken_package_is_no_matter_while_another_source_claims_the_event(fresh: Core, site: Site) -> None:
    site.install("batchcore-a", {"broken_a": "raise RuntimeError"}, sources={"a": "broken_a:source"})
    site.install("batchcore-z", {"broken_z": "raise RuntimeError"}, sources={"z": "broken_z:source"})
    site.install("batchcore-odd", {"odd_one": "source = object()"}, sources={"odd": "odd_one:source"})
    site.install_source("kafka")

    assert fresh.BatchProcessor().run(event_for("kafka"), play).batch.source == "kafka"


def test_a_broken_package_is_named_when_nobody_claims_the_event(fresh: Core, site: Site) -> None:
    site.install("batchcore-mq", {"broken_mq": "raise RuntimeError('no licence')"}, sources={"mq": "broken_mq:source"})

    with pytest.raises(fresh.SourceBrokenError, match="no licence") as caught:
        fresh.BatchProcessor().run(event_for("mq"), play)

    assert caught.value.plugin == "mq"


def test_an_offered_source_that_cannot_be_used_is_named_when_nobody_claims_the_event(fresh: Core) -> None:
    fresh.offer("odd", object())

    with pytest.raises(fresh.MissingHookError, match="The source 'odd' lacks"):
        fresh.BatchProcessor().run(event_for("boxes"), play)


def test_an_offered_source_that_cannot_be_used_is_named_rather_than_a_package(fresh: Core, site: Site) -> None:
    site.install("batchcore-mq", {"broken_mq": "raise RuntimeError('no licence')"}, sources={"mq": "broken_mq:source"})
    fresh.offer("odd", object())

    with pytest.raises(fresh.MissingHookError, match="The source 'odd' lacks"):
        fresh.BatchProcessor().run(event_for("boxes"), play)


def test_a_source_whose_view_is_not_ready_hinders_no_other(fresh: Core) -> None:
    class Unready(fresh.RecordsSource):  # type: ignore[name-defined,misc]  # a class of the module imported anew
        service, identifier = "post:letters", ("id",)

        @property
        def view(self) -> Any:
            raise RuntimeError("no view yet")

    fresh.offer("unready", Unready())
    fresh.offer("toy", ToySource())

    assert fresh.BatchProcessor().run(toys("car"), play).batch.source == "toy"


def test_a_wrapper_that_loses_the_result_is_not_taken_for_a_no(fresh: Core) -> None:
    fresh.offer("toy", ToySource())

    with pytest.raises(fresh.PluginError, match=r"wraps claims_event\(\) gave None"):
        fresh.BatchProcessor(plugins=[wrapper_of("claims_event", lambda inner: None)]).run(toys("car"), play)


# -- A processor from scratch.


def scratch_processor(core: Core, **methods: Any) -> Any:
    def process(self: Any, record: Any) -> Any:
        return self.success_handler(record, self.handler(record))

    return type("Scratch", (core.BasePartialProcessor,), {"_process_record": process, **methods})()


def test_a_processor_from_scratch_finds_its_source_too(fresh: Core) -> None:
    fresh.offer("toy", ToySource())

    response = fresh.process_partial_response(toys("car", "bad"), play, scratch_processor(fresh))

    assert response == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_a_processor_from_scratch_that_answers_itself_needs_no_source(fresh: Core) -> None:
    processor = scratch_processor(fresh, response=lambda self: {"mine": len(self.success_messages)})

    with processor(records=[{"n": 1}, {"n": 2}], handler=lambda record: record["n"]):
        assert processor.process() == [("success", 1, {"n": 1}), ("success", 2, {"n": 2})]

    assert processor.response() == {"mine": 2}


def test_a_processor_from_scratch_that_answers_itself_needs_one_to_read_an_event(fresh: Core) -> None:
    processor = scratch_processor(fresh, response=lambda self: {})

    with pytest.raises(fresh.UnexpectedBatchTypeError, match="does not claim this event"):
        fresh.process_partial_response(event_for("boxes"), play, processor)


def test_a_processor_from_scratch_has_the_plugins_of_the_environment(
    fresh: Core, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
        from batchcore import hookimpl
        made = []
        class Plugin:
            def __init__(self):
                made.append(self)
                self.seen = []
            @hookimpl
            def batch_started(self, batch):
                self.seen.append(batch.source)
            @hookimpl(wrapper=True)
            def build_response(self):
                inner = yield
                return {**inner, "seen": self.seen}
    """
    site.install("batchcore-watch", {"watch_plugin": code}, plugins={"watch": "watch_plugin:Plugin"})
    monkeypatch.setenv("BATCHCORE_PLUGINS", "watch")
    fresh.offer("toy", ToySource())

    response = fresh.process_partial_response(toys("car"), play, scratch_processor(fresh))

    assert response == {"batchItemFailures": [], "seen": ["toy"]}
    assert len(sys.modules["watch_plugin"].made) == 1


# -- In a process of its own: what is installed, and what a function pays for.


def test_in_a_new_process_an_installed_source_is_found_by_name_and_by_event(site: Site) -> None:
    site.install_source("kafka")

    seen = site.run("""
        import json
        from batchcore import BatchProcessor
        event = {"kafka": [{"id": "1"}]}
        by_name = BatchProcessor("kafka").run(event, len).response
        by_event = BatchProcessor().run(event, len).batch.source
        print(json.dumps([by_name, by_event]))
    """)

    assert seen == [{"batchItemFailures": []}, "kafka"]


def test_in_a_new_process_a_broken_a_missing_and_an_ambiguous_source_are_three_errors(site: Site) -> None:
    site.install("batchcore-mq", {"broken_mq": "raise RuntimeError('no licence')"}, sources={"mq": "broken_mq:source"})
    site.install("one", {"one": SOURCE.format(name="kafka")}, sources={"kafka": "one:source"})
    site.install("two", {"two": SOURCE.format(name="kafka")}, sources={"kafka": "two:source"})

    seen = site.run("""
        import json
        from batchcore import BatchProcessor
        def error_of(name):
            try:
                BatchProcessor(name)
            except Exception as error:
                return [type(error).__name__, type(error.__cause__).__name__]
        print(json.dumps([error_of(name) for name in ("mq", "pipes", "kafka")]))
    """)

    assert seen == [
        ["SourceBrokenError", "RuntimeError"],
        ["SourceNotInstalledError", "NoneType"],
        ["AmbiguousSourceError", "NoneType"],
    ]


LOOKS_AT_MODULES = """
    import json, sys
    from batchcore import BatchProcessor, EventType
    from batchcore_sqs import SQSRecord
    event = {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]}
    response = BatchProcessor(%s).run(event, lambda record: None).response
    watched = ["importlib_metadata", "importlib.metadata", "pluggy", "installed_thing"]
    print(json.dumps([response, [name for name in watched if name in sys.modules]]))
"""


@pytest.mark.parametrize("event_type", ["EventType.SQS", "'sqs'", ""])
def test_in_a_new_process_an_offered_source_costs_no_scan(site: Site, event_type: str) -> None:
    assert site.run(LOOKS_AT_MODULES % event_type) == [{"batchItemFailures": []}, []]


@pytest.mark.parametrize("event_type", ["EventType.SQS", "'sqs'", ""])
def test_in_a_new_process_an_installed_package_changes_nothing(site: Site, event_type: str) -> None:
    takes_all = """
        from batchcore import hookimpl, offer
        class Source:
            @hookimpl
            def claims_event(self, event): return True
            @hookimpl
            def extract_records(self, event): return []
            @hookimpl
            def identify_records(self, records): return []
            @hookimpl(wrapper=True)
            def build_response(self): return "changed" if (yield) else "changed"
        source = plugin = Source()
    """
    site.install(
        "batchcore-greedy",
        {"installed_thing": takes_all},
        sources={"sqs": "installed_thing:source", "greedy": "installed_thing:source"},
        plugins={"greedy": "installed_thing:plugin"},
    )

    assert site.run(LOOKS_AT_MODULES % event_type) == [{"batchItemFailures": []}, []]


def test_in_a_new_process_pluggy_is_loaded_where_a_hook_is_wrapped_and_nowhere_else(site: Site) -> None:
    assert site.run("""
        import json, sys
        from batchcore import BatchProcessor, hookimpl
        class Watches:
            @hookimpl
            def batch_started(self): pass
        class Extends:
            @hookimpl
            def wrap_handler(self, handler): return handler
        class Wraps:
            @hookimpl(wrapper=True)
            def build_response(self): return (yield)
        event = {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]}
        def loaded_with(*plugins):
            BatchProcessor("sqs", plugins=plugins).run(event, lambda record: None)
            return "pluggy" in sys.modules
        print(json.dumps([loaded_with(), loaded_with(Watches(), Extends()), loaded_with(Watches(), Wraps())]))
    """) == [False, False, True]


def test_the_core_imports_no_source(site: Site) -> None:
    seen = site.run("""
        import json, sys, batchcore, pkgutil, importlib
        for module in pkgutil.iter_modules(batchcore.__path__):
            importlib.import_module(f"batchcore.{module.name}")
        print(json.dumps([name for name in sys.modules if name.startswith("batchcore_")]))
    """)

    assert seen == []


def test_a_source_package_may_be_loaded_again(fresh: Core) -> None:
    importlib.reload(importlib.import_module("batchcore_sqs"))

    assert fresh.BatchProcessor("sqs").run({"Records": []}, play).batch.source == "sqs"
