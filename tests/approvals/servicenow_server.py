"""A ServiceNow instance on this machine, as its Table API is documented."""

import re
import uuid
from typing import Any

from tests.approvals.ticket_servers import Answer, Asked, TicketServer


class ServiceNowServer(TicketServer):
    """An instance with the table change_request."""

    product = "servicenow"
    STATES = {"-5": "New", "-2": "Scheduled", "-1": "Implement", "0": "Review", "3": "Closed", "4": "Canceled"}
    WORDS = {"not_requested": "not requested"}

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, str]] = {}

    def settings(self) -> dict[str, Any]:
        return {"table": "change_request", "fields": {"type": "normal"}, "on": {"applied": {"state": "0"}}}

    def unauthorized(self) -> Answer:
        body = {
            "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
            "status": "failure",
        }
        return Answer(401, body, {"WWW-Authenticate": 'BASIC realm="Service-now"'})

    def failure(self, status: int) -> Answer:
        message, detail = {
            403: ("Operation Failed", "ACL Exception Insert Failed due to security constraints"),
            404: ("No Record found", "Record doesn't exist or ACL restricts the record retrieval"),
            400: ("Invalid table nowhere", None),
            429: ("Rate limit exceeded", "Rejected by the rule change requests per hour"),
        }.get(status, ("Unexpected error", "Transaction cancelled: maximum execution time exceeded"))
        return Answer(status, {"error": {"message": message, "detail": detail}, "status": "failure"})

    def answer(self, asked: Asked) -> Answer:
        found = re.fullmatch(r"/api/now/table/(\w+)(?:/(\w+))?", asked.path)
        if not found or found[1] != "change_request":
            return self.failure(400)
        sys_id = found[2]
        if sys_id is None and asked.method == "GET":
            field, _, value = asked.query["sysparm_query"].partition("=")
            rows = [row for row in self.records.values() if row.get(field, "").lower() == value.lower()]
            return Answer(200, {"result": [self.shown(row, asked) for row in rows]})
        if sys_id is None and asked.method == "POST":
            key = self.make(**asked.body)
            record = self.of(key)
            return Answer(
                201, {"result": self.shown(record, asked)}, {"Location": f"{self.url}{asked.path}/{record['sys_id']}"}
            )
        if sys_id not in self.records:
            return self.failure(404)
        record = self.records[sys_id]
        if asked.method == "PATCH":
            values = dict(asked.body)
            if note := values.pop("work_notes", ""):
                record["work_notes"] = f"2026-03-02 10:00:00 - Tenure (Work notes)\n{note}\n\n" + record["work_notes"]
            record |= values
        return Answer(200, {"result": self.shown(record, asked)})

    def shown(self, record: dict[str, str], asked: Asked) -> dict[str, Any]:
        assert asked.query["sysparm_display_value"] == "all"
        names = asked.query["sysparm_fields"].split(",")
        return {name: {"value": self.raw(record, name), "display_value": self.seen(record, name)} for name in names}

    def raw(self, record: dict[str, str], name: str) -> str:
        return "" if name == "work_notes" else record.get(name, "")

    def seen(self, record: dict[str, str], name: str) -> str:
        value = record.get(name, "")
        return {"state": self.STATES.get(value, value), "approval": value.title()}.get(name, value)

    def make(self, **values: str) -> str:
        number = f"CHG{30_000 + len(self.records) + 1:07}"
        sys_id = uuid.uuid4().hex
        made = {"sys_id": sys_id, "number": number, "state": "-5", "approval": "not requested", "work_notes": ""}
        self.records[sys_id] = made | values
        return number

    def of(self, key: str) -> dict[str, str]:
        return next(record for record in self.records.values() if record["number"] == key)

    def decide(self, key: str, approval: str) -> None:
        self.of(key)["approval"] = self.WORDS.get(approval, approval)

    def count(self) -> int:
        return len(self.records)

    def notes(self, key: str) -> list[str]:
        return self.of(key)["work_notes"].split("2026-03-02 10:00:00 - Tenure (Work notes)\n")[:0:-1]

    def status(self, key: str) -> str:
        return self.STATES[self.of(key)["state"]]

    def remove(self, key: str) -> None:
        del self.records[self.of(key)["sys_id"]]
