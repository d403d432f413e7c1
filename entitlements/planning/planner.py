"""The planner."""


class RegistryPlanner:
    """Plans."""
