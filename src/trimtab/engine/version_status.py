"""What became of a registered bundle, by the traffic plans."""

from trimtab.atoms.content.traffic_plan import TrafficPlan


def status_under(
    plan: TrafficPlan, bundle: str, before: str, *, kind: str, left: tuple[str | None, ...]
) -> str:
    """The status of a bundle once `plan` is in force.

    Args:
        before: Its status until then.
        kind: Of the Action that made the plan: `shadow`, `canary`, `promote` or `roll-back`.
        left: Champion and challenger of the plan before.

    Returns:
        `champion`, `challenger`, `retired`, `rolled-back` or `registered` (no traffic yet).
    """
    if bundle == plan.champion:
        return "champion"
    if bundle == plan.challenger:
        return "challenger"
    if kind == "roll-back" and bundle in left:
        return "rolled-back"
    return {"champion": "retired", "challenger": "registered"}.get(before, before)
