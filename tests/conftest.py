"""Real parts of a store that tests start for themselves: `parts/NAME.py`, each with its fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["parts.chromium", "parts.postgres", "parts.s3"]
