"""Runs uv with the package indexes and certificates that this machine's pip is configured with.

uv does not read pip's configuration, so a machine that installs through a mirror would be left out. The
addresses go into the environment of one process and nowhere else.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: pip's setting, uv's variable, what stands between several values.
SETTINGS = (
    ("index-url", "UV_DEFAULT_INDEX", ""),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", ""),
    ("proxy", "HTTPS_PROXY", ""),
)
#: A lock must be the same wherever it is made: what only this machine has stays out of it.
ONLY_HERE = ("extra-index-url", "find-links")


def settings_of(listed: str) -> dict[str, str]:
    """pip's settings from what `pip config list` prints.

    pip's environment wins over section `install`, and that over `global`.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in sections:
            sections[section][key] = str(ast.literal_eval(value))
    return sections["global"] | sections["install"] | sections[":env:"]


def environment(settings: Mapping[str, str], present: Mapping[str, str], *, locking: bool) -> dict[str, str]:
    """The environment for uv: what is set there already stays as it is."""
    made = dict(present)
    for key, variable, between in SETTINGS:
        value = settings.get(key, "").strip()
        if not value or variable in present or (locking and key in ONLY_HERE):
            continue
        made[variable] = between.join(value.split()) if between else value
    # pip's way of choosing among several indexes; the locked hashes decide what may be installed.
    made.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return made


def main() -> int:
    """Run uv with this script's arguments."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    told = environment(settings_of(listed), os.environ, locking="compile" in sys.argv)
    uv = Path(sys.executable).with_name("uv")
    return subprocess.run([str(uv), *sys.argv[1:]], env=told, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
