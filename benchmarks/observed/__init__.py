"""Observers whose cost is measured, a module each. To add one, write its module and name it in ``OBSERVED``.

A module has ``plugins(address)``, a context manager. It sets up what a function sets up that uses the observer (an SDK,
say, that sends to ``http://address``, where a server takes everything), gives the list of plugins to name, and tears
down what it has set up. It is called in a process of its own. It may have ``MOST_SECONDS_LATER``: by how much later the
response may come with 500 failures of 1,000.
"""

OBSERVED = (
    "noop",
    "sentry",
    "sentry_traces",
    "sentry_uninitialised",
    "otel",
    "otel_without_sdk",
    "emf",
    "logs",
    "logs_structlog",
)
