"""`python -m trimtab` is `trimtab`."""

import sys

from trimtab.cli.program import main

sys.exit(main())
