#!/usr/bin/env bash
# importlib-metadata 9.1.0 and 8.6.1 on Python 3.11: once anybody has imported it, Python's own importlib.metadata finds
# packages through it. Python's entry_points() then gives objects of importlib_metadata's classes, which are no instances
# of importlib.metadata.EntryPoint: isinstance() against the class that the same module exports is False. Whether it is
# depends on what some other package has imported before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"

mkdir -p "$folder/path/mine-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n' >"$folder/path/mine-1.0.dist-info/METADATA"
printf '[ours]\npath = os:path\n' >"$folder/path/mine-1.0.dist-info/entry_points.txt"

seen() { # what is imported before
    PYTHONPATH=$folder/path "$folder/env/bin/python" - "$1" <<'PROGRAM'
import sys

__import__(sys.argv[1])
from importlib.metadata import EntryPoint, entry_points

(found,) = entry_points(group="ours")
print(type(found).__module__, isinstance(found, EntryPoint))
PROGRAM
}

for version in 8.6.1 9.1.0; do
    "$folder/env/bin/python" -m pip -qq --disable-pip-version-check install "importlib-metadata==$version"
    [[ $(seen sys) == "importlib.metadata True" ]]
    [[ $(seen importlib_metadata) == "importlib_metadata False" ]]
done
echo "As seen: after importlib_metadata 8.6.1 or 9.1.0 was imported, Python's own entry_points() gives its classes."
