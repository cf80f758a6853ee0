"""A training that logs to MLflow as it goes: prints its run and its steps."""
# ruff: noqa: T201 (it prints where it is)

import time

import mlflow


def main() -> None:
    """A hundred steps, one after the other."""
    with mlflow.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(100):
            mlflow.log_metric("loss", step / 2, step=step)
            mlflow.log_metrics({"late": step / 4}, step=step, synchronous=False)
            if step % 10 == 0:
                mlflow.log_param(f"p{step}", step)
            print(step, flush=True)
            time.sleep(0.02)


if __name__ == "__main__":
    main()
