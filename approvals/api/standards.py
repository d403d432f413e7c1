"""Standard templates over HTTP."""

from django.db.models import QuerySet
from rest_framework import serializers

from approvals import governed
from approvals.api.filters import StandardTemplateFilter
from approvals.api.openapi import documented
from approvals.api.records import Amends, Creates, Retires
from approvals.roles import VIEW_REQUESTS
from approvals.standards import rules
from approvals.standards.models import StandardTemplate
from foundation.errors import NotPermitted
from foundation.identity.models import User


class StandardTemplateSerializer(serializers.ModelSerializer[StandardTemplate]):
    """A change that is approved before anybody asks for it, within bounds that every item keeps."""

    kinds = serializers.ListField(child=serializers.CharField())
    conditions = serializers.ListField(child=serializers.DictField())
    proposer_roles = serializers.ListField(child=serializers.CharField())
    accumulations = serializers.ListField(child=serializers.DictField())
    acceptance_criteria = serializers.ListField(child=serializers.CharField())
    bounds = serializers.SerializerMethodField(help_text="The conditions in words.")

    class Meta:
        model = StandardTemplate
        fields = [
            "id",
            "version",
            "retired_at",
            "name",
            "description",
            "kinds",
            "conditions",
            "bounds",
            "proposer_roles",
            "daily_limit",
            "monthly_limit",
            "accumulations",
            "expires_at",
            "justification",
            "impact",
            "acceptance_criteria",
            "rollback",
        ]

    def get_bounds(self, template: StandardTemplate) -> list[str]:
        """The conditions as people read them."""
        return list(rules.in_words(conditions=template.conditions, declared=governed.declared_facts()))


def visible_templates(user: User) -> QuerySet[StandardTemplate]:
    """
    All templates, for who may read change requests.

    :raises NotPermitted: if the user may not
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read standard templates. Ask an administrator for a role.")
    return StandardTemplate.objects.all()


@documented
class StandardTemplates(Creates, Amends, Retires):
    """Which changes are approved before anybody asks for them, and within which bounds."""

    queryset = StandardTemplate.objects.none()
    visible = staticmethod(visible_templates)
    serializer_class = StandardTemplateSerializer
    filterset_class = StandardTemplateFilter
    ordering = ("id",)
    create_kind = "standard_template.create"
    amend_kind = "standard_template.amend"
    retire_kind = "standard_template.retire"
