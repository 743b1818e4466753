"""``BatchProcessor`` and ``AsyncBatchProcessor``: how batches are run, and the attributes that show the last one."""

from __future__ import annotations

from types import MethodType

from batchcore.configuration import BasePartialBatchProcessor
from batchcore.entries import fail_entry
from batchcore.errors import ConfigurationError, HandlerSignatureError
from batchcore.handler import Binding, name_of, plainly_wrapped, shown_code
from batchcore.outcome import exception_info
from batchcore.partial import BasePartialProcessor
from batchcore.road import answer_to, conclude, finish, run_lanes, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from concurrent.futures import Executor
    from typing import Any, NoReturn

    from batchcore.invocation import Invocation
    from batchcore.messages import Messages
    from batchcore.result import BatchResult
    from batchcore.types import ExceptionInfo, FailureResponse, SuccessResponse


class BatchProcessor(BasePartialBatchProcessor):
    """Processes the records of a batch and reports those that failed.

    Use it with :func:`process_partial_response`, as a context manager, or with :meth:`run`. It is configuration: it may
    be made once, at module level, and shared by threads.

    Override :meth:`success_handler` or :meth:`failure_handler` to watch what happens. Overrides never decide outcomes:
    the response comes from what the record handler did. One exception: if ``success_handler()`` raises, its record
    failed.

    The arguments are those of :class:`BasePartialBatchProcessor`.
    """

    max_concurrency = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ != __name__:  # those of this file override nothing dead
            from batchcore.options import refuse_dead_overrides

            refuse_dead_overrides(cls, BatchProcessor)

    def success_handler(self, record: Any, result: Any) -> SuccessResponse:
        """Override it to watch records that succeed. If it raises, the record failed.

        Args:
            record: the raw record.
            result: what the record handler returned.

        Returns:
            The entry ``("success", result, record)``; what an override returns changes nothing.
        """
        return "success", result, record

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Override it to watch records that fail, those not attempted included. If it raises, that is logged.

        Args:
            record: the record as its handler got it (view or model); its view where it was not validated.
            exception: what :func:`sys.exc_info` gives, here as well.

        Returns:
            The entry ``("fail", "<class '...'>:...", record)``; what an override returns changes nothing.
        """
        return fail_entry(exception, record)

    @property
    def success_messages(self) -> list[Any]:  # type: ignore[override]  # read from the batch, not kept here
        """The raw records of the batch that succeeded, in its order."""
        return self._messages().succeeded

    @property
    def fail_messages(self) -> list[Any]:  # type: ignore[override]  # read from the batch, not kept here
        """The typed records of the batch that failed, in its order."""
        return self._messages().failed

    @property
    def exceptions(self) -> list[ExceptionInfo]:  # type: ignore[override]  # read from the batch, not kept here
        """What they failed with. Tracebacks are there until the batch is answered."""
        return self._messages().exceptions

    def _set_up(self, logger: logging.Logger | None) -> None:
        self.logger = logger

    def _run_sync(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        # What _through() does, without the calls: a batch of ten records feels each of them.
        invocation = self._begin(event, None, record_handler, context, measures)
        try:
            if invocation.observing is not None:
                start(invocation)
            if invocation.settings.is_plain:
                self._drive(invocation)
            else:
                self._run_lanes(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        try:
            finish(invocation)
        finally:
            self._current.ended(invocation)
        return invocation

    def _run_async(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        self._refuse_async()

    def _messages(self) -> Messages:
        invocation = self._current.get()
        from batchcore.messages import Messages

        if invocation is None:
            return Messages()
        if invocation.messages is None:
            invocation.messages = Messages()
        messages: Messages = invocation.messages
        return messages.up_to_date(invocation)

    def _handler_call(self, invocation: Invocation, handler: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
        known, binding = self._bound
        if binding is None or known is not handler:
            binding = self._binding_of(handler)
            self._bound = (handler, binding)  # set at once: threads may share the processor
        if binding.asks or binding.needs:
            invocation.binding = binding
        return binding.with_context(context) if binding.takes_context else binding.plain

    _bound: tuple[object, Binding | None] = (None, None)

    def _binding_of(self, handler: Callable[..., Any]) -> Binding:
        """Give the binding made before, where a plugin wraps handlers: it may keep something, and is asked once."""
        if not self._plugins.wrap_handler:
            return self._bind(handler)
        known: list[tuple[object, Binding]] = self.__dict__.setdefault("_wrapped_handlers", [])
        for seen, binding in known:
            if _is_same(seen, handler):
                return binding
        binding = self._bind(handler)
        known.append((handler, binding))
        del known[:-_WRAPPED_HANDLERS]
        return binding

    def _bind(self, handler: Callable[..., Any]) -> Binding:
        wrapped = handler
        for wrap in self._plugins.wrap_handler:
            wrapped = wrap(wrapped)
        binding = Binding(wrapped)
        self._check_handler(binding)
        return binding

    def _check_handler(self, binding: Binding) -> None:
        if binding.is_coroutine_function:
            raise HandlerSignatureError(
                f"{type(self).__name__} calls its handler synchronously and was given a coroutine function. Use "
                "AsyncBatchProcessor with async_process_partial_response()."
            )

    def _attach(self, invocation: Invocation) -> None:
        cls, own = type(self), self.__dict__
        if cls.success_handler is not _SUCCESS_HANDLER or "success_handler" in own:
            invocation.on_success = self.success_handler
        if cls.failure_handler is not _FAILURE_HANDLER or "failure_handler" in own:
            invocation.on_failure = self.failure_handler
        if invocation.binding is not None and not self._plugins.before_records:
            from batchcore.arguments import bind_arguments

            bind_arguments(invocation, {})

    def _open(self, invocation: Invocation) -> None:
        start(invocation)

    def _close(self, invocation: Invocation, raising: bool = False) -> None:
        self._finish(invocation, raising)

    def _drive(self, invocation: Invocation) -> None:
        if self.max_concurrency == 1 and self.executor is None:
            run_lanes(invocation)
        else:
            from batchcore import threads

            threads.run_lanes(invocation, self._threads, self.executor)

    @property
    def _threads(self) -> int | None:
        """How many worker threads, at most; an executor has as many as it has, unless a number was asked for."""
        return self._asked_concurrency if self.executor is not None else self.max_concurrency

    def _wait_for_lanes(self, invocation: Invocation) -> None:
        self._refuse_async()

    async def _await_lanes(self, invocation: Invocation, in_this_task: bool = False) -> None:
        self._refuse_async()

    def _refuse_async(self) -> NoReturn:
        raise ConfigurationError(
            f"{type(self).__name__} is called synchronously: use process_partial_response() or process(). For async "
            "handlers use AsyncBatchProcessor; it keeps a .fifo queue in order by itself."
        )

    def _entries(self, invocation: Invocation) -> list[Any]:
        records, failures = invocation.records, invocation.failures
        entries: list[Any] = []
        for position, value in enumerate(invocation.values):
            failure = failures.get(position)
            if failure is None:
                entries.append(("success", value, records[position]))
            else:
                entries.append(
                    fail_entry(
                        exception_info(invocation.failure(position, failure).exception), invocation.typed(position)
                    )
                )
        return entries


_WRAPPED_HANDLERS = 32  # a handler made anew for each batch must not be kept for good


def _is_same(handler: object, other: object) -> bool:
    """Say whether two are one handler: a bound method is a new object each time it is named."""
    if isinstance(handler, MethodType) and isinstance(other, MethodType):
        return handler.__self__ is other.__self__ and handler.__func__ is other.__func__
    return handler is other


_SUCCESS_HANDLER, _FAILURE_HANDLER = BatchProcessor.success_handler, BatchProcessor.failure_handler


class AsyncBatchProcessor(BatchProcessor):
    """Processes the records of a batch concurrently, as asyncio tasks, and reports those that failed.

    Use it with :func:`async_process_partial_response`, as a context manager with :meth:`async_process`, or inside a
    running event loop with :meth:`arun`. Lanes run side by side, each in its order: a ``.fifo`` queue stays in order.
    The handler may be a plain function as well; it blocks the loop while it runs.

    The arguments are those of :class:`BasePartialBatchProcessor`.
    """

    max_concurrency = 100

    _awaits = True

    def run(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult:
        """Process a whole event on an event loop that lives as long as the process. See :meth:`BatchProcessor.run`."""
        return self._run_async(event, record_handler, context, measures=True).result

    async def arun(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult:
        """Process a whole event inside a running event loop. See :meth:`BatchProcessor.run`."""
        invocation = self._begin(event, None, record_handler, context, measures=True)
        try:
            self._open(invocation)
            await self._await_lanes(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        from batchcore import aio
        from batchcore.ending import after_answer

        try:
            invocation.response = answer_to(invocation)
            invocation.finished = True
            await aio.make(invocation, after_answer(invocation))
            conclude(invocation)
        finally:
            self._current.ended(invocation)
        return invocation.result

    def _check_handler(self, binding: Binding) -> None:
        """Refuse a plain function round a coroutine function: most do with the coroutine what a value is good for."""
        wrapped = plainly_wrapped(binding.handler)
        if wrapped is not None:
            raise HandlerSignatureError(
                f"{name_of(wrapped)} is a coroutine function in a plain decorator: {shown_code(binding.handler)}. What "
                "it returns is a coroutine to the decorator, which would keep, write down or drop it in place of the "
                "result. Use a decorator for coroutine functions, whose wrapper is an `async def` that awaits. If it "
                "does no more than return the coroutine, mark it: inspect.markcoroutinefunction(wrapper), from Python "
                "3.12 on."
            )

    def _checked_executor(self, executor: Any, max_concurrency: int | None) -> Executor | None:
        if executor is not None:
            raise ConfigurationError(
                f"{type(self).__name__} runs tasks, not threads, so it takes no executor. max_concurrency= limits "
                "them; for threads use BatchProcessor."
            )
        return None

    def _run_async(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        return self._through(self._begin(event, None, record_handler, context, measures), self._wait_for_lanes)

    def _run_sync(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        self._refuse_sync()

    def _run_lanes(self, invocation: Invocation) -> None:
        self._refuse_sync()

    def _refuse_sync(self) -> NoReturn:
        raise ConfigurationError(
            f"{type(self).__name__} is called asynchronously: use async_process_partial_response(), async_process() or "
            "`await processor.aprocess()`."
        )

    def _wait_for_lanes(self, invocation: Invocation) -> None:
        BasePartialProcessor._wait_for_lanes(self, invocation)

    async def _await_lanes(self, invocation: Invocation, in_this_task: bool = False) -> None:
        await BasePartialProcessor._await_lanes(self, invocation, in_this_task)

    async def _drive_async(self, invocation: Invocation, in_this_task: bool) -> None:
        from batchcore import aio

        await aio.run_lanes(invocation, self.max_concurrency, in_this_task)
