#!/usr/bin/env bash
# stevedore 5.10.0: its cache of entry points is keyed by modification times that it packs as 32-bit floats, which are 128 s
# apart today. So a plugin that is added to a folder within that time of the last look is not found, not even by a new
# process, while importlib.metadata finds it. The author of a plugin meets it: install, list, mend the entry point, list.
# The cache is off for a Python below the temporary folder, so this makes its own below the home folder.
set -euo pipefail
folder=$(mktemp -d "$HOME/finding.XXXXXX")
trap 'rm -rf "$folder"' EXIT
export XDG_CACHE_HOME=$folder/cache
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install 'stevedore==5.10.0'
export PYTHONPATH=$folder/plugins

# The file as it was first, and as it is 40 s later. The times are set, so that both lie in one step whenever this runs.
mkdir -p "$folder/plugins/mine-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n' >"$folder/plugins/mine-1.0.dist-info/METADATA"
written() { # seconds since the epoch, lines
    printf '%s\n' '[mine]' "${@:2}" >"$folder/plugins/mine-1.0.dist-info/entry_points.txt"
    touch -d "@$1" "$folder/plugins/mine-1.0.dist-info/entry_points.txt"
}
look() {
    "$folder/env/bin/python" - <<'PROGRAM'
from importlib.metadata import entry_points

from stevedore import ExtensionManager

found = ExtensionManager("mine", invoke_on_load=False).names()
print(*sorted(found), "/", *sorted(each.name for each in entry_points(group="mine")))
PROGRAM
}

step=$((1795000000 / 128 * 128))
written "$((step + 10))" 'first = os:path'
[[ $(look) == "first / first" ]]
written "$((step + 50))" 'first = os:path' 'second = os:sep'
[[ $(look) == "first / first second" ]]
written "$((step + 150))" 'first = os:path' 'second = os:sep'
[[ $(look) == "first second / first second" ]]
echo "As seen: 40 s later stevedore does not find the second entry point, which importlib.metadata does; 140 s later both do."
