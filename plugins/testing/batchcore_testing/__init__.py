"""A kit to test with: events in AWS's shape, Lambda's side of the contract in memory, the contract of a source.

``pip install batchcore-testing``. Nothing here is imported by a function.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_testing.clock import SimulatedClock, SimulatedContext
    from batchcore_testing.contract import SourceContract
    from batchcore_testing.contract.rules import ContractBroken
    from batchcore_testing.errors import NotDrainedError, UnknownRecordError
    from batchcore_testing.events import EventFactory, Sent, event_from, make_event, make_record, removed
    from batchcore_testing.kafka import KafkaEvents
    from batchcore_testing.responses import redelivered
    from batchcore_testing.simulator import Simulator
    from batchcore_testing.simulator.brokers import BrokerQueue
    from batchcore_testing.simulator.faults import Faults
    from batchcore_testing.simulator.history import History, Invocation, Item
    from batchcore_testing.simulator.jobs import BatchJob
    from batchcore_testing.simulator.logs import Stream, Topic
    from batchcore_testing.simulator.mapping import EventSourceMapping
    from batchcore_testing.simulator.pipes import Pipe
    from batchcore_testing.simulator.queues import FifoQueue, Queue
    from batchcore_testing.simulator.shares import SharedTopic
    from batchcore_testing.simulator.transformations import DeliveryStream

__all__ = [
    "BatchJob",
    "BrokerQueue",
    "ContractBroken",
    "DeliveryStream",
    "EventFactory",
    "EventSourceMapping",
    "Faults",
    "FifoQueue",
    "History",
    "Invocation",
    "Item",
    "KafkaEvents",
    "NotDrainedError",
    "Pipe",
    "Queue",
    "Sent",
    "SharedTopic",
    "SimulatedClock",
    "SimulatedContext",
    "Simulator",
    "SourceContract",
    "Stream",
    "Topic",
    "UnknownRecordError",
    "event_from",
    "make_event",
    "make_record",
    "redelivered",
    "removed",
]

_WHERE = {
    "redelivered": "responses",
    "SimulatedClock": "clock",
    "SimulatedContext": "clock",
    "SourceContract": "contract",
    "ContractBroken": "contract.rules",
    "NotDrainedError": "errors",
    "UnknownRecordError": "errors",
    **dict.fromkeys(("EventFactory", "Sent", "event_from", "make_event", "make_record", "removed"), "events"),
    "BrokerQueue": "simulator.brokers",
    "Faults": "simulator.faults",
    "History": "simulator.history",
    "Invocation": "simulator.history",
    "Item": "simulator.history",
    "KafkaEvents": "kafka",
    "BatchJob": "simulator.jobs",
    "DeliveryStream": "simulator.transformations",
    "Stream": "simulator.logs",
    "Topic": "simulator.logs",
    "EventSourceMapping": "simulator.mapping",
    "Pipe": "simulator.pipes",
    "FifoQueue": "simulator.queues",
    "Queue": "simulator.queues",
    "SharedTopic": "simulator.shares",
    "Simulator": "simulator",
}

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return what somebody asks for: the contract alone needs pytest, and tries models with pydantic."""
        if name not in _WHERE:
            raise AttributeError(f"module 'batchcore_testing' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"batchcore_testing.{_WHERE[name]}"), name)
