"""Texts of parameters and tags: what is too long is cut, as MLflow's server does, so that no training ends for it."""

from trimtab.tracking.rule import MOST_PARAMETER_CHARACTERS, MOST_TAG_CHARACTERS


def cut_parameters(parameters: dict[str, str]) -> dict[str, str]:
    """Parameters with values of the allowed length."""
    return {key: value[:MOST_PARAMETER_CHARACTERS] for key, value in parameters.items()}


def cut_tags(tags: dict[str, str]) -> dict[str, str]:
    """Tags with values of the allowed length."""
    return {key: value[:MOST_TAG_CHARACTERS] for key, value in tags.items()}
