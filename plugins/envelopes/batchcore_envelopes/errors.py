"""What a record, or a payload, could not be opened for. One tree::

EnvelopeError (also batchcore.BatchcoreError)
├── NotOpenedError (also LookupError)      inside() was asked for what was not opened
├── CompressedDataError (also ValueError)  compressed data that is damaged, cut off or too large
├── AggregateError (also ValueError)       an aggregated record that cannot be taken apart, or was not
├── PayloadError                           a payload in S3 that may not, or could not, be read
└── PayloadsNotDeletedError                payloads of records that are done, which are in S3 still

A record that holds something else than the envelope that was named has failed with ``WrongShapeError`` of
``batchcore.shapes``. None of the errors carries what is in a record.
"""

from __future__ import annotations

from batchcore import BatchcoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class EnvelopeError(BatchcoreError):
    """Something about what lies inside a record."""


class NotOpenedError(EnvelopeError, LookupError):
    """``inside()`` was given a record that nobody has opened, or asked for an envelope that it has not."""


class CompressedDataError(EnvelopeError, ValueError):
    """Compressed data is damaged, cut off, followed by something else, or too large when decompressed."""


class AggregateError(EnvelopeError, ValueError):
    """A record that the Kinesis Producer Library aggregated is broken, or was not taken apart. None of it was tried."""


class PayloadError(EnvelopeError):
    """A payload in S3 may not be read, or could not be.

    Attributes:
        code: AWS's error code, or the class of the exception; None where nothing was asked of S3.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class PayloadsNotDeletedError(EnvelopeError):
    """Payloads of records that are done are in S3 still. Nothing is lost by it.

    Attributes:
        codes: AWS's error code, or the class of the exception, to the number of payloads.
    """

    def __init__(self, message: str, *, codes: Mapping[str, int]) -> None:
        super().__init__(message)
        self.codes = codes
