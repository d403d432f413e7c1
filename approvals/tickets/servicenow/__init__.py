"""ServiceNow, by its Table API."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from approvals.tickets.connectors import Approval, Connection, NewTicket, Note, Seen
from approvals.tickets.errors import TicketFailed
from approvals.tickets.exchange import ask, malformed, mapping, text

FIELDS = "sys_id,number,state,approval,correlation_id"
SYS_ID = r"[0-9a-f]{32}"
NUMBER = r"[A-Za-z]{2,16}[0-9]{1,20}"
APPROVALS = {
    "not requested": Approval.NOT_REQUESTED,
    "requested": Approval.REQUESTED,
    "approved": Approval.APPROVED,
    "rejected": Approval.REJECTED,
}
Fields = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")], Annotated[str, Field(max_length=4000)]]


class ServiceNowSettings(BaseModel):
    """
    Which table, which fields a new record gets besides, and which fields are written when our change reaches a status.
    """

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")] = "change_request"
    fields: Fields = {}
    on: dict[str, Fields] = {}


class ServiceNow:
    """
    Change requests, or another task table, of a ServiceNow instance.

    A record that we open carries our id in `correlation_id`; it is looked up before one is made. Notes are work notes.

    Source: ServiceNow, REST API reference, Table API
    """

    product = "servicenow"
    title = "ServiceNow"
    settings: type[BaseModel] = ServiceNowSettings

    def create(self, *, connection: Connection, ticket: NewTicket) -> Seen:
        """Make a record, unless one carries the correlation id already."""
        settings = _settings(connection)
        found = self._query(connection, f"correlation_id={ticket.correlation}", field="correlation_id")
        if found is not None:
            return found
        body = settings.fields | {
            "short_description": ticket.summary[:160],
            "description": ticket.description,
            "correlation_id": str(ticket.correlation),
            "correlation_display": "Tenure",
        }
        answer = ask(connection, "POST", _path(settings), query=_shown(), body=body)
        return _seen(connection, mapping(answer, "result"))

    def find(self, *, connection: Connection, key: str) -> Seen:
        """The record of a number."""
        number = text_of_key(key)
        found = self._query(connection, f"number={number}", field="number")
        if found is None:
            raise TicketFailed(f"The system has no ticket {number}.", permanent=True, missing=True)
        return found

    def read(self, *, connection: Connection, external_id: str) -> Seen:
        """The record of a sys_id."""
        path = f"{_path(_settings(connection))}/{quote(external_id, safe='')}"
        seen = _seen(connection, mapping(ask(connection, "GET", path, query=_shown()), "result"))
        if seen.external_id != external_id:
            raise malformed()
        return seen

    def tell(self, *, connection: Connection, external_id: str, note: Note, again: bool) -> None:
        """Write a work note and the status's fields in one request, unless the note is there."""
        settings = _settings(connection)
        path = f"{_path(settings)}/{quote(external_id, safe='')}"
        if again:
            shown = ask(connection, "GET", path, query=_shown("sys_id,work_notes"))
            if note.mark in _both(mapping(shown, "result"), "work_notes")[1]:
                return
        body = settings.on.get(note.status, {}) | {"work_notes": f"{note.text}\n{note.mark}"}
        mapping(ask(connection, "PATCH", path, query=_shown(), body=body), "result")

    def _query(self, connection: Connection, query: str, *, field: str) -> Seen | None:
        answer = ask(
            connection,
            "GET",
            _path(_settings(connection)),
            query=_shown() | {"sysparm_query": query, "sysparm_limit": "2"},
        )
        rows = answer.get("result") if isinstance(answer, Mapping) else None
        if not isinstance(rows, list):
            raise malformed()
        # An instance ignores a condition that it cannot evaluate and answers any record: what is answered is compared.
        wanted = query.partition("=")[2].lower()
        for row in rows:
            if _both(mapping(row), field)[0].lower() == wanted:
                return _seen(connection, mapping(row))
        return None


def text_of_key(key: str) -> str:
    """
    A record's number, as typed.

    :raises TicketFailed: if it cannot be one
    """
    try:
        return text(key.strip().upper(), pattern=NUMBER)
    except TicketFailed:
        raise TicketFailed(
            "That is no number of a ServiceNow record. Write it like CHG0030001.", permanent=True, missing=True
        ) from None


def _settings(connection: Connection) -> ServiceNowSettings:
    return ServiceNowSettings.model_validate(connection.settings)


def _path(settings: ServiceNowSettings) -> str:
    return f"/api/now/table/{settings.table}"


def _shown(fields: str = FIELDS) -> dict[str, str]:
    return {"sysparm_fields": fields, "sysparm_display_value": "all", "sysparm_exclude_reference_link": "true"}


def _both(record: Mapping[str, Any], field: str) -> tuple[str, str]:
    """A field's value and what people see of it."""
    value = mapping(record, field)
    return str(value.get("value") or ""), str(value.get("display_value") or "")


def _seen(connection: Connection, record: Mapping[str, Any]) -> Seen:
    sys_id = text(_both(record, "sys_id")[0], pattern=SYS_ID)
    table = _settings(connection).table
    approval, _ = _both(record, "approval")
    return Seen(
        external_id=sys_id,
        key=text(_both(record, "number")[0], pattern=NUMBER),
        url=f"{connection.base_url.rstrip('/')}/nav_to.do?uri={table}.do%3Fsys_id%3D{sys_id}",
        status=_both(record, "state")[1][:100],
        approval=APPROVALS.get(approval.strip().lower(), Approval.UNKNOWN),
    )
