"""
Django's own refusals, and those of pages: a problem document for programs, a page with the same sentence for people.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from foundation.api.problems import Problem, kind_of, problem_of, respond
from foundation.errors import DomainError, InvalidInput, NotFound, NotPermitted
from foundation.web.surfaces import is_for_programs

TEMPLATE = "foundation/problem.html"
PARTIAL = "foundation/problem_partial.html"
BROKEN = "500.html"


def refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer a request with a refusal, in the form that its sender reads."""
    problem = problem_of(error)
    if problem is None:
        raise error
    return tell(request, problem)


def tell(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a request with a problem, in the form that its sender reads."""
    if is_for_programs(request):
        return respond(problem, request=request)
    template = PARTIAL if getattr(request, "htmx", False) else TEMPLATE
    response = render(request, template, {"problem": problem}, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 (`handler400`)."""
    kind = kind_of(type(exception))
    if kind.status >= 500:
        return refuse(request, InvalidInput("The request is malformed."))
    return tell(request, Problem(kind.code, kind.title, kind.status, kind.detail or "The request is malformed."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 (`handler403`); the message of the exception is a sentence for the reader, if it has one."""
    return refuse(request, NotPermitted(str(exception) or "You may not do this. Ask an administrator for access."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 (`handler404`)."""
    return refuse(request, NotFound("There is no such page, or you may not see it."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 (`handler500`), without anything that could be what broke."""
    kind = kind_of(Exception)
    problem = Problem(kind.code, kind.title, kind.status, kind.detail)
    if is_for_programs(request):
        return respond(problem, request=request)
    # Without the request: context processors could be what broke.
    return HttpResponse(render_to_string(BROKEN, {"problem": problem}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose protection against forgery failed (`CSRF_FAILURE_VIEW`)."""
    return refuse(request, NotPermitted("The form was open for too long or came from elsewhere. Load the page again."))
