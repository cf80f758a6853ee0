"""Will this flight arrive more than 15 minutes late? From what is known before departure, and the weather then."""

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

import trimtab as tt

flights = tt.source(
    "flights", "data/flights/*.parquet", key="flight_id", event_time="scheduled_at", span="1mo"
)
weather = tt.source("weather", "data/weather/*.parquet", key="origin", event_time="observed_at", span="1mo")


@tt.feature_view(weather, entity="origin", max_age="3h")
def sky(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.select("origin", "observed_at", "temp", "humid", "wind_speed", "precip", "pressure", "visib")


@tt.request_features
def departure(rows: pl.LazyFrame) -> pl.LazyFrame:
    local = pl.col("scheduled_at").dt.convert_time_zone("America/New_York")
    return rows.with_columns(
        hour=local.dt.hour() + local.dt.minute() / 60,
        weekday=local.dt.weekday(),
    )


@tt.model(
    "late_arrival",
    rows=flights,
    target="late",
    features=[departure, sky],
    metrics=["log_loss", "roc_auc"],
    slices=["origin", "carrier"],
    label_delay="1d",
    holdout=0.1,
)
def late_arrival(train: tt.Dataset, trial: tt.Trial) -> HistGradientBoostingClassifier:
    learner = HistGradientBoostingClassifier(
        max_iter=trial.integer("max_iter", 20, 300, default=80),
        learning_rate=trial.number("learning_rate", 0.01, 0.3, default=0.06, log=True),
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=5.0,
        random_state=trial.seed,
    )
    return learner.fit(train.x, train.y)
