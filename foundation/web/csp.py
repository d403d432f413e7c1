"""The Content-Security-Policy, wider under /admin/ than anywhere else."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ADMIN_PREFIX = "/admin/"


class TenureCSPMiddleware(CSPMiddleware):
    """
    Send the policy, with `ADMIN_CONTENT_SECURITY_POLICY` in place of its directives under /admin/ only.

    The admin's Alpine build evaluates expressions and styles inline; nothing else may.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the parts that the header is built from."""
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN_PREFIX) and parts.replace is None:
            parts.replace = settings.ADMIN_CONTENT_SECURITY_POLICY
        return parts
