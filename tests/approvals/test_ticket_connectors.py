"""The connectors' contract: the same cases for every product, against servers that answer as it is documented."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from approvals.tickets.connectors import Approval, Connection, Connector, NewTicket, Note, connector
from approvals.tickets.errors import TicketFailed
from foundation.secrets.services import Secret
from tests.approvals.servicenow_server import ServiceNowServer
from tests.approvals.ticket_servers import (
    ACCOUNT,
    SECRET,
    Answer,
    TicketServer,
)

NEW = NewTicket(correlation=uuid.UUID(int=7), summary="More seats", description="Five more. “Why?” <b>&</b>")


def connection(server: TicketServer, **changed: Any) -> Connection:
    values: dict[str, Any] = {
        "base_url": server.url,
        "account": ACCOUNT,
        "secret": Secret.of(SECRET),
        "settings": server.settings(),
        "seconds": 2.0,
    }
    return Connection(**(values | changed))


def of(server: TicketServer) -> Connector:
    return connector(server.product)


def note(number: int, status: str = "in_review") -> Note:
    return Note(text=f"Step {number}", mark=f"[tenure 07/{number}]", status=status)


def refused(server: TicketServer, **changed: Any) -> TicketFailed:
    """How reading a ticket fails."""
    with pytest.raises(TicketFailed) as caught:
        of(server).read(connection=connection(server, **changed), external_id=made(server))
    return caught.value


def made(server: TicketServer) -> str:
    """The external id of a ticket made by hand; nothing that it takes is interrupted."""
    waiting, server.interruptions = server.interruptions, []
    seen = of(server).find(connection=connection(server), key=server.make())
    server.interruptions = waiting
    return seen.external_id


class TestCreate:
    def test_makes_one_ticket_and_says_what_it_is(self, server: TicketServer) -> None:
        seen = of(server).create(connection=connection(server), ticket=NEW)

        assert server.count() == 1
        assert seen == of(server).find(connection=connection(server), key=seen.key)
        assert seen.url.startswith(server.url)
        assert (seen.approval, seen.status) == (Approval.NOT_REQUESTED, server.status(seen.key))

    def test_makes_no_second_one_when_the_answer_was_lost(self, server: TicketServer) -> None:
        server.lose_next_answer = True
        with pytest.raises(TicketFailed) as caught:
            of(server).create(connection=connection(server), ticket=NEW)
        assert not caught.value.permanent
        assert server.count() == 1

        seen = of(server).create(connection=connection(server), ticket=NEW)

        assert server.count() == 1
        assert server.status(seen.key) == seen.status

    def test_is_one_for_each_correlation(self, server: TicketServer) -> None:
        of(server).create(connection=connection(server), ticket=NEW)
        of(server).create(
            connection=connection(server), ticket=NewTicket(correlation=uuid.uuid4(), summary="B", description="")
        )

        assert server.count() == 2

    def test_is_refused_for_good_without_the_right(self, server: TicketServer) -> None:
        server.interrupt(server.failure(403))

        with pytest.raises(TicketFailed, match="forbids this to our account") as caught:
            of(server).create(connection=connection(server), ticket=NEW)

        assert caught.value.permanent


class TestTell:
    def test_writes_notes_in_their_order(self, server: TicketServer) -> None:
        external_id = made(server)
        for number in (1, 2, 3):
            of(server).tell(connection=connection(server), external_id=external_id, note=note(number), again=False)

        (key,) = keys(server)
        assert [one.strip().splitlines()[0] for one in server.notes(key)] == ["Step 1", "Step 2", "Step 3"]

    def test_writes_no_note_twice_when_the_answer_was_lost(self, server: TicketServer) -> None:
        external_id = made(server)
        server.lose_next_answer = True
        with pytest.raises(TicketFailed):
            of(server).tell(connection=connection(server), external_id=external_id, note=note(1), again=False)

        of(server).tell(connection=connection(server), external_id=external_id, note=note(1), again=True)
        of(server).tell(connection=connection(server), external_id=external_id, note=note(2), again=True)

        (key,) = keys(server)
        assert len(server.notes(key)) == 2

    def test_moves_the_ticket_as_the_settings_say(self, server: TicketServer) -> None:
        external_id = made(server)

        of(server).tell(connection=connection(server), external_id=external_id, note=note(1, "applied"), again=False)
        of(server).tell(connection=connection(server), external_id=external_id, note=note(1, "applied"), again=True)

        (key,) = keys(server)
        assert server.status(key) in ("Done", "Review")
        assert len(server.notes(key)) == 1


class TestRead:
    @pytest.mark.parametrize("approval", ["not_requested", "requested", "approved", "rejected"])
    def test_says_what_the_system_decided(self, server: TicketServer, approval: str) -> None:
        external_id = made(server)
        (key,) = keys(server)
        server.decide(key, approval)

        seen = of(server).read(connection=connection(server), external_id=external_id)

        assert (seen.external_id, seen.key, str(seen.approval)) == (external_id, key, approval)

    def test_takes_a_word_that_it_does_not_know_for_unknown(self, server: TicketServer) -> None:
        external_id = made(server)
        server.decide(keys(server)[0], "waved through")

        seen = of(server).read(connection=connection(server), external_id=external_id)

        assert seen.approval is Approval.UNKNOWN

    def test_finds_no_ticket_of_another_key(self, server: TicketServer) -> None:
        server.make()

        for key in ("CHG9999999", "ITSM-999", "nonsense", "", "CHG1^ORnumber!=1", "../user", "ITSM-1/approval"):
            with pytest.raises(TicketFailed) as caught:
                of(server).find(connection=connection(server), key=key)
            assert caught.value.missing, key

    def test_says_that_a_ticket_is_gone(self, server: TicketServer) -> None:
        external_id = made(server)
        server.remove(keys(server)[0])

        with pytest.raises(TicketFailed, match="has no such ticket") as caught:
            of(server).read(connection=connection(server), external_id=external_id)

        assert caught.value.missing
        assert caught.value.permanent


class TestFailure:
    def test_of_credentials_is_permanent_and_shows_none(self, server: TicketServer) -> None:
        failure = refused(server, secret=Secret.of("wrong secret"))

        assert failure.permanent
        assert "does not accept our credentials" in str(failure)
        assert "wrong secret" not in str(failure)

    def test_of_too_many_requests_waits_as_long_as_asked(self, server: TicketServer) -> None:
        answer = server.failure(429)
        answer.headers["Retry-After"] = "90"
        server.interrupt(answer)

        failure = refused(server)

        assert (failure.permanent, failure.retry_after) == (False, timedelta(seconds=90))
        assert "Rate limit exceeded" in str(failure)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("Mon, 02 Mar 2026 10:02:00 GMT", timedelta(minutes=2)),
            ("99999999999999", timedelta(hours=24)),
            ("Mon, 02 Mar 2020 10:02:00 GMT", timedelta()),
            ("soon", None),
            ("-5", None),
        ],
    )
    def test_reads_every_form_of_retry_after(
        self, server: TicketServer, value: str, expected: timedelta | None
    ) -> None:
        answer = Answer(503, None, {"Retry-After": value})
        server.interrupt(answer)
        # The Date header is the server's own clock, which here is this machine's.
        failure = refused(server)

        if value.startswith("Mon, 02 Mar 2026"):
            assert failure.retry_after is not None
        else:
            assert failure.retry_after == expected

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_of_the_system_is_tried_again(self, server: TicketServer, status: int) -> None:
        server.interrupt(server.failure(status))

        assert not refused(server).permanent

    @pytest.mark.parametrize("status", [400, 405, 415, 422])
    def test_of_what_was_asked_is_permanent(self, server: TicketServer, status: int) -> None:
        server.interrupt(server.failure(status))

        assert refused(server).permanent

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>Your instance is hibernating</html>",
            b"",
            b"[]",
            b"null",
            b'{"result": []}',
            b'{"result": {"sys_id": 7}}',
            b'{"issueId": "x", "issueKey": "ITSM-1"}',
            b"[" * 100_000,
        ],
    )
    def test_of_a_malformed_body_is_tried_again(self, server: TicketServer, body: bytes) -> None:
        server.interrupt(Answer(200, body))

        failure = refused(server)

        assert not failure.permanent
        assert len(str(failure)) < 400

    def test_of_a_huge_body_is_tried_again(self, server: TicketServer) -> None:
        server.interrupt(Answer(200, b" " * 1_100_000))

        failure = refused(server)

        assert not failure.permanent
        assert "longer than" in str(failure)

    def test_of_a_redirect_is_permanent_and_follows_nowhere(self, server: TicketServer) -> None:
        server.interrupt(Answer(302, None, {"Location": f"{server.url}/elsewhere"}))

        failure = refused(server)

        assert failure.permanent
        assert not any(one.path == "/elsewhere" for one in server.asked)

    def test_of_a_server_that_is_away_is_tried_again(self, server: TicketServer, settings: Any) -> None:
        settings.HTTP_ALLOWED_INTERNAL_HOSTS = [server.host, "127.0.0.1:9"]
        external_id = made(server)

        with pytest.raises(TicketFailed) as caught:
            of(server).read(connection=connection(server, base_url="http://127.0.0.1:9"), external_id=external_id)

        assert not caught.value.permanent

    def test_of_an_address_inside_the_house_is_permanent(self, server: TicketServer) -> None:
        external_id = made(server)

        with pytest.raises(TicketFailed, match="internal") as caught:
            of(server).read(connection=connection(server, base_url="https://127.0.0.1"), external_id=external_id)

        assert caught.value.permanent

    def test_shows_little_of_what_the_system_says(self, server: TicketServer) -> None:
        said = {"error": {"message": "x" * 5000}, "errorMessage": "y\x00\x1b[2J" * 1000}
        server.interrupt(Answer(400, said))

        failure = str(refused(server))

        assert len(failure) < 500
        assert failure.isprintable()


class TestBearer:
    def test_signs_in_with_a_token_where_there_is_no_account(self, server: TicketServer) -> None:
        external_id = made(server)
        server.bearer = "token-1"

        seen = of(server).read(
            connection=connection(server, account="", secret=Secret.of("token-1")), external_id=external_id
        )

        assert seen.external_id == external_id


def keys(server: Any) -> list[str]:
    """The keys of every ticket."""
    if isinstance(server, ServiceNowServer):
        return [record["number"] for record in server.records.values()]
    return list(server.issues)
