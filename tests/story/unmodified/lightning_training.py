"""A small network learns a curve with PyTorch Lightning: autologged, registered, loaded back."""
# ruff: noqa: T201

import mlflow
import mlflow.pytorch
import pytorch_lightning as pl
import torch
from mlflow import MlflowClient
from torch.utils.data import DataLoader, TensorDataset


class Curve(pl.LightningModule):
    def __init__(self, width: int = 16, rate: float = 0.05) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.layers(given)

    def training_step(self, batch: list[torch.Tensor], number: int) -> torch.Tensor:
        loss = torch.nn.functional.mse_loss(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[torch.Tensor], number: int) -> None:
        self.log("val_loss", torch.nn.functional.mse_loss(self(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams.rate)


def main() -> None:
    pl.seed_everything(0)
    given = torch.linspace(-2, 2, 200).unsqueeze(1)
    data = TensorDataset(given, torch.sin(given))
    train = DataLoader(data, batch_size=50, shuffle=True)
    valid = DataLoader(data, batch_size=200)

    mlflow.set_experiment("curve")
    mlflow.pytorch.autolog(checkpoint_monitor="val_loss", registered_model_name="curve")

    with mlflow.start_run(run_name="lightning") as run:
        mlflow.set_tag("kind", "regression")
        trainer = pl.Trainer(
            max_epochs=5,
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=1,
        )
        model = Curve()
        mlflow.log_params(model.hparams)
        trainer.fit(model, train, valid)
        with torch.no_grad():
            answers = model.eval()(given)
        mlflow.log_metric("last_loss", float(torch.nn.functional.mse_loss(answers, torch.sin(given))))

    client = MlflowClient()
    [version] = client.search_model_versions(f"name = 'curve' and run_id = '{run.info.run_id}'")
    client.set_registered_model_alias("curve", "champion", version.version)
    champion = mlflow.pytorch.load_model("models:/curve@champion")
    with torch.no_grad():
        assert torch.allclose(champion(given), answers)
    mlflow.pytorch.load_checkpoint(Curve, run_id=run.info.run_id)
    print(f"champion: version {version.version} of run {run.info.run_id}")


if __name__ == "__main__":
    main()
