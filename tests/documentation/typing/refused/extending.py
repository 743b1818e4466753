"""Wrong overrides, sources and orderings. Each marked line is an error to both checkers."""

from __future__ import annotations

from typing import Any

from batchcore import BatchProcessor, FailureResponse, Ordering, SuccessResponse, by_key, hookimpl, in_order


class Watching(BatchProcessor):
    def success_handler(self, record: Any) -> SuccessResponse:  # refused
        return "success", None, record

    def failure_handler(self, record: Any, exception: str) -> FailureResponse:  # refused
        return "fail", exception, record


class NoSource:
    name = "parcels"

    @hookimpl(firstresult=True)  # refused
    def claims_event(self, event: Any) -> bool:
        return bool(event)


BatchProcessor(NoSource())  # refused
by_key("street")  # refused
by_key(lambda record: "street", on_failure="ignore")  # refused
in_order(on_failure="ignore")  # refused


class Tighter(Ordering): ...  # refused
