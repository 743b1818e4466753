#!/usr/bin/env bash
# aws-xray-sdk 2.15.0 with aws-lambda-powertools 3.37.0, in Lambda: the SDK keeps the open subsegments of a thread in one list,
# for all asyncio tasks of it. Of tasks that run side by side each ends the subsegment that was opened last, which is another's.
# Then Tracer.capture_method writes what a coroutine returned into a subsegment that has ended, and raises
# AlreadyEndedException in place of returning it: work that was done fails, and may be done once more. A context that keeps the
# open ones in a context variable has each task's under what started it, and none fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install 'aws-lambda-powertools[tracer]==3.37.0' aws-xray-sdk==2.15.0

export LAMBDA_TASK_ROOT=$folder AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:9 AWS_DEFAULT_REGION=us-east-1
export _X_AMZN_TRACE_ID='Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
"$folder/env/bin/python" - <<'PROGRAM'
import asyncio
import logging
from contextvars import ContextVar

from aws_lambda_powertools import Tracer
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext

logging.disable(logging.CRITICAL)
tracer = Tracer(service="orders", auto_patch=False)
opened = ContextVar("opened", default=())


class TaskContext(LambdaContext):
    def get_trace_entity(self):
        return (opened.get() or [super().get_trace_entity()])[-1]

    def put_subsegment(self, subsegment):
        self.get_trace_entity().add_subsegment(subsegment)
        opened.set((*opened.get(), subsegment))

    def end_subsegment(self, end_time=None):
        opened.get()[-1].close(end_time)
        opened.set(opened.get()[:-1])
        return True


@tracer.capture_method
async def ship(order):
    await asyncio.sleep({1: 0.03, 2: 0.01, 3: 0.02}[order])
    return f"shipped {order}"


async def ship_all():
    results = await asyncio.gather(*map(ship, (1, 2, 3)), return_exceptions=True)
    return [each if isinstance(each, str) else type(each).__name__ for each in results]


with_the_sdks = asyncio.run(ship_all())
assert "AlreadyEndedException" in with_the_sdks, with_the_sdks
xray_recorder.clear_trace_entities()
xray_recorder.configure(context=TaskContext())
assert asyncio.run(ship_all()) == ["shipped 1", "shipped 2", "shipped 3"]
print(with_the_sdks)
PROGRAM
echo "As seen: of three tasks that returned, one raises AlreadyEndedException; with a context variable none does."
