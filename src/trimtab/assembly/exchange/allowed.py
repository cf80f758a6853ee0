"""What a foreign store says and may be said here."""

from collections.abc import Callable, Mapping

from trimtab.atoms.error import UsageError


def allowed(values: Mapping[str, str], rule: Callable[[Mapping[str, str]], None]) -> dict[str, str]:
    """Those of the values that do not break a rule that raises UsageError."""
    kept = {}
    for key, value in values.items():
        try:
            rule({key: value})
        except UsageError:
            continue
        kept[key] = value
    return kept
