"""Jira Service Management, by its service desk API and Jira's platform API."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from approvals.tickets.connectors import Approval, Connection, NewTicket, Note, Seen
from approvals.tickets.errors import TicketFailed
from approvals.tickets.exchange import ask, malformed, mapping, text

KEY = r"[A-Z][A-Z0-9_]{1,30}-[0-9]{1,10}"
ID = r"[0-9]{1,20}"
# Jira finds a new issue a little after it was made: a creation whose answer was lost is looked for no sooner.
SETTLING = timedelta(seconds=60)
PAGES = 20
Line = Annotated[str, Field(min_length=1, max_length=200)]


class JiraSettings(BaseModel):
    """
    Which service desk, request type and project; which fields a new request gets besides; into which status a request
    is moved when our change reaches a status; and, if an approval counts in some statuses only, which.
    """

    model_config = ConfigDict(extra="forbid")

    service_desk_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    request_type_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,30}$")]
    fields: dict[Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_]{0,79}$")], Any] = {}
    on: dict[str, Line] = {}
    approved_in: list[Line] = []


class Jira:
    """
    Customer requests of a Jira service desk.

    A request that we open says our id in its description; it is searched for before one is made. Notes are internal
    comments.

    Source: Atlassian, Jira Service Management Cloud REST API; Jira Cloud platform REST API
    """

    product = "jira"
    title = "Jira Service Management"
    settings: type[BaseModel] = JiraSettings

    def create(self, *, connection: Connection, ticket: NewTicket) -> Seen:
        """Make a request, unless one says the correlation id already."""
        settings = _settings(connection)
        word = f"tenure{ticket.correlation.hex}"
        found = self._search(connection, settings, word)
        if found is not None:
            return self.read(connection=connection, external_id=found)
        body = {
            "serviceDeskId": settings.service_desk_id,
            "requestTypeId": settings.request_type_id,
            "requestFieldValues": settings.fields
            | {"summary": ticket.summary[:250], "description": f"{ticket.description}\n\n{word}"},
        }
        try:
            made = mapping(ask(connection, "POST", "/rest/servicedeskapi/request", body=body))
            issue_id = text(made.get("issueId"), pattern=ID)
        except TicketFailed as failure:
            if not failure.permanent:
                failure.retry_after = max(failure.retry_after or SETTLING, SETTLING)
            raise
        return _seen(connection, made, self._approval(connection, issue_id, made))

    def find(self, *, connection: Connection, key: str) -> Seen:
        """The request of a key."""
        typed = key.strip().upper()
        try:
            text(typed, pattern=KEY)
        except TicketFailed:
            raise TicketFailed(
                "That is no key of a Jira request. Write it like ITSM-42.", permanent=True, missing=True
            ) from None
        return self._request(connection, typed)

    def read(self, *, connection: Connection, external_id: str) -> Seen:
        """The request of an issue's id, which stays when its key changes."""
        seen = self._request(connection, external_id)
        if seen.external_id != external_id:
            raise malformed()
        return seen

    def tell(self, *, connection: Connection, external_id: str, note: Note, again: bool) -> None:
        """Write an internal comment unless it is there, then move the request into the status that the settings say."""
        if not (again and self._said(connection, external_id, note.mark)):
            ask(
                connection,
                "POST",
                f"/rest/servicedeskapi/request/{_quoted(external_id)}/comment",
                body={"body": f"{note.text}\n{note.mark}", "public": False},
            )
        target = _settings(connection).on.get(note.status)
        if target is not None:
            self._move(connection, external_id, target)

    def _search(self, connection: Connection, settings: JiraSettings, word: str) -> str | None:
        answer = ask(
            connection,
            "POST",
            "/rest/api/3/search/jql",
            body={
                "jql": f'project = "{settings.project}" AND description ~ "{word}" ORDER BY created ASC',
                "fields": ["summary"],
                "maxResults": 1,
            },
        )
        issues = mapping(answer).get("issues")
        if not isinstance(issues, list):
            raise malformed()
        return text(mapping(issues[0]).get("id"), pattern=ID) if issues else None

    def _request(self, connection: Connection, id_or_key: str) -> Seen:
        request = mapping(ask(connection, "GET", f"/rest/servicedeskapi/request/{_quoted(id_or_key)}"))
        return _seen(connection, request, self._approval(connection, id_or_key, request))

    def _approval(self, connection: Connection, id_or_key: str, request: Mapping[str, Any]) -> Approval:
        """Every approval of the request, whatever page it is on; see `approval_of`."""
        rows: list[Mapping[str, Any]] = []
        path = f"/rest/servicedeskapi/request/{_quoted(id_or_key)}/approval"
        for _ in range(PAGES):
            page = mapping(ask(connection, "GET", path, query={"start": str(len(rows)), "limit": "50"}))
            values = page.get("values")
            if not isinstance(values, list):
                raise malformed()
            rows += [mapping(value) for value in values]
            if page.get("isLastPage") is not False:
                break
            if not values:
                raise malformed()
        else:
            return Approval.UNKNOWN
        found = approval_of(rows)
        counted = _settings(connection).approved_in
        if found is Approval.APPROVED and counted and _status(request) not in counted:
            return Approval.REQUESTED
        return found

    def _said(self, connection: Connection, external_id: str, mark: str) -> bool:
        # The newest first, as plain text; ours is among them unless hundreds were written since the last attempt.
        answer = ask(
            connection,
            "GET",
            f"/rest/api/2/issue/{_quoted(external_id)}/comment",
            query={"orderBy": "-created", "maxResults": "100"},
        )
        comments = mapping(answer).get("comments")
        if not isinstance(comments, list):
            raise malformed()
        return any(mark in str(mapping(comment).get("body") or "") for comment in comments)

    def _move(self, connection: Connection, external_id: str, target: str) -> None:
        path = f"/rest/api/3/issue/{_quoted(external_id)}"
        issue = ask(connection, "GET", path, query={"fields": "status"})
        if str(mapping(issue, "fields", "status").get("name")) == target:
            return
        offered = mapping(ask(connection, "GET", f"{path}/transitions")).get("transitions")
        if not isinstance(offered, list):
            raise malformed()
        for transition in offered:
            if str(mapping(transition, "to").get("name")) == target:
                chosen = text(transition.get("id"), pattern=ID)
                ask(connection, "POST", f"{path}/transitions", body={"transition": {"id": chosen}})
                return
        raise TicketFailed(
            f"The request's workflow offers no way into the status “{target}” now. Move it there by hand, or correct"
            " the system's settings, then try again.",
            permanent=True,
        )


def approval_of(rows: list[Mapping[str, Any]]) -> Approval:
    """
    What a request's approvals say together: while one is open it is asked for, and then the newest decides.

    A word that we do not know makes the whole unknown.
    """
    if not rows:
        return Approval.NOT_REQUESTED
    decisions = [(_created(row), str(row.get("finalDecision") or "").lower()) for row in rows]
    said = {decision for _, decision in decisions}
    if said - {"approved", "declined", "pending"}:
        return Approval.UNKNOWN
    if "pending" in said:
        return Approval.REQUESTED
    _, newest = max(decisions)
    return Approval.APPROVED if newest == "approved" else Approval.REJECTED


def _created(row: Mapping[str, Any]) -> tuple[int, int]:
    """When an approval was made, and its id: what was made at once is in the order of ids."""
    created = row.get("createdDate")
    millis = created.get("epochMillis") if isinstance(created, Mapping) else 0
    return (millis if isinstance(millis, int) else 0), int(text(row.get("id"), pattern=ID))


def _settings(connection: Connection) -> JiraSettings:
    return JiraSettings.model_validate(connection.settings)


def _quoted(id_or_key: str) -> str:
    return quote(id_or_key, safe="")


def _status(request: Mapping[str, Any]) -> str:
    return str(mapping(request, "currentStatus").get("status") or "")[:100]


def _seen(connection: Connection, request: Mapping[str, Any], approval: Approval) -> Seen:
    key = text(request.get("issueKey"), pattern=KEY)
    return Seen(
        external_id=text(request.get("issueId"), pattern=ID),
        key=key,
        url=f"{connection.base_url.rstrip('/')}/browse/{key}",
        status=_status(request),
        approval=approval,
    )
