"""What is compared.

Each module has ``prepare(row, logger)``, which makes the function of an event that a user would have. Failures are
logged to the logger, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from benchmarks.events import Event
    from benchmarks.rows import Row

    Process: TypeAlias = Callable[[Event], Any]
    Prepare: TypeAlias = Callable[[Row, logging.Logger | None], Process]


class LambdaContext(NamedTuple):
    """As much of a Lambda context as one-call functions pass on."""

    function_name: str = "benchmark"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:benchmark"
    aws_request_id: str = "5d0e1d4c-8b0c-4a7e-9d61-0a5c2b3d4e5f"


CONTEXT: Any = LambdaContext()
