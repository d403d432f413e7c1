"""Tickets of a change request, and the systems that they are in, over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from approvals.requests import permissions
from approvals.tickets import services, systems
from approvals.tickets.models import Ticket, TicketSystem
from approvals.tickets.shown import shown_of
from foundation import clock
from foundation.api.idempotency import idempotent
from foundation.errors import NotFound

TAG = ["tickets"]


class TicketSerializer(serializers.Serializer[Any]):
    """A ticket as it was read, and how telling it stands."""

    id = serializers.UUIDField(source="ticket.id", help_text="What the other system knows the ticket by.")
    system = serializers.CharField(source="ticket.system.code")
    origin = serializers.CharField(source="ticket.origin")
    key = serializers.CharField(source="ticket.key", help_text="Empty until the ticket is opened.")
    url = serializers.CharField(source="ticket.url")
    status = serializers.CharField(source="ticket.status")
    approval = serializers.CharField(source="ticket.approval")
    read_at = serializers.DateTimeField(source="ticket.read_at", allow_null=True)
    fresh = serializers.BooleanField(help_text="Whether what was read counts still.")
    problem = serializers.CharField(help_text="Why it could not be read, or told, last time; empty if it could.")
    given_up = serializers.BooleanField(help_text="Whether telling it was given up: mend the problem, then try again.")
    waiting = serializers.IntegerField(help_text="How many steps it has not been told of.")
    told_revision = serializers.IntegerField(source="ticket.told_revision", allow_null=True)
    released_at = serializers.DateTimeField(source="ticket.released_at", allow_null=True)


class TicketDraftSerializer(serializers.Serializer[Any]):
    """Which system; with a key the ticket exists and is tied, without one it is opened."""

    system = serializers.CharField(max_length=40)
    key = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class TicketSystemSerializer(serializers.Serializer[Any]):
    """A ticket system, without its secrets."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    product = serializers.CharField()
    base_url = serializers.CharField()
    account = serializers.CharField()
    settings = serializers.DictField()
    enabled = serializers.BooleanField()
    changed_at = serializers.DateTimeField()


class TicketSystemDraftSerializer(serializers.Serializer[Any]):
    """What to set up; `secret` is a password, or a bearer token if `account` is empty."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=100)
    product = serializers.CharField(max_length=20)
    base_url = serializers.CharField(max_length=500)
    account = serializers.CharField(max_length=200, allow_blank=True, default="")
    secret = serializers.CharField(max_length=4000, trim_whitespace=False)
    settings = serializers.DictField(default=dict)
    enabled = serializers.BooleanField(default=True)


class TicketSystemChangeSerializer(serializers.Serializer[Any]):
    """What to change; the rest stays as it is. Another address or account needs the secret again."""

    name = serializers.CharField(max_length=100, required=False)
    base_url = serializers.CharField(max_length=500, required=False)
    account = serializers.CharField(max_length=200, allow_blank=True, required=False)
    secret = serializers.CharField(max_length=4000, trim_whitespace=False, required=False)
    settings = serializers.DictField(required=False)
    enabled = serializers.BooleanField(required=False)


class Tickets(ApiView):
    """The tickets that stand for one change request."""

    @extend_schema(summary="List the tickets of a change request", responses=TicketSerializer(many=True), tags=TAG)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Each with what was read of it and when; released ones last."""
        change_request = permissions.visible_request(user=sender(request), change_request_id=id)
        rows = Ticket.objects.filter(change_request=change_request).select_related("system")
        return Response(TicketSerializer(shown_of(list(rows), now=clock.now()), many=True).data)

    @extend_schema(
        summary="Open a ticket for a change request, or tie one",
        request=TicketDraftSerializer,
        responses={201: TicketSerializer},
        tags=TAG,
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """
        With a key the ticket is read first, and refused if its system does not have it; without one it is opened soon.

        Sent again, a tie answers the ticket that is tied, and an opening is refused: a change has one ticket of a
        system. So no Idempotency-Key is needed.
        """
        permissions.visible_request(user=sender(request), change_request_id=id)
        values = parsed(TicketDraftSerializer, request)
        asked: dict[str, Any] = {
            "change_request_id": id,
            "system_code": values["system"],
            "user": sender(request),
            "now": clock.now(),
        }
        key = values["key"].strip()
        ticket = services.tie(key=key, **asked) if key else services.open_ticket(**asked)
        return told(ticket, code=status.HTTP_201_CREATED)


class TicketOfChange(ApiView):
    """One of the tickets of a change request."""

    @extend_schema(summary="Read a ticket from its system now", request=None, responses=TicketSerializer, tags=TAG)
    def post(self, request: Request, id: uuid.UUID, ticket_id: uuid.UUID) -> Response:
        """Ask the system; 424 if it gives no usable answer."""
        check_of(request, id, ticket_id)
        return told(services.refresh(ticket_id=ticket_id, user=sender(request), now=clock.now()))


class TicketRetry(ApiView):
    """What was to be told to a ticket and was given up."""

    @extend_schema(summary="Tell a ticket again", request=None, responses=TicketSerializer, tags=TAG)
    @idempotent
    def post(self, request: Request, id: uuid.UUID, ticket_id: uuid.UUID) -> Response:
        """Send what was given up again, once its problem is mended."""
        check_of(request, id, ticket_id)
        return told(services.try_again(ticket_id=ticket_id, user=sender(request), now=clock.now()))


class TicketRelease(ApiView):
    """The tie between a ticket and a change request."""

    @extend_schema(summary="Release a ticket", request=None, responses=TicketSerializer, tags=TAG)
    @idempotent
    def post(self, request: Request, id: uuid.UUID, ticket_id: uuid.UUID) -> Response:
        """The ticket stands for nothing then, and may stand for another change."""
        check_of(request, id, ticket_id)
        return told(services.release(ticket_id=ticket_id, user=sender(request), now=clock.now()))


class TicketSystems(ApiView):
    """The ticket systems of this installation, for administrators."""

    @extend_schema(summary="List ticket systems", responses=TicketSystemSerializer(many=True), tags=TAG)
    def get(self, request: Request) -> Response:
        """Every system, without its secrets."""
        systems.check_may_configure(user=sender(request))
        return Response(TicketSystemSerializer(TicketSystem.objects.order_by("code"), many=True).data)

    @extend_schema(
        summary="Set up a ticket system",
        request=TicketSystemDraftSerializer,
        responses={201: TicketSystemSerializer},
        tags=TAG,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Takes effect at once; the secret is kept encrypted and never shown again."""
        systems.check_may_configure(user=sender(request))
        values = parsed(TicketSystemDraftSerializer, request)
        made = systems.add(asked=systems.SystemSettings(**values), actor=sender(request), now=clock.now())
        return Response(TicketSystemSerializer(made).data, status=status.HTTP_201_CREATED)


class TicketSystemDetail(ApiView):
    """One ticket system."""

    @extend_schema(
        summary="Change a ticket system",
        request=TicketSystemChangeSerializer,
        responses=TicketSystemSerializer,
        tags=TAG,
    )
    @idempotent
    def patch(self, request: Request, id: uuid.UUID) -> Response:
        """Takes effect at once; code and product stay."""
        systems.check_may_configure(user=sender(request))
        system = TicketSystem.objects.filter(id=id).first()
        if system is None:
            raise NotFound("There is no such ticket system.")
        values = parsed(TicketSystemChangeSerializer, request)
        kept = {
            name: getattr(system, name)
            for name in ("code", "product", "name", "base_url", "account", "settings", "enabled")
        }
        asked = systems.SystemSettings(**(kept | {"secret": None} | values))
        changed = systems.change(system_id=id, asked=asked, actor=sender(request), now=clock.now())
        return Response(TicketSystemSerializer(changed).data)


def check_of(request: Request, id: uuid.UUID, ticket_id: uuid.UUID) -> None:
    """
    Refuse a ticket of another change request than the address names.

    :raises NotFound: if it is, or the sender may not see the request
    """
    permissions.visible_request(user=sender(request), change_request_id=id)
    if services.visible_ticket(ticket_id=ticket_id, user=sender(request)).change_request_id != id:
        raise NotFound("There is no such ticket, or its change touches what is not granted to you.")


def told(ticket: Ticket, *, code: int = status.HTTP_200_OK) -> Response:
    """Answer with a ticket as it stands."""
    found = Ticket.objects.select_related("system").get(id=ticket.id)
    (shown,) = shown_of([found], now=clock.now())
    return Response(TicketSerializer(shown).data, status=code)
