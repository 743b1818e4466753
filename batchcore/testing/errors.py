"""Errors of the kit. One tree::

BatchcoreError
├── NotDrainedError         a simulated source still held records after the most invocations
└── UnknownRecordError      nothing was sent that what a test named could be
"""

from __future__ import annotations

from batchcore.errors import BatchcoreError


class NotDrainedError(BatchcoreError):
    """The source still held records after the most invocations that a test allows.

    Attributes:
        left: how many.
    """

    def __init__(self, message: str, *, left: int) -> None:
        super().__init__(message)
        self.left = left


class UnknownRecordError(BatchcoreError):
    """Nothing was sent that this could be."""
