"""Policies over HTTP."""

from django.db.models import QuerySet
from rest_framework import serializers

from approvals.api.filters import PolicyFilter
from approvals.api.openapi import documented
from approvals.api.records import Amends, Creates, Retires
from approvals.policies.models import Policy
from approvals.roles import VIEW_REQUESTS
from foundation.errors import NotPermitted
from foundation.identity.models import User


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """One rule of the approval chain."""

    conditions = serializers.ListField(child=serializers.DictField())
    stages = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = Policy
        fields = ["id", "version", "retired_at", "name", "description", "conditions", "stages", "waiver_role", "ticket"]
        fields += ["emergency_review_hours"]


def visible_policies(user: User) -> QuerySet[Policy]:
    """
    All policies, for who may read change requests.

    :raises NotPermitted: if the user may not
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read policies. Ask an administrator for a role.")
    return Policy.objects.all()


@documented
class Policies(Creates, Amends, Retires):
    """Which approvals a change needs, and why."""

    queryset = Policy.objects.none()
    visible = staticmethod(visible_policies)
    serializer_class = PolicySerializer
    filterset_class = PolicyFilter
    ordering = ("id",)
    create_kind = "policy.create"
    amend_kind = "policy.amend"
    retire_kind = "policy.retire"
