"""What policies refuse."""

from foundation.errors import Conflict


class TooFewEligible(Conflict):
    """A policy that too few people could satisfy would stop every change that it matches."""

    code = "too_few_eligible"
    title = "Too few people could approve"
