"""Errors of the kit. One tree::

BatchcoreError
├── NotDrainedError         a simulated source still held records after the most invocations
└── UnknownRecordError      what a test named is nothing that was sent, or was sent more than once
"""

from __future__ import annotations

from batchcore import BatchcoreError


class NotDrainedError(BatchcoreError):
    """The source still held records after the most invocations that a test allows.

    Attributes:
        left: how many.
    """

    def __init__(self, message: str, *, left: int) -> None:
        super().__init__(message)
        self.left = left


class UnknownRecordError(BatchcoreError):
    """What a test named is nothing that was sent, or was sent more than once."""
