"""A clock that only tests move, and the Lambda context that tells its time."""

from __future__ import annotations

from typing import Final

START: Final = 1_800_000_000.0
"""When simulated time begins: seconds since 1970. Some moment, always the same."""


class SimulatedClock:
    """Tells a time that goes on only when somebody says so.

    Args:
        now: the time it begins with, in seconds since 1970.
    """

    def __init__(self, now: float = START) -> None:
        self.now = now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: how much, not below 0.

        Raises:
            ValueError: it is below 0.
        """
        if seconds < 0:
            raise ValueError(f"Time does not go back: advance() takes seconds of 0 or more, not {seconds!r}.")
        self.now += seconds

    def __repr__(self) -> str:
        return f"<SimulatedClock at {self.now - START:g} s>"


class SimulatedContext:
    """The Lambda context of one invocation, by a clock of the test's.

    Args:
        timeout: seconds that the function may take.
        clock: tells the time; without one, a new one.
        aws_request_id: the id of the invocation.
        function_name: the name of the function.

    The other attributes are those of the context that Lambda gives.
    """

    def __init__(
        self,
        timeout: float = 30.0,
        clock: SimulatedClock | None = None,
        *,
        aws_request_id: str = "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        function_name: str = "function",
    ) -> None:
        self.clock = SimulatedClock() if clock is None else clock
        self.deadline = self.clock.now + timeout
        self.aws_request_id = aws_request_id
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{function_name}"
        self.memory_limit_in_mb = "128"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef"
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the invocation."""
        return max(0, round((self.deadline - self.clock.now) * 1000))

    def advance(self, seconds: float) -> None:
        """Let time pass: see :meth:`SimulatedClock.advance`."""
        self.clock.advance(seconds)
