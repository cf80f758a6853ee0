"""Places and policies: `trimtab.toml`, with a working default for each."""

import tomllib
from pathlib import Path

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.spec.duration import parse_duration

FILE_NAME = "trimtab.toml"


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[project]"""

    #: What pages and messages call the project; empty: its folder's name.
    name: str = ""
    #: The project file, relative to the folder.
    file: str = "project.py"


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[store]"""

    #: A folder, relative to the project's; whatever has no place of its own lies here.
    url: str = ".trimtab"
    #: Where the ledger lies instead: `postgresql://USER:${VARIABLE}@HOST/DATABASE`; empty: in the folder.
    ledger: str = ""
    #: Where the blobs lie instead: `s3://BUCKET/PREFIX`; empty: in the folder.
    blobs: str = ""
    #: Most that copies of such blobs may take in the folder; 0: no copies.
    copies_bytes: int = 10_000_000_000


class ValidateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[validate]"""

    #: Largest share of duplicate rows in an ingest.
    max_duplicates: float = 0.01


class TrainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[train]"""

    #: Parameter settings tried in a search; 1 trains once with the defaults.
    trials: int = 1
    #: Types beside the known ones that a stored estimator may hold, as `package.module.Class`.
    trusted_types: tuple[str, ...] = ()


class GateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[gate]"""

    #: How much worse than the champion still passes, as a share of the champion's loss.
    margin: float = 0.01
    #: What an undecided comparison with the champion does: `refuse` or `bless`.
    unsure: str = "refuse"
    #: Chance of a false promotion.
    alpha: float = 0.05


class RegisterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[register]"""

    #: Largest median time of one row through the model.
    latency_ms: float = 50.0
    #: Largest compiled model.
    size_bytes: int = 200_000_000
    #: True: serve models by their own library, in a child process, without compiling them.
    native: bool = False
    #: Largest difference between the compiled and the trained model's answers.
    tolerance: float = 1e-4


class ReleaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[release]"""

    #: Stages on the way to all traffic: `shadow`, then shares of the requests.
    steps: tuple[str | float, ...] = ("shadow", 0.05, 0.25, 0.5)
    #: Requests that a challenger must have answered in a stage before it may go on.
    min_requests: int = 20
    #: Least time in a stage.
    stage_time: str = "0s"


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[serve]"""

    #: Address that predictions are answered on.
    host: str = "127.0.0.1"
    #: Port that predictions are answered on.
    port: int = 8600
    #: True: an unseen category or an unexpected missing value is refused; False: accepted, counted and watched.
    strict: bool = True
    #: Largest request body.
    max_body_bytes: int = 16_000_000
    #: Largest number of rows in one request.
    max_rows: int = 10_000
    #: Names this plane answers to beside the loopback ones.
    allowed_hosts: tuple[str, ...] = ()
    #: `loopback`: no token is needed on this machine; `always`: each request needs one.
    auth: str = "loopback"
    #: Certificate and its key, PEM files relative to the project's folder; empty: no TLS here.
    tls_certificate: str = ""
    tls_key: str = ""
    #: True: a proxy that speaks TLS passes requests on; each needs a token then.
    behind_proxy: bool = False


class ControlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[control]"""

    #: Address of the page and the API.
    host: str = "127.0.0.1"
    #: Port of the page and the API.
    port: int = 8500
    #: Names this plane answers to beside the loopback ones.
    allowed_hosts: tuple[str, ...] = ()
    #: `loopback`: no token is needed on this machine; `always`: each request needs one.
    auth: str = "loopback"
    #: Certificate and its key, PEM files relative to the project's folder; empty: no TLS here.
    tls_certificate: str = ""
    tls_key: str = ""
    #: True: a proxy that speaks TLS passes requests on; each needs a token then.
    behind_proxy: bool = False
    #: Seconds between two looks of the controller.
    every: float = 2.0


class MonitorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[monitor]"""

    #: Length of a window.
    window: str = "1d"
    #: One false alarm in so many windows is accepted.
    windows_per_false_alarm: int = 60
    #: Bias of the predictions that is still no harm, in the target's unit (shares for classes).
    max_bias: float = 0.03
    #: Windows that bias and slow loss are judged over.
    bias_windows: int = 7
    #: Windows after which a drift that nobody called an incident counts as the new normal.
    rebase_windows: int = 7


class TriggerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[trigger]"""

    #: Cron pattern in UTC; empty: no calendar.
    schedule: str = ""
    #: New validated spans that by themselves are a reason to retrain; 0: new data alone is none.
    new_spans: int = 0
    #: Least time between two retrains.
    cool_down: str = "14d"
    #: Retrain when the project's code changed.
    code_change: bool = True
    #: Failed promotions in a row after which a person is wanted.
    max_failures: int = 2


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `trimtab.toml`."""

    project: ProjectSettings = ProjectSettings()
    store: StoreSettings = StoreSettings()
    validate: ValidateSettings = ValidateSettings()
    train: TrainSettings = TrainSettings()
    gate: GateSettings = GateSettings()
    register: RegisterSettings = RegisterSettings()
    release: ReleaseSettings = ReleaseSettings()
    serve: ServeSettings = ServeSettings()
    control: ControlSettings = ControlSettings()
    monitor: MonitorSettings = MonitorSettings()
    trigger: TriggerSettings = TriggerSettings()


def read_settings(folder: Path) -> Settings:
    """The settings of the project in `folder`; all defaults where it has no `trimtab.toml`.

    Raises:
        UsageError: The file is no TOML, or holds a key or a value that is not allowed; the message names it.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return Settings()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{FILE_NAME}: not valid TOML: {error}") from error
    try:
        settings = msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{FILE_NAME}: {error}; the settings are listed in docs/interfaces.md") from error
    _hold_to_rules(settings)
    return settings


def _hold_to_rules(settings: Settings) -> None:
    parse_duration(settings.trigger.cool_down, f"{FILE_NAME}: trigger.cool_down")
    parse_duration(settings.monitor.window, f"{FILE_NAME}: monitor.window")
    parse_duration(settings.release.stage_time, f"{FILE_NAME}: release.stage_time")
    if settings.gate.unsure not in ("refuse", "bless"):
        raise UsageError(
            f"{FILE_NAME}: gate.unsure = {settings.gate.unsure!r} is neither 'refuse' nor 'bless'"
        )
    for name, plane in (("control", settings.control), ("serve", settings.serve)):
        if plane.auth not in ("loopback", "always"):
            raise UsageError(f"{FILE_NAME}: {name}.auth = {plane.auth!r} is neither 'loopback' nor 'always'")
        if bool(plane.tls_certificate) != bool(plane.tls_key):
            raise UsageError(f"{FILE_NAME}: {name}.tls_certificate and {name}.tls_key go together: give both")
    for step in settings.release.steps:
        if step != "shadow" and not (isinstance(step, float | int) and 0 < step <= 1):
            raise UsageError(
                f"{FILE_NAME}: release.steps: {step!r} is neither 'shadow' nor a share between 0 and 1"
            )
