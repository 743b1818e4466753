"""What AWS's pages say of Amazon MQ, and no source can be asked. It is for the documentation."""

from __future__ import annotations

_BROKER = {
    "setting": "never: only an error is",
    "batch": "100; at most 10,000",
    "gives up": (
        "when it expires, or after as many deliveries as the broker allows, which count for the whole batch: to the "
        "dead-letter queue of the broker, if it has one"
    ),
    "limits": "14 minutes, 6 MB",
}

LIMITS = {
    "activemq": {**_BROKER, "attempts": "where it has `JMSXDeliveryCount`"},
    "rabbitmq": {**_BROKER, "attempts": "of quorum queues"},
}
