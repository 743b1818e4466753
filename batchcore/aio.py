"""The asyncio twin of the driver in :mod:`batchcore.road`, and of what makes calls in :mod:`batchcore.calls`.

Importing this imports asyncio, so nothing does before an async batch runs.
"""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar, copy_context
from types import CoroutineType

from batchcore.around import around
from batchcore.delivering import deliver_in_lane, ended
from batchcore.errors import OutOfTimeError, UnawaitedResultError, kind_of, raise_if_steering
from batchcore.handler import discard, is_awaitable, is_coroutine_function
from batchcore.lanes import all_lanes, next_lanes, skip_the_rest
from batchcore.left_behind import for_workers, leave_behind, take_over
from batchcore.outcome import NOT_PROCESSED
from batchcore.road import plain_kind
from batchcore.steps import after_records, before_records, take_back
from batchcore.view import quick_class
from batchcore.workers import left_behind, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
    from typing import Any, TypeGuard

    from batchcore.calls import Answer, Call, Calls, T
    from batchcore.invocation import Invocation
    from batchcore.lanes import Place
    from batchcore.observing import Scopes


async def run_lanes(invocation: Invocation, max_concurrency: int, in_this_task: bool = False) -> None:
    """Run the lanes side by side, each in order and as a task of its own.

    When the time is up, tasks are cancelled; one that does not end then is left behind.

    Args:
        invocation: the batch.
        max_concurrency: how many lanes run at a time, at most.
        in_this_task: whether the first of them may run in the task of the caller, which was made for this batch.
    """
    has_limit = invocation.settings.stop_before is not None
    mine = object()
    others = None if _CONTEXTS_ARE_SHOWN else asyncio.all_tasks()
    workers = for_workers(invocation, None) if has_limit else invocation
    some = iter(all_lanes(workers))
    while invocation.values:
        if not await _Lanes(invocation, workers, some, max_concurrency, mine).run(in_this_task and not has_limit):
            leave_behind(invocation, workers)
            break
        going_on = [] if workers.letters is None else await make(workers, next_lanes(workers))
        if not going_on:
            if has_limit:
                take_over(invocation, workers)
            break
        some = iter(going_on)
    if invocation.stopped:
        skip_the_rest(invocation)
    _warn_of_tasks(invocation, mine, others if in_this_task or others is None else asyncio.all_tasks())


_made_for: ContextVar[object] = ContextVar("batchcore_made_for")
"""What tasks that handlers start have in their context: whose handlers."""

_CONTEXTS_ARE_SHOWN = sys.version_info >= (3, 12)


def _warn_of_tasks(invocation: Invocation, mine: object, others: set[asyncio.Task[Any]] | None) -> None:
    """Warn of tasks that handlers have started and not awaited.

    They are not waited for, and fail nobody: some are a client's own, which keep a connection and never end. Where
    Python does not show the context of a task, every task that is new on a loop of our own is a handler's.
    """
    left = [task for task in asyncio.all_tasks() if not _is_ending(task) and _is_left(task, mine, others)]
    if left:
        invocation.report.tasks_left(sorted(map(_name_of_task, left)))


def _is_ending(task: Any) -> bool:
    return task.done() or (sys.version_info >= (3, 11) and task.cancelling() > 0)


def _is_left(task: Any, mine: object, others: set[asyncio.Task[Any]] | None) -> bool:
    if others is not None:
        return task not in others
    return task.get_context().get(_made_for) is mine


def _name_of_task(task: asyncio.Task[Any]) -> str:
    coroutine: Any = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    name = getattr(coroutine, "__qualname__", None) or kind_of(coroutine)
    if not task.get_name().startswith("Task-"):
        name = f"{task.get_name()}: {name}"
    return name if code is None else f"{name} ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"


class _Lanes:
    """Runs lanes in tasks, a limited number at a time.

    A lane has a context of its own, and a task as good as its own: a task takes a further lane only if nothing can
    tell, when none before it has waited for anything, nor asked to be cancelled. So handlers that find their data in
    memory cost a tenth of a task each. Wherever a handler waits, further tasks start.
    """

    def __init__(
        self, batch: Invocation, invocation: Invocation, some: Iterator[Iterable[Place]], limit: int, mine: object
    ) -> None:
        self._batch = batch
        self._invocation = invocation
        self._limit = limit
        self._waiting = some
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._context.run(_made_for.set, mine)
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._cancelling = False
        self._broken: BaseException | None = None
        self._here = 0  # how many lanes run in the driver's own task
        self._timer: asyncio.TimerHandle | None = None
        self._scoped = around(invocation, awaits=True) if invocation.held_open else None

    async def run(self, in_this_task: bool) -> bool:
        """Run them all. Say whether all have ended: those that have not when the time is up are given up."""
        try:
            if self._invocation.settings.stop_before is not None:
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
                clock = self._invocation.clock
                await asyncio.wait(self._tasks, timeout=None if clock is None else clock.until_answer())
                self._leave_tasks()
            raise
        finally:
            if self._timer is not None:
                self._timer.cancel()
        return not self._tasks

    def _watch_time(self) -> None:
        """Cancel what runs when the time is up, and give it up a little later."""
        clock = self._invocation.clock
        seconds = None if clock is None else clock.until_stop()
        if clock is None or seconds is None:
            return
        if not clock.is_up():
            self._timer = self._loop.call_later(max(seconds, 0.001), self._watch_time)  # a clock counts milliseconds
            return
        self._invocation.time_is_up()
        for task in self._tasks:
            task.cancel()
        self._timer = self._loop.call_later(clock.until_answer() or 0, self._give_up)

    def _leave_tasks(self) -> None:
        """Let nobody wait for what still runs: not asyncio.run() as it ends, and not a warning."""
        for task in self._tasks:
            if task.done():
                continue
            self._invocation.cut_loose = True
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather() does for its own
            asyncio._unregister_task(task)

    def _give_up(self) -> None:
        self._leave_tasks()
        if not self._ended.done():
            self._ended.set_result(None)

    async def _run_here(self) -> None:
        """Run the first lane in the driver's own task. A handler that asked its task to end has not meant the batch."""
        self._here = 1
        await self._run_places(next(self._waiting, None))
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
        if len(self._tasks) + self._here < self._limit and not self._is_ending() and not self._invocation.stopped:
            for lane in self._waiting:
                # In the batch's context, not in that of the lane which has come to wait.
                # A task of asyncio's own kind: one that a loop starts at once would run inside that of the lane before.
                task: asyncio.Task[None] = self._context.run(asyncio.Task, self._run_places(lane), loop=self._loop)
                self._tasks.add(task)
                task.add_done_callback(self._task_ended)
                return

    def _start_tasks(self) -> None:
        """Start two tasks where one has come to wait: as many as may run are running a few turns of the loop later."""
        self._start_task()
        self._start_task()

    def _is_ending(self) -> bool:
        """Say whether a cancellation is the batch's, not one that a handler brought upon itself."""
        return self._cancelling or self._batch.interrupted

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
            await make(self._invocation, deliver_in_lane(self._invocation, position))
        except asyncio.CancelledError:
            if self._is_ending():
                raise
            problem = OutOfTimeError("The time was up before it was delivered.")
            ended(self._invocation, position, problem)

    async def _run_places(  # noqa: C901, PLR0912, PLR0915 - one loop: each further coroutine would cost every record
        self, lane: Iterable[Place] | None
    ) -> None:
        """Run a lane, and further ones as long as nothing can tell: the loop of road.run_places."""
        invocation, scoped = self._invocation, self._scoped
        call, prepare, decode = invocation.call, invocation.prepare, invocation.decode
        values, on_success, observing = invocation.values, invocation.on_success, invocation.observing
        view = quick_class(decode) if prepare is None and isinstance(decode, type) else None
        scoping = observing if observing is not None and observing.watches_records else None
        known_kind: type = type(None)
        failed_before = invocation.failed_before or ()
        scopes: Scopes | None = None
        waited, cancelling = False, _cancelling_of(asyncio.current_task())
        while lane is not None:
            for position, record in lane:
                if invocation.stopped or self._is_ending():
                    return
                data: Any = NOT_PROCESSED
                run = self._context.copy().run
                try:
                    if view is not None:
                        data = view()
                        data.raw_event = record
                    elif prepare is None:
                        data = run(decode, record)
                    else:
                        prepared = run(prepare, record)
                        if is_awaitable(prepared):
                            waited = True
                            self._start_tasks()
                            prepared = await _in_context(prepared, run)
                        data = run(decode, prepared)
                    if scoping is not None and position not in failed_before:
                        scopes = run(scoping.enter, record)
                    value: Any = run(call, data) if scoped is None else run(scoped, position, data)
                    if _is_coroutine(value):
                        try:
                            waits_for = run(value.send, None)
                        except StopIteration as returned:
                            value = returned.value
                        else:
                            waited = True
                            self._start_tasks()
                            value = await _Resumed(value, run, waits_for)
                    elif type(value) is not known_kind and is_awaitable(value):
                        waited = True
                        self._start_tasks()
                        value = await _in_context(value, run)
                    if type(value) is not known_kind:
                        known_kind = plain_kind(value)
                    if on_success is not None and not invocation.cut_loose:
                        run(on_success, record, value)
                except BaseException as error:
                    try:
                        if isinstance(error, GeneratorExit) and not self._loop.is_running():
                            raise  # this coroutine is being thrown away; what has not finished is no success
                        cancelled = isinstance(error, asyncio.CancelledError)
                        if cancelled and self._is_ending():
                            raise
                        raise_if_steering(error)
                        # Whatever a handler makes of its cancellation, it had no time.
                        run(invocation.failed, position, data, _cut_short(error) if invocation.out_of_time else error)
                        if cancelled:
                            waited = True
                            # If all is being cancelled, the driver learns of it first.
                            await self._absorb_cancellation()
                        letters = None if invocation.cut_loose else invocation.letters
                        if letters is not None and position in letters.in_lanes:
                            waited = True
                            self._start_tasks()
                            await _in_context(self._deliver(position), run)
                    finally:
                        if scoping is not None and scopes:
                            run(scoping.leave, scopes, error)
                            scopes = None
                else:
                    values[position] = value
                    invocation.succeeded += 1
                    if observing is not None:
                        try:
                            run(invocation.tell_finished, position)
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
    """Give what a handler failed with that was cancelled because the time was up."""
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
    """Give what says whether a task has been asked to end, which its next lane would have to bear."""
    if sys.version_info >= (3, 11):
        counted: Callable[[], int] = task.cancelling
        return counted
    return lambda: int(task._must_cancel)  # Python 3.10 counts none; this one has not been delivered yet


def _is_coroutine(value: object) -> TypeGuard[CoroutineType[Any, Any, Any]]:
    return type(value) is CoroutineType


async def make(invocation: Invocation, step: Calls[T]) -> T:
    """Run a step, and make its calls without holding up the loop: the twin of :func:`batchcore.calls.make`."""
    try:
        call = next(step)
        while True:
            call = step.send(await _answer_of(invocation, call))
    except StopIteration as ended:
        result: T = ended.value
        return result


async def run_steps(invocation: Invocation, records: Coroutine[Any, Any, None]) -> None:
    """Run the steps before the records, the records, and the steps after them: twin of :func:`steps.run`."""
    try:
        await make(invocation, before_records(invocation))
        await records
        await make(invocation, after_records(invocation))
    except BaseException:
        records.close()
        take_back(invocation)
        raise


async def _answer_of(invocation: Invocation, call: Call) -> Answer:
    seconds = call.seconds(invocation)
    if seconds is not None and seconds <= 0:
        return None, left_behind(call.name, seconds)
    waiting: asyncio.Future[Any]
    try:
        if call.limited and not is_coroutine_function(call.function):
            waiting = asyncio.wrap_future(spawn(copy_context().run, _called, call))
        else:
            value = call.function(*call.arguments)
            if not is_awaitable(value):
                return value, None
            waiting = asyncio.ensure_future(_awaited(value))
    except BaseException as error:
        raise_if_steering(error)
        return None, error
    waiting.add_done_callback(_seen)
    try:
        await asyncio.wait([waiting], timeout=seconds)
    except BaseException:
        waiting.cancel()
        raise
    return _ended(waiting, call.name, seconds)


def _called(call: Call) -> Answer:
    """Call it, in a thread. What it raises is no exception of a future: some cannot be (StopIteration)."""
    try:
        return call.function(*call.arguments), None
    except BaseException as error:
        return None, error


async def _awaited(value: Any) -> Answer:
    """Await it, in a task. What it raises is no exception of a task: some end the loop (SystemExit)."""
    try:
        return await value, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


def _ended(waiting: asyncio.Future[Any], name: str, seconds: float | None) -> Answer:
    if not waiting.done():
        waiting.cancel()
        return None, left_behind(name, seconds or 0)
    if waiting.cancelled():
        return None, asyncio.CancelledError()
    value, error = waiting.result()
    if error is not None:
        raise_if_steering(error)
        return None, error
    if is_awaitable(value):
        discard(value)
        return None, UnawaitedResultError(f"It gave a {kind_of(value)} from a plain function, which nobody awaits.")
    return value, None


def _seen(waiting: asyncio.Future[Any]) -> None:
    """Look at an exception that nobody else may look at, so that asyncio does not complain of it."""
    if not waiting.cancelled():
        waiting.exception()
