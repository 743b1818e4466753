"""RabbitMQ's headers and dates as AWS writes them: what Gson makes of the classes of RabbitMQ's Java client.

====================  ==================================  =============================================================
sent                  in the event                        decoded
====================  ==================================  =============================================================
text                  ``{"bytes": [-61, -87]}``           the text; bytes where they are not UTF-8
bytes                 ``[-61, -87]``                      as they are: a list of such numbers looks the same
a table               an object                           a dictionary, decoded inside
a list                a list                              a list, decoded inside
a date                ``"Jan 1, 1970, 12:33:41 AM"``      as it is: see :func:`decode_date`
a number, true, null  as they are                         as they are
====================  ==================================  =============================================================
"""

from __future__ import annotations

from batchcore.records import is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any, TypeGuard


def decode_headers(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return headers with text in the place of the bytes that AWS writes for it, at every depth; empty of None.

    A table with the one key ``bytes`` and a list of small numbers, inside of a header, cannot be told from text, and is
    read as text. A list of numbers may have been bytes, and stays a list.

    Args:
        headers: ``basicProperties.headers`` of a raw message.
    """
    return {name: _decoded(value) for name, value in headers.items()} if is_object(headers) else {}


def _decoded(value: Any) -> Any:
    if _is_list(value):
        return [_decoded(each) for each in value]
    if not is_object(value):
        return value
    if len(value) == 1 and "bytes" in value and _is_signed_bytes(value["bytes"]):
        data = bytes(number & 0xFF for number in value["bytes"])
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data
    return {name: _decoded(each) for name, each in value.items()}


def _is_signed_bytes(value: object) -> TypeGuard[Sequence[int]]:
    return _is_list(value) and all(type(each) is int and -128 <= each <= 127 for each in value)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def decode_date(text: str) -> datetime:
    """Return a date that AWS wrote as text, such as ``Jan 1, 1970, 12:33:41 AM``, to the second and without a zone.

    The text has none: it is the wall clock of the machine that wrote it. Nobody says which that is.

    Raises:
        ValueError: it is no such date.
    """
    import re
    from datetime import datetime

    # Java wrote no comma behind the year before 9, and writes a narrow space before AM since 20: \s is both.
    found = re.fullmatch(r"(\w{3}) (\d\d?), (\d{4}),? (\d\d?):(\d\d):(\d\d)\s([AP])M", text)
    if found is not None and found[1] in _MONTHS:
        hour = int(found[4]) % 12 + (12 if found[7] == "P" else 0)
        day = int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2])
        try:
            return datetime(*day, hour, int(found[5]), int(found[6]))  # noqa: DTZ001 - there is no zone to give
        except ValueError:
            pass
    raise ValueError("A date of RabbitMQ's is text as in Jan 1, 1970, 12:33:41 AM, and this is something else.")
