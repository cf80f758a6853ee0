"""How a command about runs is given its runs."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trimtab.cli.option import common, server_option
from trimtab.cli.run_source import ServedRuns, StoredRuns


def reading_runs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where runs are; the command is called with their `source` in place of these."""

    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, server: str | None, **options: Any) -> Any:
        if server is not None:
            from trimtab.adapters.control_client.client import TOKEN, ControlClient

            with ControlClient(server, os.environ.get(TOKEN)) as client:
                return command(source=ServedRuns(client), **options)
        from trimtab.assembly.project import open_project
        from trimtab.assembly.tracking_place import open_project_tracking

        with open_project_tracking(
            open_project(project, store, declarations=False), create=False
        ) as tracking:
            return command(source=StoredRuns(tracking), **options)

    return common(server_option(opened))
