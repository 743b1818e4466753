"""A folder that holds what a deployed function would see, and nothing else of this environment.

A cold start depends on it: looking for entry points reads the metadata of every distribution there is.
"""

from __future__ import annotations

from importlib import metadata, util
from pathlib import Path

NEEDED = (
    "awslambdaric",
    "snapshot-restore-py",
    "batchcore",
    "batchcore-sqs",
    "pluggy",
    "importlib-metadata",
    "zipp",
    "aws-lambda-powertools",
    "jmespath",
    "typing-extensions",
)
IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "python-dateutil", "six", "simplejson")
"""What the Lambda runtime has besides: linked if it is here."""


def link_into(folder: Path) -> int:
    """Link the distributions of a function into a folder.

    Args:
        folder: an empty folder, for ``PYTHONPATH``.

    Returns:
        How many distributions there are.

    Raises:
        importlib.metadata.PackageNotFoundError: one that is needed is not installed.
    """
    distributions = [metadata.distribution(name) for name in NEEDED]
    for name in IN_THE_RUNTIME:
        try:
            distributions.append(metadata.distribution(name))
        except metadata.PackageNotFoundError:
            continue
    for distribution in distributions:
        for target in _top_level(distribution):
            link = folder / target.name
            if not link.exists():
                link.symlink_to(target)
    return len(distributions)


def _top_level(distribution: metadata.Distribution) -> set[Path]:
    """Return what a distribution put beside its metadata, and the metadata."""
    files = distribution.files or []
    names = {file.parts[0] for file in files}
    found = {Path(str(distribution.locate_file(name))).resolve() for name in names if _is_deployed(name)}
    if any(name.endswith(".pth") for name in names):  # installed in editable form: its package is elsewhere
        package = distribution.metadata["Name"].replace("-", "_")
        spec = util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise metadata.PackageNotFoundError(package)
        found.add(Path(spec.submodule_search_locations[0]).resolve())
    return found


def _is_deployed(name: str) -> bool:
    return name not in ("..", "__pycache__") and not name.endswith(".pth")
