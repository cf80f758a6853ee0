"""MISSION: the ten stages of the loop. Each folder is a verb; stages meet only in atoms."""
