"""Real brokers: RabbitMQ and ActiveMQ, started for these tests on 127.0.0.1 and free ports, and ended by them.

Debian has them as the packages ``rabbitmq-server`` and ``activemq``. Where one is not installed, its tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PATIENCE = 120  # seconds, after which something that never comes is a failure
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # beside the one on the path, which wants to be another user
ACTIVEMQ = Path("/usr/share/activemq")
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", "/sbin", "/bin"))


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running(
    command: list[str], folder: Path, name: str, *, talks: bool = False, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, with nothing of this process's variables, and end it and all that it started."""
    kept = {each: os.environ[each] for each in ("LANG", "JAVA_HOME") if each in os.environ}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, "PATH": PATH, "HOME": str(folder), **variables},
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
        for stream in filter(None, (process.stdin, process.stdout)):
            stream.close()


def wait_for(what: str, is_there: Callable[[], Any], process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until something works, as long as a process runs that should bring it about."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            is_there()
        except Exception as error:
            logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log")))
            if process.poll() is not None:
                pytest.fail(f"{what} has ended:\n{logs}")
            if time.monotonic() > until:
                pytest.fail(f"{what} is not there after {PATIENCE} s: {error!r}\n{logs}")
            time.sleep(0.2)
        else:
            return


def connects(port: int) -> Callable[[], None]:
    """Make a function that raises as long as nobody listens on a port."""
    return lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A RabbitMQ of its own: the port on which it speaks AMQP."""
    pytest.importorskip("pika", reason="needs pika")
    if not os.access(RABBITMQ, os.X_OK):
        pytest.skip("RabbitMQ is not installed: Debian's package rabbitmq-server")
    epmd = shutil.which("epmd", path=PATH)
    if epmd is None:
        pytest.skip("RabbitMQ needs epmd, of Debian's package erlang-base")
    import pika

    folder = tmp_path_factory.mktemp("rabbitmq")
    port, names, nodes = free_ports(3)
    variables: Mapping[str, str] = {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": "tests@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(nodes),
        # Else nodes may connect from anywhere.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "no"),
    }

    def is_there() -> None:
        connects(port)()  # the client would log each refusal
        pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port)).close()

    # What tells nodes of one another is started here, for otherwise it would go on when they have ended.
    with running([epmd, "-address", "127.0.0.1", "-port", str(names)], folder, "epmd") as process:
        wait_for("epmd", connects(names), process, folder)
        with running([RABBITMQ], folder, "server", **variables) as server:
            wait_for("RabbitMQ", is_there, server, folder)
            yield port


ACTIVEMQ_XML = """\
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans.xsd
    http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="tests" persistent="false" useJmx="false"
    schedulerSupport="false" useShutdownHook="true">
    <transportConnectors>
      <transportConnector name="stomp" uri="stomp://127.0.0.1:{stomp}"/>
      <transportConnector name="openwire" uri="tcp://127.0.0.1:{jms}"/>
    </transportConnectors>
  </broker>
</beans>
"""


class ActiveMQPorts(NamedTuple):
    """Where an ActiveMQ listens.

    Attributes:
        stomp: for clients that speak STOMP.
        jms: for clients of JMS.
    """

    stomp: int
    jms: int


@pytest.fixture(scope="session")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMQPorts]:
    """An ActiveMQ of its own."""
    pytest.importorskip("stomp", reason="needs stomp.py")
    jar, java = ACTIVEMQ / "bin" / "activemq.jar", shutil.which("java", path=PATH)
    if not jar.is_file() or java is None:
        pytest.skip("ActiveMQ is not installed: Debian's package activemq")
    folder = tmp_path_factory.mktemp("activemq")
    ports = ActiveMQPorts(*free_ports(2))
    configuration = folder / "activemq.xml"
    configuration.write_text(ACTIVEMQ_XML.format(**ports._asdict()), encoding="utf-8")
    places = {"home": ACTIVEMQ, "base": folder, "conf": folder, "data": folder / "data"}
    options = ["-Xmx256m", f"-Djava.io.tmpdir={folder}", *(f"-Dactivemq.{name}={at}" for name, at in places.items())]
    command = [java, *options, "-jar", str(jar), "start", f"xbean:{configuration.as_uri()}"]
    with running(command, folder, "server") as server:
        for port in ports:
            wait_for("ActiveMQ", connects(port), server, folder)
        yield ports


class JMS:
    """A client of JMS, in Java as Lambda's own is: it writes messages as AWS does."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self, *words: object) -> Any:
        """Give it a command, and return what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the client has ended"
        return json.loads(answer)


@pytest.fixture(scope="session")
def jms(activemq: ActiveMQPorts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JMS]:
    """A client of JMS, connected to the ActiveMQ of the tests."""
    java, javac = (shutil.which(name, path=PATH) for name in ("java", "javac"))
    if java is None or javac is None:
        pytest.skip("there is no Java compiler: Debian's package default-jdk-headless")
    libraries = os.pathsep.join(f"{ACTIVEMQ}/lib/{part}*" for part in ("", "optional/"))
    command = [java, "-Xmx128m", "-cp", libraries, str(Path(__file__).with_name("Receive.java"))]
    folder = tmp_path_factory.mktemp("jms")
    with running([*command, f"tcp://127.0.0.1:{activemq.jms}"], folder, "client", talks=True) as process:
        client = JMS(process)
        assert client.ask("hello") == []
        yield client
