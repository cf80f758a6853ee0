"""A caller of MLflow's protocol, in this process."""

from typing import Any

from starlette.testclient import TestClient

API = "/api/2.0/mlflow"


class Mlflow:
    """Asks as MLflow's clients do."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def post(self, path: str, /, **body: Any) -> Any:
        """The answer of a POST; it must be no error."""
        return self._told(self.client.post(API + path, json=body))

    def get(self, path: str, /, **query: Any) -> Any:
        """The answer of a GET; it must be no error."""
        return self._told(self.client.get(API + path, params=query))

    def refusal(self, method: str, path: str, **words: Any) -> tuple[int, str, str]:
        """Status, code and message of an error."""
        answer = self.client.request(
            method, path if path.startswith(("/api", "/ajax")) else API + path, **words
        )
        assert answer.status_code >= 400, answer.text
        told = answer.json()
        return answer.status_code, told["error_code"], told["message"]

    def run(self, **body: Any) -> str:
        """A new run's id."""
        return str(self.post("/runs/create", experiment_id="0", **body)["run"]["info"]["run_id"])

    def last(self, run: str) -> dict[str, Any]:
        """Metrics of a run by name."""
        data = self.get("/runs/get", run_id=run)["run"]["data"]
        return {metric["key"]: metric["value"] for metric in data.get("metrics", ())}

    @staticmethod
    def _told(answer: Any) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()
