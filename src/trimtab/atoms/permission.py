"""What a request may need, and which roles give it."""

from enum import StrEnum


class Permission(StrEnum):
    """What a route asks of who calls it; each route declares exactly one."""

    #: For everybody, without a token: `/healthz`, the style sheet.
    OPEN = "open"
    #: Pages, views, runs, files: reading anything but what decisions about tokens set.
    READ = "read"
    #: Experiments, runs, points, files, logged models, versions of stored models.
    LOG = "log"
    #: What decides about traffic: aliases, stages, releases, incidents.
    RELEASE = "release"
    #: Tokens, and what gives up content.
    ADMINISTER = "administer"
    #: Tokens' list, what decisions about tokens set, and the audit log.
    AUDIT = "audit"
    #: Predictions and outcomes.
    PREDICT = "predict"


class Role(StrEnum):
    """What a token is given; several may be given at once."""

    VIEWER = "viewer"
    RUNNER = "runner"
    RELEASER = "releaser"
    ADMIN = "admin"
    PREDICTOR = "predictor"
    AUDITOR = "auditor"


#: Deny by default: what is not here is not allowed.
GIVES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.RUNNER: frozenset({Permission.READ, Permission.LOG}),
    Role.RELEASER: frozenset({Permission.READ, Permission.RELEASE}),
    Role.ADMIN: frozenset(Permission) - {Permission.PREDICT},
    Role.PREDICTOR: frozenset({Permission.PREDICT}),
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
}
