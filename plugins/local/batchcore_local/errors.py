"""Errors of the local event source mapping. One tree::

LocalError (also batchcore.BatchcoreError)
├── FunctionNotFoundError        the function that was named cannot be loaded
├── PollerError                  no poller can be had by this name
│   ├── PollerNotInstalledError  no installed package offers it
│   ├── PollerBrokenError        its package is installed and does not load
│   └── AmbiguousPollerError     two packages offer one name
├── SettlementError              the source refused to take back what was done
└── NotDrainedError              there was still work when the time was up
"""

from __future__ import annotations

from batchcore import BatchcoreError


class LocalError(BatchcoreError):
    """Base of all errors of batchcore-local."""


class FunctionNotFoundError(LocalError):
    """The function that was named cannot be loaded. The cause is chained where there is one."""


class PollerError(LocalError):
    """No poller can be had by this name.

    Attributes:
        name: the name that was asked for.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class PollerNotInstalledError(PollerError):
    """No installed package offers a poller of this name."""


class PollerBrokenError(PollerError):
    """The package that offers the poller is installed and does not load. The cause is chained."""


class AmbiguousPollerError(PollerError):
    """Two packages offer a poller of this name."""


class SettlementError(LocalError):
    """The source refused to acknowledge records that were done; it will deliver them again.

    Attributes:
        identifiers: the records in question.
    """

    def __init__(self, message: str, *, identifiers: tuple[str, ...]) -> None:
        super().__init__(message)
        self.identifiers = identifiers


class NotDrainedError(LocalError):
    """There was still work at the source when the time was up.

    Attributes:
        depth: how many records were left.
    """

    def __init__(self, message: str, *, depth: int) -> None:
        super().__init__(message)
        self.depth = depth
