"""The seam between the mapping and a kind of source: one driver per source, found by name.

A driver is a callable registered in the entry-point group ``batchcore.local.pollers``; it is called with a connection,
the resource to read from and a batch size, and gives a :class:`Poller`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from batchcore_local.discovery import load_named, read_now
from batchcore_local.errors import AmbiguousPollerError, PollerBrokenError, PollerNotInstalledError
from batchcore_local.response import Reading

GROUP = "batchcore.local.pollers"
"""The entry-point group of the drivers."""


class Connection(Protocol):
    """Where the services are."""

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service. boto3 makes its clients at run time, so they have no type."""
        ...


class Delivery(NamedTuple):
    """One batch on its way to the function.

    Attributes:
        event: the Lambda event.
        identifiers: one per record, as a response names it.
        redelivered: how many of the records had been delivered before.
    """

    event: Mapping[str, Any]
    identifiers: Sequence[str]
    redelivered: int


class Poller(Protocol):
    """What a driver gives: it knows how one kind of source is read and acknowledged."""

    def receive(self) -> Delivery | None:
        """Wait a moment for records. None when none came."""
        ...

    def settle(self, delivery: Delivery, reading: Reading) -> None:
        """Acknowledge what is done; leave what failed, so that the source delivers it again."""
        ...

    def depth(self) -> int:
        """Count the records the source still holds: waiting, delivered and not acknowledged, delayed."""
        ...


class PollerDriver(Protocol):
    """What an entry point of the group must name."""

    def __call__(self, connection: Connection, resource: str, *, batch_size: int) -> Poller:
        """Return a poller.

        Args:
            connection: where the services are.
            resource: what to read: the queue's URL, the stream's name.
            batch_size: the most records of one batch.
        """
        ...


def find_driver(name: str) -> PollerDriver:
    """Find the driver of one kind of source.

    Args:
        name: the source's name, such as ``sqs``.

    Returns:
        The driver.

    Raises:
        PollerNotInstalledError: no installed package offers it.
        PollerBrokenError: its package is installed and fails to load; the cause is chained.
        AmbiguousPollerError: two installed packages offer it.
    """
    offered = read_now(GROUP)
    objects, failures = load_named(GROUP, name, offered.entry_points)
    for target, error in failures.items():
        raise PollerBrokenError(
            f"The poller {name!r} is installed ({target}) and does not load: {type(error).__name__}: {error}", name=name
        ) from error
    if not objects:
        installed = ", ".join(sorted({entry.name for entry in offered.entry_points})) or "none"
        text = f"No poller named {name!r} is installed; installed: {installed}."
        raise PollerNotInstalledError(" ".join([text, *offered.unreadable]), name=name)
    if len(objects) > 1:
        targets = ", ".join(sorted(objects))
        raise AmbiguousPollerError(f"{len(objects)} packages offer the poller {name!r}: {targets}.", name=name)
    (driver,) = objects.values()
    return cast("PollerDriver", driver)
