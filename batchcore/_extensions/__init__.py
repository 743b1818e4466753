"""What plugins do for a batch: observers, batch hooks, dead letters, calls to the outside."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore.plan import Plan


def equip(plan: Plan) -> None:
    """Let the plugins of a plan do their work: what they need is loaded where there are some."""
    plugins = plan.plugins
    if plugins is None:
        return
    if plugins.observers:
        from batchcore._extensions.scopes import Observers

        plan.observe = Observers
    if plugins.acts:
        from batchcore._extensions import batch_hooks, calls

        plan.calls, plan.complete = batch_hooks.calls_of, calls.complete
    if plugins.delivers is not None:
        from batchcore._extensions.dead_letters import DeadLetters, deliver_now

        plan.dead_letters, plan.deliver = DeadLetters, deliver_now
