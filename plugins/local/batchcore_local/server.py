"""AWS's services on this machine: moto's server, on 127.0.0.1, for the length of a block.

While the block lasts, this process sees none of the user's AWS settings: no profile, no files, no endpoints.  The
clients are given the server's address and credentials that are worth nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3.session  # type: ignore[import-untyped, unused-ignore]  # boto3 ships no types
from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]  # nor does botocore
from moto.server import ThreadedMotoServer

from batchcore_local.function import environment

REGION = "us-east-1"

WORTHLESS = "local"
"""Stands for every credential."""


class LocalAws:
    """A connection to the services of one local server.

    Attributes:
        endpoint_url: where the server listens.
        region: the region it plays.
    """

    def __init__(self, endpoint_url: str, region: str = REGION) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._session: Any = boto3.session.Session(region_name=region)

    def client(self, service: str) -> Any:
        """Return a boto3 client of one service of the local server, with credentials that are worth nothing.

        Args:
            service: the service's name, such as ``sqs``.
        """
        return self._session.client(
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=WORTHLESS,
            aws_secret_access_key=WORTHLESS,
            config=Config(proxies={}, retries={"total_max_attempts": 2}),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that send a function's own boto3 clients here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": WORTHLESS,
            "AWS_SECRET_ACCESS_KEY": WORTHLESS,
            "AWS_SESSION_TOKEN": WORTHLESS,
        }


@contextmanager
def local_aws() -> Generator[LocalAws, None, None]:
    """Run a server for the length of a block, on 127.0.0.1 and a port that was free.

    The server lives in a thread of this process and ends with the block. What it holds is kept in memory, and is shared
    by all servers of one process.
    """
    requests = logging.getLogger("werkzeug")
    level = requests.level
    requests.setLevel(logging.WARNING)  # else one line on the screen per request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with environment(_without_user_settings()):  # moto's own code makes boto3 sessions too, and would read them
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield LocalAws(f"http://{host}:{port}")
        finally:
            server.stop()
            requests.setLevel(level)


def _without_user_settings() -> Mapping[str, str | None]:
    endpoints = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]
    return {
        **dict.fromkeys(["AWS_PROFILE", "AWS_DEFAULT_PROFILE", *endpoints]),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
