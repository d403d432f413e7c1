"""
Refusals as problem documents: the one table from error to problem, and where DRF and Django ask for it.

Source: RFC 9457 (Problem Details for HTTP APIs)
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions, status
from rest_framework.request import Request

from foundation.api.fields import field_errors
from foundation.canonical import jsonable
from foundation.errors import DomainError
from foundation.integrity import contended, refused_by_database

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RESERVED_MEMBERS = frozenset({"type", "title", "status", "detail", "instance", "code", "request_id"})


@dataclass(frozen=True)
class Problem:
    """What a reader is told: `code` names the kind for good, `members` are extension members in JSON values."""

    code: str
    title: str
    status: int
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """
    A row of the table: what every problem of this kind has in common. `detail` replaces a message not meant for
    readers.
    """

    code: str
    title: str
    status: int
    detail: str = ""


# Domain errors carry their own row (`code`, `title`, `status`); these are the errors of the frameworks below. Looked up
# along the error's class hierarchy, so that a subclass is answered as its nearest listed ancestor.
TABLE: Mapping[type[Exception], Kind] = {
    exceptions.ValidationError: Kind("invalid_input", "The input is not valid", 400),
    exceptions.ParseError: Kind("malformed_body", "The body cannot be read", 400),
    exceptions.NotAuthenticated: Kind("not_signed_in", "Sign in first", 401),
    exceptions.AuthenticationFailed: Kind("credentials_refused", "The credentials are not accepted", 401),
    exceptions.PermissionDenied: Kind("not_permitted", "Not permitted", 403),
    exceptions.NotFound: Kind("not_found", "Not found", 404),
    exceptions.MethodNotAllowed: Kind("method_not_allowed", "The method is not allowed here", 405),
    exceptions.NotAcceptable: Kind("not_acceptable", "No acceptable format", 406),
    exceptions.UnsupportedMediaType: Kind("unsupported_media_type", "The body's format is not supported", 415),
    exceptions.Throttled: Kind("too_many_requests", "Too many requests", 429),
    PermissionDenied: Kind("not_permitted", "Not permitted", 403, "You may not do this."),
    Http404: Kind("not_found", "Not found", 404, "There is no such thing here, or you may not see it."),
    RequestDataTooBig: Kind("too_large", "The body is too large", 413, "The body is larger than this server accepts."),
    SuspiciousOperation: Kind("bad_request", "The request cannot be accepted", 400, "The request is malformed."),
    Exception: Kind(
        "internal_error",
        "Something broke",
        500,
        "The request could not be completed. Send it again; if it fails again, tell the operators.",
    ),
}


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that tells of this error, or None if it is not a refusal but a defect."""
    if isinstance(error, DatabaseError):
        refusal = refused_by_database(error) or contended(error)
        return problem_of(refusal) if refusal else None
    if isinstance(error, DomainError):
        return _domain_problem(error)
    kind = kind_of(type(error))
    if kind.status >= status.HTTP_500_INTERNAL_SERVER_ERROR and not isinstance(error, exceptions.APIException):
        return None
    if isinstance(error, exceptions.APIException):
        return _framework_problem(error, kind)
    return Problem(code=kind.code, title=kind.title, status=kind.status, detail=kind.detail)


def kind_of(error_class: type[Exception]) -> Kind:
    """Return the table's row of a framework error's class."""
    return next(TABLE[ancestor] for ancestor in error_class.__mro__ if ancestor in TABLE)


def answer(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """
    Answer DRF's question how an error is told; None passes it on to Django as a defect.

    Django's own response is returned, so that no view's renderer or negotiation can fail on the way.
    """
    problem = problem_of(exc)
    if problem is None:
        return None
    if problem.status >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        logger.warning("A request was answered with %s.", problem.code, exc_info=exc)
    request: Request = context["request"]
    return respond(problem, request=request._request, body_was_read=request.method not in {"GET", "HEAD", "OPTIONS"})


def respond(problem: Problem, *, request: HttpRequest, body_was_read: bool = False) -> HttpResponse:
    """
    Return the problem as a response; errors of fields are pointers into the body, or query parameters without one.
    """
    return HttpResponse(
        json.dumps(document(problem, request=request, body_was_read=body_was_read), ensure_ascii=False).encode(),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )


def document(problem: Problem, *, request: HttpRequest, body_was_read: bool = False) -> dict[str, Any]:
    """Return the problem document of RFC 9457."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    path = quote(request.path.encode("utf-8", "replace"), safe="/-._~:@!$&'()*+,;=")
    members = {name: value for name, value in problem.members.items() if name not in RESERVED_MEMBERS}
    if "errors" in members:
        members["errors"] = field_errors(members["errors"], in_body=body_was_read)
    result = {
        "type": type_uri(problem.code),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"{path}#{request_id}" if request_id else path,
        "code": problem.code,
        **jsonable(members),
    }
    if request_id:
        result["request_id"] = str(request_id)
    return result


def type_uri(code: str) -> str:
    """Return the address that identifies, and explains, problems of this code."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/problems/{code}"


def _domain_problem(error: DomainError) -> Problem:
    headers = {}
    if "retry_after" in error.context:
        headers["Retry-After"] = str(error.context["retry_after"])
    return Problem(error.code, error.title, error.status, error.message, members=error.context, headers=headers)


def _framework_problem(error: exceptions.APIException, kind: Kind) -> Problem:
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = f"{wait:.0f}"
    auth_header = getattr(error, "auth_header", None)
    if auth_header:
        headers["WWW-Authenticate"] = auth_header
    if isinstance(error, exceptions.ValidationError):
        members["errors"] = error.detail
        detail = "One or more values are refused; “errors” names each."
    else:
        detail = kind.detail or _sentence(error.detail)
    # DRF lowers 401 to 403 where no scheme could ask for credentials: its answer stands.
    return Problem(kind.code, kind.title, error.status_code, detail, members=members, headers=headers)


def _sentence(detail: Any) -> str:
    return str(detail) if isinstance(detail, str) else "The request is refused."
