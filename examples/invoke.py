"""Call the Lambda handler of a program with an event, as Lambda would, and print its response.

python examples/invoke.py examples/getting_started/sqs.py tests/events/getting_started_sqs_event.json
"""

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any


class Context:
    """The Lambda context of an invocation that may take five seconds."""

    function_name = "orders"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    memory_limit_in_mb = 256
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def __init__(self) -> None:
        self.deadline = time.monotonic() + 5

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def invoke(program: Path, event: dict[str, Any]) -> Any:
    """Load a program and give its handler's response to an event.

    Raises:
        Whatever the handler raises; to Lambda that is the failure of the whole batch.
    """
    spec = importlib.util.spec_from_file_location(program.stem + "_program", program)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{program} is no Python program.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.lambda_handler(event, Context())


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    program, event = Path(sys.argv[1]), Path(sys.argv[2])
    print(json.dumps(invoke(program, json.loads(event.read_text()))))


if __name__ == "__main__":
    main()
