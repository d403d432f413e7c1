"""Reads of stages and decisions."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from approvals.policies.eligibility import DECIDING_ROLES
from foundation.identity.models import User

if TYPE_CHECKING:
    from approvals.requests.models import Decision, Stage  # noqa: F401  named in types only


class StageQuerySet(models.QuerySet["Stage"]):
    """Reads of stages."""

    def asking(self, user: User, *, role: str = "") -> "StageQuerySet":
        """
        Those that ask the user, by role or by name, or as a backup of an escalated one: as `Stage.deciders`.

        With a role, those that ask the user as a holder of that one.
        """
        held = [name for name in user.groups.values_list("name", flat=True) if role in {"", name}]
        named = Q(people__contains=[str(user.human_id)])
        of_role = Q(role__in=held) & (Q(people=[]) | named)
        asked = of_role | Q(escalated_at__isnull=False, backup_role__in=held)
        if not role and DECIDING_ROLES & set(held):
            asked |= Q(role="") & named
        return self.filter(asked)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reads of decisions."""

    def by_authority_of(self, human_id: uuid.UUID) -> "DecisionQuerySet":
        """Those by which a human's authority was used, by themselves or by a delegate of theirs."""
        own = Q(delegator_human_id__isnull=True, decider_human_id=human_id)
        return self.filter(Q(delegator_human_id=human_id) | own)
