"""Opening a foreign store by its address."""

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from trimtab.assembly.exchange.foreign import ForeignStore
from trimtab.assembly.exchange.mlflow_folder import FolderStore
from trimtab.assembly.exchange.mlflow_rest import Rest
from trimtab.assembly.exchange.mlflow_server import ServerStore
from trimtab.assembly.exchange.mlflow_sqlite import SqliteStore
from trimtab.atoms.error import UsageError

_SCHEME = re.compile(r"([a-z0-9+]+):/")


def open_foreign(uri: str, artifacts: Path | None = None) -> ForeignStore:
    """The MLflow store at `sqlite:///FILE`, in a folder, or behind `http(s)://`.

    Args:
        artifacts: Where the server of a database or of a folder kept files; None: beside it.

    Raises:
        UsageError: There is none, or it is reached otherwise.
    """
    scheme = _SCHEME.match(uri)
    if scheme is None or scheme[1] == "file":
        folder = Path(url2pathname(urlsplit(uri).path) if scheme else uri)
        if folder.is_file():
            raise UsageError(f"{folder} is a file: give sqlite:///{folder} where it is MLflow's database")
        return FolderStore(folder, artifacts)
    if scheme[1] in ("http", "https"):
        return ServerStore(Rest(uri))
    if scheme[1] == "sqlite":
        return SqliteStore(Path(uri.removeprefix("sqlite:///").partition("?")[0]), artifacts)
    raise UsageError(
        f"{scheme[1]}:// is not read: give sqlite:///FILE, a folder such as ./mlruns, or the http(s):// address of an "
        "MLflow server (of a PostgreSQL or MySQL store too: start `mlflow server` over it)"
    )
