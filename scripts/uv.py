"""Runs uv with the package indexes and certificates that this machine's pip is configured with.

uv does not read pip's configuration, so a machine that installs through a mirror would be left out. The
addresses go into the environment of one process and nowhere else.
"""

import ast
import os
import subprocess
import sys
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


def pip_settings() -> dict[str, str]:
    """What pip is configured with; its environment wins over section `install`, that over `global`."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in settings:
            settings[section][key] = str(ast.literal_eval(value))
    return settings["global"] | settings["install"] | settings[":env:"]


def main() -> int:
    """Run uv with this script's arguments."""
    settings = pip_settings()
    environment = dict(os.environ)
    for key, variable, between in SETTINGS:
        value = settings.get(key, "").strip()
        if not value or variable in environment or (key in ONLY_HERE and "compile" in sys.argv):
            continue
        environment[variable] = between.join(value.split()) if between else value
    # pip's way of choosing among several indexes; the locked hashes decide what may be installed.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    uv = Path(sys.executable).with_name("uv")
    return subprocess.run([str(uv), *sys.argv[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
