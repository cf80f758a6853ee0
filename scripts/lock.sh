#!/bin/sh
# Resolves the packages anew, for every platform, with hashes and without any index's address.
set -eu
cd "$(dirname "$0")/.."
lock() { # output, inputs...
    output=$1
    shift
    .tools/bin/python scripts/uv_like_pip.py pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
        --python-version 3.11 --custom-compile-command "make lock" --quiet ${UPGRADE:+--upgrade} -o "$output" "$@"
    echo "lock: $output"
}
lock requirements/tools.lock requirements/tools.in
lock requirements/dev.lock --extra dev pyproject.toml
