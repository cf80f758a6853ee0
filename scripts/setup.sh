#!/bin/sh
# Fills .venv with the locked packages and this clone. A second run sees that nothing changed and ends at once.
set -eu
cd "$(dirname "$0")/.."

# What is installed depends on these files, this place and nothing else.
wanted=$({ pwd -P; cat pyproject.toml requirements/dev.lock requirements/tools.lock scripts/setup.sh; } | cksum)
if [ -x .venv/bin/trimtab ] && [ "$(cat .venv/filled-from 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

say() { printf 'setup: %s\n' "$*"; }

find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    echo "setup: no Python 3.11 or later found; install one, or name it: make setup PYTHON=/path/to/python3" >&2
    exit 1
}

make_venv() { # folder
    # A folder that was moved here or whose Python is gone cannot be mended: make it anew.
    if ! "$1/bin/python" -c '' 2>/dev/null || [ "$("$1/bin/python" -c 'import sys; print(sys.prefix)')" != "$(pwd -P)/$1" ]; then
        rm -rf "$1"
        "$python" -m venv ${2:-} "$1" || {
            rm -rf "$1"
            echo "setup: $python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
            exit 1
        }
    fi
}

python=$(find_python)
say "$("$python" --version) ($python)"
make_venv .tools
make_venv .venv --without-pip

.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.lock
say "installing the $(grep -c '^[a-z0-9].*==' requirements/dev.lock) packages of requirements/dev.lock (the first time several hundred MB to fetch)"
.tools/bin/python scripts/uv_like_pip.py pip sync --python .venv/bin/python --require-hashes --compile-bytecode --quiet requirements/dev.lock
# The locked hatchling builds it: nothing is fetched here.
.tools/bin/python scripts/uv_like_pip.py pip install --python .venv/bin/python --no-deps --no-build-isolation --quiet --editable .
.venv/bin/python -m compileall -q src
echo "$wanted" >.venv/filled-from
say "done: .venv/bin/trimtab"
