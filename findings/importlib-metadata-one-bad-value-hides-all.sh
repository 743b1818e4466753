#!/usr/bin/env bash
# importlib-metadata 8.7.0 to 9.0.1: one entry point whose value names no object, in any group of any package, and
# entry_points(group=...) of every other group raises ValueError without naming the package. 8.6.1 and 9.1.0 read past it.
# So the usual exclusions are wrong both ways: !=9.* excludes too much, and !=8.7.* excludes too little.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"

mkdir -p "$folder/path/other-1.0.dist-info" "$folder/path/mine-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: other\nVersion: 1.0\n' >"$folder/path/other-1.0.dist-info/METADATA"
printf '[theirs]\nnot-an-object = some text!\n' >"$folder/path/other-1.0.dist-info/entry_points.txt"
printf 'Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n' >"$folder/path/mine-1.0.dist-info/METADATA"
printf '[ours]\npath = os:path\n' >"$folder/path/mine-1.0.dist-info/entry_points.txt"

seen() { # version
    "$folder/env/bin/python" -m pip -qq --disable-pip-version-check install "importlib-metadata==$1"
    PYTHONPATH=$folder/path "$folder/env/bin/python" - <<'PROGRAM'
from importlib_metadata import entry_points

try:
    print([each.value for each in entry_points(group="ours")])
except ValueError as error:
    print("ValueError, naming the package:", "other" in str(error))
PROGRAM
}

for version in 8.6.1 9.1.0; do
    [[ $(seen "$version") == "['os:path']" ]]
done
for version in 8.7.0 8.8.0 9.0.0 9.0.1; do
    [[ $(seen "$version") == "ValueError, naming the package: False" ]]
done
echo "As seen: 8.6.1 and 9.1.0 give the entry point of the other package; 8.7.0, 8.8.0, 9.0.0 and 9.0.1 raise ValueError."
