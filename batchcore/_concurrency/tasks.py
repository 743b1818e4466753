"""Lanes as asyncio tasks, side by side, each in order. Importing this imports asyncio."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar, copy_context
from types import CoroutineType

from batchcore._concurrency.lanes import abandon, all_lanes, next_lanes, skip_the_rest
from batchcore._concurrency.loops import Interruption, complete
from batchcore._extensions.dead_letters import book_of, deliver_in_lane, delivered
from batchcore.callables import is_awaitable, type_name
from batchcore.errors import OutOfTimeError, raise_if_steering
from batchcore.ledger import NOT_PROCESSED, plain_kind
from batchcore.plan import Around
from batchcore.source import quick_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator
    from typing import Any

    from batchcore._concurrency.lanes import Lane, Single
    from batchcore.ledger import Ledger
    from batchcore.plan import Run


async def run_in_tasks(run: Run, max_concurrency: int, interruption: Interruption | None) -> None:
    """Run the lanes side by side, each in order and as a task of its own.

    When the time is up, tasks are cancelled; one that does not end then is abandoned.

    Args:
        run: the batch.
        max_concurrency: how many lanes run at a time, at most.
        interruption: tells of an interrupt, where the task of the caller was made for this batch: the first lane may
            run in it. None in a task of the user's.
    """
    ledger, has_limit, mine = run.batch._ledger, run.plan.stop_before is not None, object()
    ledger.open_all()
    in_this_task = interruption is not None
    others = None if _CONTEXTS_ARE_SHOWN else _all_tasks()
    if has_limit:
        ledger.running = set()
    lanes = all_lanes(run, ledger)
    while ledger.count:
        tasks = _Tasks(run, ledger, lanes, max_concurrency, mine, interruption or Interruption())
        try:
            all_ended = await tasks.run(in_this_task and not has_limit)
        except BaseException:
            if ledger.is_closed:  # by tasks that are left: they write into a ledger that is nobody's any more
                run.batch._ledger = ledger.close()
            raise
        if not all_ended:
            abandon(run, ledger)
            break
        going_on = [] if ledger.dead_letters is None else await complete(run, next_lanes(run, ledger))
        if not going_on:
            break
        lanes = iter(going_on)
    if run.batch._ledger.stop is not None:
        skip_the_rest(run, run.batch._ledger)
    _warn_of_tasks(run, mine, others if in_this_task or others is None else _all_tasks())


_made_for: ContextVar[object] = ContextVar("batchcore_made_for")
"""What tasks that handlers start have in their context: whose handlers."""

_CONTEXTS_ARE_SHOWN = sys.version_info >= (3, 12)


def _warn_of_tasks(run: Run, mine: object, others: set[asyncio.Task[Any]] | None) -> None:
    """Warn of tasks that handlers have started and not awaited.

    They are not waited for, and fail nobody: some are a client's own, which keep a connection and never end. Where
    Python does not show the context of a task, every task that is new on a loop of our own is a handler's.
    """
    left = [task for task in _all_tasks() if not _is_ending(task) and _is_left(task, mine, others)]
    if left:
        run.report.tasks_left(sorted(map(_name_of_task, left)))


def _all_tasks() -> set[asyncio.Task[Any]]:
    """Return all tasks of the loop. To ask asyncio twice, where there is but this, is a fifth of a batch of one."""
    task = asyncio.current_task() if _registered is not None and len(_registered) == 1 else None
    return asyncio.all_tasks() if task is None else {task}


_registered: Any = getattr(asyncio.tasks, "_all_tasks", None)  # those of any loop, on Python 3.11 and older


def _is_ending(task: Any) -> bool:
    return task.done() or (sys.version_info >= (3, 11) and task.cancelling() > 0)


def _is_left(task: Any, mine: object, others: set[asyncio.Task[Any]] | None) -> bool:
    return task.get_context().get(_made_for) is mine if others is None else task not in others


def _name_of_task(task: asyncio.Task[Any]) -> str:
    coroutine: Any = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    name = getattr(coroutine, "__qualname__", None) or type_name(coroutine)
    if not task.get_name().startswith("Task-"):
        name = f"{task.get_name()}: {name}"
    return name if code is None else f"{name} ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"


class _Tasks:
    """Runs lanes in tasks, a limited number at a time.

    A lane has a context of its own, and a task as good as its own: a task takes a further lane only if nothing can
    tell, when none before it has waited for anything, nor asked to be cancelled. So handlers that find their data in
    memory cost a tenth of a task each. Wherever a handler waits, further tasks start.
    """

    def __init__(
        self,
        run: Run,
        ledger: Ledger,
        lanes: Iterator[Lane | Single],
        limit: int,
        mine: object,
        interruption: Interruption,
    ) -> None:
        self._run = run
        self._ledger = ledger
        self._interruption = interruption
        self._limit = limit
        self._waiting = lanes
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._context.run(_made_for.set, mine)
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._cancelling = False
        self._broken: BaseException | None = None
        self._here = 0  # how many lanes run in the driver's own task
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, in_this_task: bool) -> bool:
        """Run them all. Return whether all have ended: those that have not when the time is up are abandoned."""
        try:
            if self._run.plan.stop_before is not None:
                self._watch_time()
            if in_this_task:
                await self._run_here()
            self._start_task()
            if self._tasks or self._ended.done():
                await self._ended
            if self._broken is not None:
                raise self._broken
        except BaseException as error:
            if isinstance(error, GeneratorExit) and not self._loop.is_running():
                raise  # thrown away with its loop: nothing can be waited for
            self._cancelling = True
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                clock = self._run.clock
                await asyncio.wait(self._tasks, timeout=None if clock is None else clock.until_response())
                self._leave_tasks()
            raise
        finally:
            if self._timer is not None:
                self._timer.cancel()
        return not self._tasks

    def _watch_time(self) -> None:
        """Cancel what runs when the time is up, and abandon it a little later."""
        clock = self._run.clock
        seconds = None if clock is None else clock.until_stop()
        if clock is None or seconds is None:
            return
        if not clock.is_up():
            self._timer = self._loop.call_later(max(seconds, 0.001), self._watch_time)  # a clock counts milliseconds
            return
        self._ledger.stop = "time"
        for task in self._tasks:
            task.cancel()
        self._timer = self._loop.call_later(clock.until_response() or 0, self._give_up)

    def _leave_tasks(self) -> None:
        """Let nobody wait for what still runs: not asyncio.run() as it ends, and not a warning."""
        for task in self._tasks:
            if task.done():
                continue
            self._ledger.is_closed = True
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather() does for its own
            asyncio._unregister_task(task)

    def _give_up(self) -> None:
        self._leave_tasks()
        if not self._ended.done():
            self._ended.set_result(None)

    async def _run_here(self) -> None:
        """Run the first lane in the driver's own task. A handler that asked its task to end has not meant the batch."""
        self._here = 1
        await self._run_lanes(next(self._waiting, None))
        self._here = 0
        if _cancelling_of(asyncio.current_task())():
            await self._absorb_cancellation()

    async def _absorb_cancellation(self) -> None:
        """Take what a handler that cancelled its own task has left for the next record. The batch's is passed on."""
        task: Any = asyncio.current_task()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self._is_ending():
                raise
        if sys.version_info >= (3, 11) and not self._is_ending():
            while task.cancelling():
                task.uncancel()

    def _start_task(self) -> None:
        """Start a task for the lanes that wait, if another may run."""
        if len(self._tasks) + self._here < self._limit and not self._is_ending() and self._ledger.stop is None:
            for lane in self._waiting:
                # In the batch's context, not in that of the lane which has come to wait.
                # A task of asyncio's own kind: one that a loop starts at once would run inside that of the lane before.
                task: asyncio.Task[None] = self._context.run(asyncio.Task, self._run_lanes(lane), loop=self._loop)
                self._tasks.add(task)
                task.add_done_callback(self._task_ended)
                return

    def _start_tasks(self) -> None:
        """Start two tasks where one has come to wait: as many as may run are running a few turns of the loop later."""
        self._start_task()
        self._start_task()

    def _is_ending(self) -> bool:
        """Whether a cancellation is the batch's, not one that a handler brought upon itself."""
        return self._cancelling or self._interruption.has_come

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._is_ending() and not self._ended.done():
            self._broken = error  # it steers whoever runs the function, or is a fault of ours: no response at all
            self._ended.set_result(None)
        self._start_task()
        if not self._tasks and not self._here and not self._ended.done():
            self._ended.set_result(None)

    async def _deliver(self, position: int) -> None:
        """Deliver a dead letter before the next record of its lane starts."""
        try:
            await complete(self._run, deliver_in_lane(self._run, self._ledger, position))
        except asyncio.CancelledError:
            if self._is_ending():
                raise
            problem = OutOfTimeError("The time was up before it was delivered.")
            delivered(self._run, self._ledger, position, problem)

    async def _run_lanes(  # noqa: C901, PLR0912, PLR0915 - one loop: each further coroutine would cost every record
        self, lane: Lane | Single | None
    ) -> None:
        """Run a lane, and further ones as long as nothing can tell: the twin of the loop in the engine."""
        batch, ledger, interruption = self._run, self._ledger, self._interruption
        decode: Any = batch.decode
        mend, around = batch.plan.mend, batch.around or Around()
        prepare, on_success, observers, scope = around.prepare, around.on_success, around.observers, around.scope
        view = quick_class(decode) if prepare is None and type(decode) is type else None
        scoping = observers if observers is not None and observers.watches_records else None
        known_kind: type = type(None)
        failed_before = around.failed_before or ()
        scopes: Any = None
        waited, cancelling = False, _cancelling_of(asyncio.current_task())
        while lane is not None:
            call = batch.call if scope is None else scope(batch, ledger, lane.at, True)
            for record in lane:
                position = lane.position
                if self._ledger.stop is not None or self._cancelling or interruption.has_come:
                    return
                data: Any = NOT_PROCESSED
                run = self._context.copy().run
                try:
                    if view is not None:
                        data = view()
                        data.raw_event = record
                    else:
                        prepared = record
                        if prepare is not None:
                            prepared = run(prepare, record)
                            if is_awaitable(prepared):
                                waited = True
                                self._start_tasks()
                                prepared = await _in_context(prepared, run)
                        data = run(decode, prepared) if mend is None else run(_validated, mend, decode, prepared)
                    if scoping is not None and position not in failed_before:
                        scopes = run(scoping.enter, position)
                    value: Any = run(call, data)
                    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]  # a value is Any
                    if kind is CoroutineType:
                        try:
                            waits_for = run(value.send, None)
                        except StopIteration as returned:
                            value = returned.value
                        else:
                            waited = True
                            self._start_tasks()
                            value = await _Resumed(value, run, waits_for)
                    elif kind is not known_kind and is_awaitable(value):
                        waited = True
                        self._start_tasks()
                        value = await _in_context(value, run)
                    if type(value) is not known_kind:
                        known_kind = plain_kind(value)
                    if on_success is not None and not ledger.is_closed:
                        run(on_success, record, value)
                except BaseException as error:
                    cancelled = False
                    try:
                        if not issubclass(type(error), Exception):  # an Exception is none of these: 6 % of a failure
                            if isinstance(error, GeneratorExit) and not self._loop.is_running():
                                raise  # this coroutine is being thrown away; what has not finished is no success
                            cancelled = isinstance(error, asyncio.CancelledError)
                            if cancelled and self._is_ending():
                                raise
                            raise_if_steering(error)
                        # Whatever a handler makes of its cancellation, it had no time.
                        run(batch.fail, ledger, position, data, _cut_short(error) if ledger.stop == "time" else error)
                        if cancelled:
                            waited = True
                            # If all is being cancelled, the driver learns of it first.
                            await self._absorb_cancellation()
                        book = None if ledger.is_closed else book_of(ledger)
                        if book is not None and position in book.in_lanes:
                            waited = True
                            self._start_tasks()
                            await _in_context(self._deliver(position), run)
                    finally:
                        if scoping is not None and scopes:
                            run(scoping.leave, scopes, error)
                            scopes = None
                else:
                    ledger.succeed(position, value)
                    if observers is not None:
                        try:
                            if not ledger.is_closed:
                                run(observers.record_finished, position)
                        finally:
                            if scoping is not None and scopes:
                                run(scoping.leave, scopes, None)
                                scopes = None
                if cancelling():
                    waited = True
                    await self._absorb_cancellation()
            if waited:
                return
            lane = next(self._waiting, None)


def _validated(mend: Callable[..., Any], validate: Callable[[Any], Any], record: Any) -> Any:
    """Return the model of a record, looked at again where it was refused."""
    try:
        return validate(record)
    except ValueError as error:
        refused = error
    return mend(validate, record, refused)  # out of the guard, so that it is not chained to what is raised


class _Resumed:
    """Goes on in its context with a coroutine that has been started, and waits for something."""

    __slots__ = ("_coroutine", "_run", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], run: Callable[..., Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._run = run
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, run, waits_for = self._coroutine, self._run, self._waits_for
        while True:
            try:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as thrown:
                    waits_for = run(coroutine.throw, thrown)
                else:
                    waits_for = run(coroutine.send, sent)
            except StopIteration as returned:
                return returned.value


def _cut_short(raised: BaseException) -> BaseException:
    """Return what a handler failed with that was cancelled because the time was up."""
    error = OutOfTimeError("It was cancelled when the time of the invocation was nearly up.")
    if not isinstance(raised, asyncio.CancelledError):
        error.__cause__ = raised
    return BaseException.with_traceback(error, raised.__traceback__)


async def _in_context(value: Any, run: Callable[..., Any]) -> Any:
    """Await something in a context."""

    async def wait() -> Any:
        return await value

    waiting = wait()
    try:
        waits_for = run(waiting.send, None)
    except StopIteration as returned:
        return returned.value
    return await _Resumed(waiting, run, waits_for)


def _cancelling_of(task: Any) -> Callable[[], int]:
    """Return a function that tells whether a task has been asked to end, which its next lane would have to bear."""
    if sys.version_info >= (3, 11):
        counted: Callable[[], int] = task.cancelling
        return counted
    return lambda: int(task._must_cancel)  # Python 3.10 counts none; this one has not been delivered yet
