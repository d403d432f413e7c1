"""A site of Jira Service Management on this machine, as its REST APIs are documented."""

import re
import time
from typing import Any

from tests.approvals.ticket_servers import Answer, Asked, TicketServer


class JiraServer(TicketServer):
    """A site with the service desk 10 of the project ITSM."""

    product = "jira"
    TRANSITIONS = {"Waiting for approval": [("71", "Implementing"), ("81", "Done")], "Implementing": [("81", "Done")]}

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[str, dict[str, Any]] = {}
        # Jira's index learns of an issue a little after it was made.
        self.indexed = True

    def settings(self) -> dict[str, Any]:
        return {"service_desk_id": "10", "request_type_id": "25", "project": "ITSM", "on": {"applied": "Done"}}

    def unauthorized(self) -> Answer:
        return Answer(
            401, {"errorMessage": "Client must be authenticated to access this resource.", "i18nErrorMessage": {}}
        )

    def failure(self, status: int) -> Answer:
        if status == 429:
            return Answer(429, {"errorMessages": ["Rate limit exceeded."]}, {"X-RateLimit-Reset": "2026-03-02T10:01Z"})
        message = {
            403: "You do not have permission to create a request in this service desk.",
            404: "Issue does not exist or you do not have permission to see it.",
        }.get(status, "An unexpected error has occurred.")
        return Answer(status, {"errorMessage": message, "i18nErrorMessage": {"i18nKey": "sd.error", "parameters": []}})

    def answer(self, asked: Asked) -> Answer:
        for pattern, act in (
            (r"/rest/servicedeskapi/request", self.create),
            (r"/rest/servicedeskapi/request/([\w-]+)", self.request),
            (r"/rest/servicedeskapi/request/([\w-]+)/approval", self.approvals),
            (r"/rest/servicedeskapi/request/([\w-]+)/comment", self.comment),
            (r"/rest/api/3/search/jql", self.search),
            (r"/rest/api/2/issue/([\w-]+)/comment", self.comments),
            (r"/rest/api/3/issue/([\w-]+)", self.issue),
            (r"/rest/api/3/issue/([\w-]+)/transitions", self.transitions),
        ):
            if found := re.fullmatch(pattern, asked.path):
                issue = self.of(found[1]) if found.groups() else None
                return act(asked, issue) if issue or not found.groups() else self.failure(404)
        return self.failure(404)

    def of(self, id_or_key: str) -> dict[str, Any] | None:
        return next((one for one in self.issues.values() if id_or_key in (one["id"], one["key"])), None)

    def known(self, key: str) -> dict[str, Any]:
        issue = self.of(key)
        assert issue is not None
        return issue

    def create(self, asked: Asked, _issue: Any) -> Answer:
        body = asked.body
        if (body["serviceDeskId"], body["requestTypeId"]) != ("10", "25"):
            return self.failure(404)
        return Answer(201, self.shown(self.known(self.make(**body["requestFieldValues"]))))

    def request(self, asked: Asked, issue: Any) -> Answer:
        return Answer(200, self.shown(issue))

    def shown(self, issue: dict[str, Any]) -> dict[str, Any]:
        return {
            "_expands": ["participant", "status", "sla"],
            "issueId": issue["id"],
            "issueKey": issue["key"],
            "requestTypeId": "25",
            "serviceDeskId": "10",
            "createdDate": moment(issue["created"]),
            "reporter": {"accountId": "qm:1", "displayName": "Tenure", "active": True},
            "requestFieldValues": [{"fieldId": "summary", "label": "Summary", "value": issue["summary"]}],
            "currentStatus": {
                "status": issue["status"],
                "statusCategory": "INDETERMINATE",
                "statusDate": moment(issue["created"]),
            },
            "_links": {"self": f"{self.url}/rest/servicedeskapi/request/{issue['id']}", "web": f"{self.url}/portal"},
        }

    def approvals(self, asked: Asked, issue: Any) -> Answer:
        start, limit = int(asked.query["start"]), min(int(asked.query["limit"]), 2)
        values = issue["approvals"][start : start + limit]
        return Answer(
            200,
            {
                "_expands": [],
                "size": len(values),
                "start": start,
                "limit": limit,
                "isLastPage": start + limit >= len(issue["approvals"]),
                "_links": {"base": f"{self.url}/rest/servicedeskapi", "context": ""},
                "values": values,
            },
        )

    def comment(self, asked: Asked, issue: Any) -> Answer:
        assert asked.body["public"] is False
        made = {"id": str(1000 + len(issue["comments"])), "body": asked.body["body"], "public": False}
        issue["comments"].append(made)
        return Answer(201, made | {"author": {"accountId": "qm:1"}, "created": moment(issue["created"])})

    def comments(self, asked: Asked, issue: Any) -> Answer:
        assert asked.query["orderBy"] == "-created"
        shown = [{"id": one["id"], "body": one["body"], "jsdPublic": False} for one in reversed(issue["comments"])]
        return Answer(200, {"startAt": 0, "maxResults": 100, "total": len(shown), "comments": shown})

    def search(self, asked: Asked, _issue: Any) -> Answer:
        found = re.fullmatch(r'project = "ITSM" AND description ~ "(\w+)" ORDER BY created ASC', asked.body["jql"])
        if not found:
            return Answer(400, {"errorMessages": ["Error in the JQL Query."], "errors": {}})
        hits = [one for one in self.issues.values() if self.indexed and found[1] in one["description"]]
        shown = [{"id": one["id"], "key": one["key"], "fields": {"summary": one["summary"]}} for one in hits]
        return Answer(200, {"issues": shown, "isLast": True})

    def issue(self, asked: Asked, issue: Any) -> Answer:
        return Answer(
            200, {"id": issue["id"], "key": issue["key"], "fields": {"status": {"name": issue["status"], "id": "1"}}}
        )

    def transitions(self, asked: Asked, issue: Any) -> Answer:
        offered = self.TRANSITIONS.get(issue["status"], [])
        if asked.method == "GET":
            shown = [{"id": key, "name": f"To {name}", "to": {"id": "1", "name": name}} for key, name in offered]
            return Answer(200, {"expand": "transitions", "transitions": shown})
        chosen = dict(offered).get(asked.body["transition"]["id"])
        if chosen is None:
            return Answer(400, {"errorMessages": ["It seems that you have tried an illegal operation."], "errors": {}})
        issue["status"] = chosen
        return Answer(204)

    def make(self, summary: str = "By hand", description: str = "", **values: Any) -> str:
        number = len(self.issues) + 1
        key = f"ITSM-{number}"
        self.issues[key] = values | {
            "id": str(107_000 + number),
            "key": key,
            "summary": summary,
            "description": description,
            "status": "Waiting for approval",
            "approvals": [],
            "comments": [],
            "created": int(time.time() * 1000),
        }
        return key

    def decide(self, key: str, approval: str) -> None:
        word = {"not_requested": "", "requested": "pending", "rejected": "declined"}.get(approval, approval)
        self.known(key)["approvals"] = [self.approval(1, word)] if word else []

    def approval(self, number: int, word: str) -> dict[str, Any]:
        return {
            "id": str(number),
            "name": "Waiting for approval",
            "finalDecision": word,
            "canAnswerApproval": False,
            "approvers": [{"approver": {"accountId": "qm:2", "displayName": "Bela"}, "approverDecision": word}],
            "createdDate": moment(1_772_445_600_000 + number),
            "_links": {"self": f"{self.url}/approval/{number}"},
        }

    def count(self) -> int:
        return len(self.issues)

    def notes(self, key: str) -> list[str]:
        return [one["body"] for one in self.known(key)["comments"]]

    def status(self, key: str) -> str:
        return str(self.known(key)["status"])

    def remove(self, key: str) -> None:
        del self.issues[key]


def moment(millis: int) -> dict[str, Any]:
    """An instant as the service desk API writes it."""
    return {"iso8601": "2026-03-02T10:00:00+0000", "friendly": "Today 10:00", "epochMillis": millis}
