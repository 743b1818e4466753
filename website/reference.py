"""The pages of the reference: what each package offers, and the hooks, from their docstrings."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from website import pages

ROOT = Path(__file__).resolve().parents[1]
FIRST = (
    "BatchProcessor",
    "AsyncBatchProcessor",
    "process_partial_response",
    "async_process_partial_response",
    "EventType",
)
"""What nearly every function needs of the core: it stands before the others of its group."""

HOOKS = ("SourceHooks", "ExtensionHooks", "ObserverHooks")
GROUPS = {
    "Processors": ("processors", "_base", "_classic"),
    "Results": ("results",),
    "Batches and orderings": ("model",),
    "Dispositions": ("dispositions",),
    "Sources and plugins": ("callables", "source", "records", "hookspecs"),
    "Types": ("types",),
}
"""What the core offers, by the modules that it comes from. Its errors have a page of their own."""

MODULES = ("models", "avro", "protobuf")
"""Modules that are imported by their own names, where a package has them."""


def packages() -> dict[str, Path]:
    """Return every package with its folder, the core first."""
    folders = [ROOT / "batchcore", *sorted(ROOT.glob("plugins/*/batchcore_*"))]
    return {folder.name: folder for folder in folders}


def navigation() -> list[Any]:
    """Return the entries of the reference in the navigation."""
    package_pages = [{name: f"reference/{name}.md"} for name in packages() if name != "batchcore"]
    return [
        {
            "API": [
                {"batchcore": "reference/batchcore.md"},
                {"Errors of batchcore": "reference/errors.md"},
                {"Hooks of batchcore": "reference/hooks.md"},
                *package_pages,
            ]
        },
        {"Packages": [{f"batchcore-{name}": f"packages/{name}.md"} for name in pages.PACKAGES]},
        {"Templates": "templates.md"},
        {"Changes": "changes.md"},
    ]


def generated() -> dict[str, str]:
    """Return the pages, by their names on the site."""
    folders = packages()
    offered = {package: public_names(folder) for package, folder in folders.items()}
    core = offered.pop("batchcore")
    written = {
        "reference/hooks.md": page("Hooks", [f"batchcore.hookspecs.{name}" for name in HOOKS]),
        "reference/errors.md": page("Errors", of_modules(core, ("errors",))),
        "reference/batchcore.md": page(
            "`batchcore`", {group: of_modules(core, modules) for group, modules in GROUPS.items()}
        ),
    }
    for package, names in offered.items():
        modules = [name for name in MODULES if any(folders[package].glob(f"{name}*"))]
        written[f"reference/{package}.md"] = page(f"`{package}`", [f"{package}.{name}" for name in (*names, *modules)])
    return written


def of_modules(offered: Mapping[str, str], modules: Sequence[str]) -> list[str]:
    """Return what the core offers of some modules, in the order of the modules."""
    names = [name for module in modules for name, of in offered.items() if of == f"batchcore.{module}"]
    first = [name for name in FIRST if name in names]
    return [f"batchcore.{name}" for name in (*first, *(name for name in names if name not in first))]


def page(title: str, names: Sequence[str] | Mapping[str, Sequence[str]]) -> str:
    """Return a page of the reference: of names, or of groups of names under headings."""
    groups = names if isinstance(names, Mapping) else {"": names}
    # Who searches for a word wants what explains it, before what has it for a name.
    parts = ["---\nsearch:\n  boost: 0.3\n---", f"# {title}"]
    for heading, group in groups.items():
        parts += [f"## {heading}"] if heading else []
        level = 3 if heading else 2
        parts += [f"::: {name}\n    options:\n      heading_level: {level}" for name in group]
    return "\n\n".join(parts) + "\n"


def public_names(folder: Path) -> dict[str, str]:
    """Return the names that a package offers, each with the module that it comes from."""
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    origin = {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    (listed,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return {name: origin.get(name, folder.name) for name in listed}
