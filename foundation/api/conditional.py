"""
Versions of records as ETags, so that nobody overwrites what they have not read.

Source: RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2; RFC 6585 section 3
"""

import re

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from foundation.errors import DomainError, InvalidInput

# Weak or strong, quoted, separated by commas.
TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
TAGS = re.compile(rf"\s*{TAG.pattern}(?:\s*,\s*{TAG.pattern})*\s*")
IF_MATCH_PARAMETER = OpenApiParameter(
    name="If-Match",
    location=OpenApiParameter.HEADER,
    required=False,
    type=str,
    description="The ETag that you read. The request is refused if the record has changed since.",
)


class VersionRequired(DomainError):
    """The request would change a record and does not say which version its sender read."""

    code = "version_required"
    title = "Say which version you read"
    status = 428


class VersionChanged(DomainError):
    """The record has another version than the one that the sender read."""

    code = "version_changed"
    title = "The record has changed since you read it"
    status = 412


def etag_of(version: int) -> str:
    """Return the entity tag of a record's version: `"7"`."""
    return f'"{version}"'


def set_etag(response: HttpResponseBase, version: int) -> None:
    """Tell the reader which version this is."""
    response["ETag"] = etag_of(version)


def check_if_match(*, request: HttpRequest | Request, version: int) -> None:
    """
    Refuse unless the request's If-Match names the record's present version, or any (`*`).

    :raises VersionRequired: if the header is missing
    :raises VersionChanged: if it names other versions; a weak tag never matches
    :raises InvalidInput: if it is not a list of entity tags
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise VersionRequired("Send If-Match with the ETag that you read, so that nobody's change is overwritten.")
    if etag_of(version) not in _tags(header, name="If-Match") and header.strip() != "*":
        raise VersionChanged(
            f"The record is at version {version} and you read another. Read it again, then decide.", version=version
        )


def is_not_modified(*, request: HttpRequest | Request, version: int) -> bool:
    """
    Tell whether the reader already has this version: answer 304 then.

    :raises InvalidInput: if If-None-Match is not a list of entity tags
    """
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return etag_of(version) in {tag.removeprefix("W/") for tag in _tags(header, name="If-None-Match")}


def _tags(header: str, *, name: str) -> set[str]:
    if header.strip() == "*":
        return set()
    if not TAGS.fullmatch(header):
        raise InvalidInput(f'{name} must be a list of entity tags, such as "7", or an asterisk.')
    return set(TAG.findall(header))
