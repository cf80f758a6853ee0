"""The client in one hand: views, experiments, runs, what they log, their files, and tokens."""

from typing import Self

from trimtab.adapters.control_client.connection import Connection
from trimtab.adapters.control_client.experiment import RemoteExperiments
from trimtab.adapters.control_client.file import RemoteFiles
from trimtab.adapters.control_client.logbook import RemoteLogbook
from trimtab.adapters.control_client.run import RemoteRuns
from trimtab.adapters.control_client.token import RemoteTokens
from trimtab.adapters.control_client.view import RemoteViews

#: Environment variables that name a server and a token for it.
SERVER, TOKEN = "TRIMTAB_SERVER", "TRIMTAB_TOKEN"


class ControlClient:
    """Asks a control plane over HTTP what `trimtab.tracking` and the views answer in a process.

    ```python
    with ControlClient("http://127.0.0.1:8500") as client:
        run = client.runs.open("flights", tags={"mlflow.runName": "first"})
        client.logbook.log(run.head.id, points=[("loss", 1, 0.5, None)])
        client.runs.end(run.head.id, "FINISHED")
        page = client.runs.search(filter="metrics.loss < 1", order=["metrics.loss ASC"])
    ```
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout_s: float = 30.0, patience_s: float = 5.0
    ) -> None:
        """
        Args:
            url: Address of the control plane, as `http://127.0.0.1:8500`.
            token: None or empty: none is sent.
            timeout_s: How long one try of a call may take.
            patience_s: How long a call is tried again while the server is away or busy.

        Raises:
            UsageError: The address or the token is none.
        """
        self._connection = Connection(url, token or None, timeout_s=timeout_s, patience_s=patience_s)
        self.views = RemoteViews(self._connection)
        self.experiments = RemoteExperiments(self._connection)
        self.runs = RemoteRuns(self._connection)
        self.logbook = RemoteLogbook(self._connection)
        self.files = RemoteFiles(self._connection)
        self.tokens = RemoteTokens(self._connection)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ControlClient({self._connection.url!r})"
