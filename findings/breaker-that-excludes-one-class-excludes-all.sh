#!/usr/bin/env bash
# pybreaker 1.4.1 with asyncpg 0.32.0 and google-api-core 2.44.0: `exclude=[UniqueViolationError]` should keep one kind of
# error from the count. It keeps all of them: the breaker never opens, however often the connection fails. pybreaker takes
# only what `type()` made for a class. These two libraries make their errors by a metaclass of their own, so the breaker
# calls the class as if it were a predicate, and the exception object it gets is true. With KeyError in its place all is as
# one expects. A batch against a database that is down then tries each of its records; `lambda error: isinstance(...)` works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    pybreaker==1.4.1 asyncpg==0.32.0 google-api-core==2.44.0

"$folder/env/bin/python" - <<'PROGRAM'
from asyncpg.exceptions import UniqueViolationError
from google.api_core.exceptions import NotFound
from pybreaker import CircuitBreaker, CircuitBreakerError


def tries_of_ten(exclude):
    """Return how many of ten calls reach a server that is down."""
    breaker = CircuitBreaker(fail_max=3, exclude=[exclude])
    reached = []

    def call():
        reached.append(1)
        raise ConnectionError

    for _ in range(10):
        try:
            breaker.call(call)
        except (ConnectionError, CircuitBreakerError):
            pass
    return len(reached), breaker.current_state


assert tries_of_ten(KeyError) == (3, "open")
assert tries_of_ten(lambda error: isinstance(error, UniqueViolationError)) == (3, "open")
for exclude in (UniqueViolationError, NotFound):
    assert issubclass(exclude, Exception) and not issubclass(ConnectionError, exclude)
    assert tries_of_ten(exclude) == (10, "closed"), exclude
PROGRAM
echo "As seen: a breaker that excludes UniqueViolationError or NotFound stays closed through ten ConnectionErrors."
