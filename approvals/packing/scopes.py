"""Packs about a change request."""

import uuid

from django.urls import reverse

from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.roles import VIEW_REQUESTS
from audit.packs.port import Chosen, id_in
from foundation.errors import NotFound
from foundation.identity.models import User


class ChangeRequestScope:
    """One change request, from its proposal to its end."""

    name = "approvals.changerequest"
    words = "change request"
    permission = VIEW_REQUESTS
    takes_period = False

    def find(self, text: str) -> uuid.UUID | None:
        """The change of an id or a number."""
        number = text.strip().removeprefix("#")
        if not (number.isascii() and number.isdecimal() and len(number) < 18):
            return id_in(text)
        return ChangeRequest.objects.filter(number=int(number)).values_list("id", flat=True).first()

    def label(self, *, subject_id: uuid.UUID | None, user: User) -> str:
        """
        The change's number and title.

        :raises NotFound: if there is none, or the user may not see all that it touches
        """
        if subject_id is None:
            raise NotFound("Say which change request the pack is about.")
        found = permissions.visible_request(user=user, change_request_id=subject_id)
        return f"change {found.number}, “{found.title}”"

    def chosen(self, *, subject_id: uuid.UUID | None) -> Chosen:
        """The request itself."""
        ids = () if subject_id is None else (subject_id,)
        return Chosen(ids, ids, "every event of the change request, and every event about it")

    def address(self, *, subject_id: uuid.UUID) -> str | None:
        """The change's page."""
        number = ChangeRequest.objects.filter(id=subject_id).values_list("number", flat=True).first()
        return None if number is None else reverse("approvals:change-request", args=[number])
