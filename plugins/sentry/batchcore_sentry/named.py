"""The observer that ``BATCHCORE_PLUGINS=sentry`` names, in a function whose code says nothing of Sentry.

Where nobody has initialised the SDK by then, it is done here, by the variables that Sentry's own layer for AWS Lambda
reads: ``SENTRY_DSN``, and ``SENTRY_TRACES_SAMPLE_RATE`` where there are to be traces. What a function's code does
afterwards takes the place of this.
"""

from __future__ import annotations

import os

import sentry_sdk

from batchcore import ConfigurationError
from batchcore_sentry.observer import SentryObserver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sentry_sdk.integrations import Integration

__all__ = ["observer"]


def _initialise() -> None:
    """Initialise the SDK by the environment.

    Raises:
        ConfigurationError: the sample rate is no number.
    """
    if not os.environ.get("SENTRY_DSN") or sentry_sdk.get_client().is_active():
        return
    rate = os.environ.get("SENTRY_TRACES_SAMPLE_RATE")
    try:
        traces_sample_rate = float(rate) if rate else None
    except ValueError as error:
        raise ConfigurationError(f"SENTRY_TRACES_SAMPLE_RATE is a number from 0 to 1, not {rate!r}.") from error
    integrations: list[Integration] = []
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

        integrations.append(AwsLambdaIntegration())
    sentry_sdk.init(integrations=integrations, traces_sample_rate=traces_sample_rate)


_initialise()
observer = SentryObserver()
