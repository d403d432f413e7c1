"""What is done with a change's tickets on its page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from approvals.portal import reading
from approvals.portal.views import Change
from approvals.requests.models import ChangeRequest
from approvals.tickets import services
from approvals.tickets.models import Ticket
from foundation.errors import DomainError, InvalidInput


class TicketAction(Change):
    """Something done with tickets: one service call, then the page again; a refusal is told where it was asked."""

    def get(self, request: HttpRequest, number: int, **_more: UUID) -> HttpResponse:
        """Send readers who follow the form's address to the page."""
        return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))

    def post(self, request: HttpRequest, number: int, **more: UUID) -> HttpResponse:
        """Do it."""
        try:
            told = self.act(reading.found(number=number, user=self.user), **more)
        except DomainError as error:
            typed = {name: request.POST.get(name, "") for name in ("system", "key")}
            response = self.show(number, ticket_refused=error.message, ticket_typed=typed)
            response.status_code = error.status
            return response
        messages.success(request, told)
        return HttpResponseRedirect(f"{reverse('approvals:change-request', args=[number])}#tickets")

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Make the service call and say what was done."""
        raise NotImplementedError


class OpenTicket(TicketAction):
    """Have a ticket opened."""

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Ask for it."""
        ticket = services.open_ticket(
            change_request_id=change_request.id,
            system_code=self.request.POST.get("system", ""),
            user=self.user,
            now=self.now,
        )
        return f"A ticket is being opened in {ticket.system.name}. Load this page again in a moment to see its key."


class TieTicket(TicketAction):
    """Tie a ticket that exists."""

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Read it and tie it."""
        key = self.request.POST.get("key", "").strip()
        if not key:
            raise InvalidInput("Write the ticket's key, such as CHG0030001 or ITSM-42.")
        ticket = services.tie(
            change_request_id=change_request.id,
            system_code=self.request.POST.get("system", ""),
            key=key,
            user=self.user,
            now=self.now,
        )
        return f"{ticket.key} of {ticket.system.name} is tied to this change, and is told of each step from here on."


class ReadTicket(TicketAction):
    """Read a ticket now."""

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Ask its system."""
        ticket = services.refresh(ticket_id=own(change_request, more["ticket_id"]), user=self.user, now=self.now)
        approval = str(ticket.approval).replace("_", " ")
        return f"{ticket.key} was read: {ticket.status}, approval {approval}."


class RetryTicket(TicketAction):
    """Tell a ticket again."""

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Send what was given up."""
        services.try_again(ticket_id=own(change_request, more["ticket_id"]), user=self.user, now=self.now)
        return "It is sent again. Load this page again in a moment."


class ReleaseTicket(TicketAction):
    """Untie a ticket."""

    def act(self, change_request: ChangeRequest, **more: UUID) -> str:
        """Release it."""
        ticket = services.release(ticket_id=own(change_request, more["ticket_id"]), user=self.user, now=self.now)
        return f"{ticket} is released: it stands for this change no longer."


def own(change_request: ChangeRequest, ticket_id: UUID) -> UUID:
    """The id of a ticket if it is one of the request's; else an id that is nobody's."""
    return ticket_id if Ticket.objects.filter(id=ticket_id, change_request=change_request).exists() else UUID(int=0)
