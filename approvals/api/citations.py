"""What a revision and an application cite, in JSON."""

from typing import Any

from rest_framework import serializers

Read = serializers.Serializer[Any]


class CitationSerializer(Read):
    """The version of a standard template that a revision cites."""

    template_id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class AuthorizationSerializer(Read):
    """By what authority a request was applied."""

    basis = serializers.CharField()
    template_id = serializers.UUIDField(allow_null=True)
    template_version = serializers.IntegerField(allow_null=True)
    permit_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class CoverageSerializer(Read):
    """A standard template in force, and each bound that keeps the change out of it."""

    template_id = serializers.UUIDField(source="template.id")
    name = serializers.CharField(source="template.name")
    version = serializers.IntegerField(source="template.version")
    covers = serializers.BooleanField(help_text="Every item is inside the bounds.")
    unmet = serializers.ListField(child=serializers.CharField(), help_text="Sentences; empty if it covers the change.")
