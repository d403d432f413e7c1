"""The pages that take and give the files of a change request."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from approvals.attachments.services import attach, attachment_of, content_of
from approvals.portal import files, reading
from approvals.portal.views import Change, SignedInPage
from foundation.errors import DomainError, InvalidInput
from foundation.web.downloads import serve


class Attach(Change):
    """A file for a request; the page is shown again where the file was sent."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Send readers who follow the form's address to the page."""
        return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Keep it, or tell why not."""
        change_request = reading.found(number=number, user=self.user)
        try:
            file = files.posted(request)
            if file is None:
                raise InvalidInput("Choose a file first.")
            kept = attach(change_request_id=change_request.id, author=self.user, file=file, now=self.now)
        except DomainError as error:
            response = self.show(number, file_refused=error.message)
            response.status_code = error.status
            return response
        messages.success(request, f"“{kept.name}” is kept with the change.")
        return HttpResponseRedirect(f"{reverse('approvals:change-request', args=[number])}#file-{kept.id}")


class File(SignedInPage):
    """One file, as a download."""

    def get(self, request: HttpRequest, number: int, attachment_id: UUID) -> HttpResponse:
        """Serve it to whoever sees the request."""
        file = attachment_of(reading.found(number=number, user=self.user), attachment_id)
        return serve(
            request=request,
            name=file.name,
            media_type=file.media_type,
            content=content_of(file),
            digest=file.blob_id,
        )
