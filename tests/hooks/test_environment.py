"""The variable ``BATCHCORE_PLUGINS``: names of installed plugins, or of modules, that every processor gets."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from .installed import Site
from .support import OnlyWatches, ToySource, play, toys, wrapper_of

Core = Any

SIGNS = """
    from batchcore import hookimpl

    @hookimpl(wrapper=True)
    def build_response():
        inner = yield
        return {{**inner, "signed": [*inner.get("signed", []), {name!r}]}}
"""


@pytest.fixture
def signed(fresh: Core, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the function that says which plugins signed the response of a processor made with this variable."""

    def who(variable: str, *plugins: object) -> list[str]:
        monkeypatch.setenv("BATCHCORE_PLUGINS", variable)
        response = fresh.BatchProcessor(ToySource(), plugins=plugins).run(toys("car"), play).response
        names: list[str] = response.get("signed", [])
        return names

    return who


def module(site: Site, name: str) -> None:
    """Write a module that signs responses, and belongs to no distribution."""
    (site.folder / f"{name}.py").write_text("\n".join(line[4:] for line in SIGNS.format(name=name).splitlines()))


def test_a_module_that_is_named_acts(signed: Any, site: Site) -> None:
    module(site, "signs_a")

    assert signed("signs_a") == ["signs_a"]


def test_a_plugin_of_an_installed_package_acts_when_it_is_named_and_only_then(signed: Any, site: Site) -> None:
    site.install("signing", {"signing_plugin": SIGNS.format(name="installed")}, plugins={"signs": "signing_plugin"})

    assert signed("") == []
    assert "signing_plugin" not in sys.modules
    assert signed("signs") == ["installed"]


def test_an_entry_point_may_be_a_class_of_which_each_processor_gets_an_object(signed: Any, site: Site) -> None:
    code = """
        from batchcore import hookimpl
        class Signs:
            made = 0
            def __init__(self):
                Signs.made += 1
            @hookimpl(wrapper=True)
            def build_response(self):
                inner = yield
                return {**inner, "signed": [Signs.made]}
    """
    site.install("signing", {"signing_class": code}, plugins={"signs": "signing_class:Signs"})

    assert [signed("signs"), signed("signs")] == [[1], [2]]


@pytest.mark.parametrize("variable", ["", " ", ",", " , ,"])
def test_an_empty_variable_names_nothing(signed: Any, variable: str) -> None:
    assert signed(variable) == []


@pytest.mark.parametrize("variable", ["signs_a,signs_b", " signs_a , signs_b ", "signs_a,,signs_b,"])
def test_several_are_named_with_commas_and_act_in_that_order(signed: Any, site: Site, variable: str) -> None:
    module(site, "signs_a")
    module(site, "signs_b")

    assert signed(variable) == ["signs_a", "signs_b"]


def test_those_of_the_code_come_first(signed: Any, site: Site) -> None:
    module(site, "signs_a")
    own = wrapper_of("build_response", lambda inner: {**inner, "signed": [*inner.get("signed", []), "the code's"]})

    assert signed("signs_a", own) == ["the code's", "signs_a"]


def test_a_module_that_the_code_passes_as_well_acts_once(signed: Any, site: Site) -> None:
    module(site, "signs_a")
    __import__("signs_a")

    assert signed("signs_a", sys.modules["signs_a"], OnlyWatches()) == ["signs_a"]


def test_a_module_inside_a_package_can_be_named(signed: Any, site: Site) -> None:
    (site.folder / "signing_package").mkdir()
    (site.folder / "signing_package" / "__init__.py").write_text("")
    module(site, "signing_package/inside")

    assert signed("signing_package.inside") == ["signing_package/inside"]


def test_an_installed_name_stands_before_a_module_of_that_name(signed: Any, site: Site) -> None:
    module(site, "signs_a")
    site.install("signing", {"signing_plugin": SIGNS.format(name="installed")}, plugins={"signs_a": "signing_plugin"})

    assert signed("signs_a") == ["installed"]


def refused(core: Core, monkeypatch: pytest.MonkeyPatch, variable: str) -> Any:
    monkeypatch.setenv("BATCHCORE_PLUGINS", variable)
    with pytest.raises(core.PluginLoadError) as caught:
        core.BatchProcessor(ToySource())
    with pytest.raises(core.PluginLoadError):
        core.AsyncBatchProcessor()
    assert isinstance(caught.value, core.PluginError)
    return caught.value


@pytest.mark.parametrize("name", ["no_such_module", "no-such-plugin", "no_such.module", ".relative"])
def test_a_name_that_is_nothing_is_an_error_at_construction(
    fresh: Core, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    error = refused(fresh, monkeypatch, name)

    assert f"BATCHCORE_PLUGINS names {name!r}, which is neither a plugin of an installed package nor a module" in str(
        error
    )
    assert error.plugin == name
    assert error.__cause__ is not None


def test_a_module_that_raises_when_imported_is_an_error_at_construction(
    fresh: Core, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    (site.folder / "raising_module.py").write_text("raise RuntimeError('no licence')")

    error = refused(fresh, monkeypatch, "raising_module")

    assert "RuntimeError: no licence" in str(error)
    assert isinstance(error.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise RuntimeError('no licence')", RuntimeError),
        ("import a_module_that_is_not_there", ModuleNotFoundError),
        ("class Plugin:\n    def __init__(self, key): ...", TypeError),
        ("", AttributeError),
    ],
)
def test_an_installed_plugin_that_does_not_load_is_an_error_at_construction(
    fresh: Core, monkeypatch: pytest.MonkeyPatch, site: Site, code: str, cause: type[Exception]
) -> None:
    site.install("signing", {"broken_plugin": code}, plugins={"signs": "broken_plugin:Plugin"})

    error = refused(fresh, monkeypatch, "signs")

    assert "The plugin 'signs' is installed (signing, broken_plugin:Plugin) and fails to load" in str(error)
    assert cause.__name__ in str(error)
    assert isinstance(error.__cause__, cause)
    assert error.plugin == "signs"


def test_two_packages_that_register_one_plugin_are_both_named(
    fresh: Core, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    site.install("signing-a", {"plugin_a": SIGNS.format(name="a")}, plugins={"signs": "plugin_a"})
    site.install("signing-b", {"plugin_b": SIGNS.format(name="b")}, plugins={"signs": "plugin_b"})

    error = refused(fresh, monkeypatch, "signs")

    assert "Two packages register a plugin named 'signs': signing-a, plugin_a and signing-b, plugin_b" in str(error)
    assert error.plugin == "signs"


def test_a_module_without_a_hook_is_an_error_at_construction(
    fresh: Core, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    (site.folder / "hookless_module.py").write_text("")
    monkeypatch.setenv("BATCHCORE_PLUGINS", "hookless_module")

    with pytest.raises(fresh.PluginError, match="the module hookless_module implements no hook"):
        fresh.BatchProcessor(ToySource())


def test_a_processor_that_is_made_keeps_its_plugins(fresh: Core, monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    module(site, "signs_a")
    processor = fresh.BatchProcessor(ToySource())
    monkeypatch.setenv("BATCHCORE_PLUGINS", "signs_a")

    assert "signed" not in processor.run(toys("car"), play).response


def test_in_a_new_process_the_variable_reaches_every_processor(site: Site) -> None:
    site.install("signing", {"signing_plugin": SIGNS.format(name="installed")}, plugins={"signs": "signing_plugin"})

    seen = site.run(
        """
        import json
        from batchcore import AsyncBatchProcessor, BatchProcessor
        from batchcore_sqs import SqsFifoPartialProcessor
        processors = BatchProcessor("sqs"), BatchProcessor(), AsyncBatchProcessor("sqs"), SqsFifoPartialProcessor()
        print(json.dumps([p.run({"Records": []}, len).response["signed"] for p in processors]))
        """,
        BATCHCORE_PLUGINS="signs",
    )

    assert seen == [["installed"]] * 4
