"""What people say about a change: kept as it was said, telling whoever it names and may see it."""

import hashlib
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given as example
from hypothesis import strategies as st

from approvals.discussion.mentions import candidates, split
from approvals.discussion.models import Comment
from approvals.discussion.services import comment
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from audit.models import Event
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import World, approve, fresh, revision_of

pytestmark = pytest.mark.django_db


def say(request: ChangeRequest, author: User, text: str = "A word on this.") -> Comment:
    return comment(change_request_id=request.id, author=author, text=text, now=given.NOW)


def told() -> list[str]:
    """The logins that comments told by mail."""
    mails = [row.payload for row in OutboxMessage.objects.filter(kind="mail") if "comment" in row.payload["subject"]]
    return sorted(str(payload["user_id"]) for payload in mails)


class TestComment:
    def test_is_kept_with_the_revision_that_it_is_about(self, world: World) -> None:
        request = world.submit()

        said = say(request, world.first, "  Why five seats?\r\nThere are three.\n")

        stored = Comment.objects.get()
        assert (stored.id, stored.text) == (said.id, "Why five seats?\nThere are three.")
        assert stored.revision == revision_of(request)

    def test_is_an_event_without_its_text(self, world: World) -> None:
        said = say(world.submit(), world.first, "Secret terms.")

        event = Event.objects.get(type="approvals.change_request.commented")
        assert event.actor_id == world.first.id
        assert event.data["comment_id"] == str(said.id)
        assert event.data["text_digest"] == hashlib.sha256(b"Secret terms.").hexdigest()
        assert b"Secret terms" not in bytes(event.content)

    def test_changes_neither_state_nor_digest_nor_decisions(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        digest = revision_of(request).digest

        say(request, world.author)

        assert (fresh(request).status, revision_of(request).digest) == (Status.IN_REVIEW, digest)
        assert revision_of(request).decisions.count() == 1

    @pytest.mark.parametrize("status", ["draft", "in_review", "approved", "applied"])
    def test_is_allowed_in_every_state(self, world: World, status: str) -> None:
        request = {
            "draft": world.propose,
            "in_review": world.submit,
            "approved": world.approved,
            "applied": lambda: world.apply(world.approved()),
        }[status]()

        say(request, world.author)

        assert fresh(request).status == status

    @pytest.mark.parametrize("text", ["", " \n\t ", "x" * 10_001, "a\x00b", "a\x1bb", "half \ud83d", "\u200b\u200b"])
    def test_is_refused_without_something_that_can_be_kept(self, world: World, text: str) -> None:
        request = world.submit()

        with pytest.raises(InvalidInput):
            say(request, world.first, text)

        assert not Comment.objects.exists()
        assert not Event.objects.filter(type="approvals.change_request.commented").exists()

    def test_may_be_as_long_as_the_database_allows(self, world: World) -> None:
        say(world.submit(), world.first, "x" * 10_000)

    def test_is_not_written_by_who_only_reads(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            say(world.submit(), given.user("auditor"))

    def test_is_not_written_by_who_may_not_see_the_request(self, world: World) -> None:
        with pytest.raises(NotFound):
            say(world.submit(), given.user("licensing", everywhere=False))

    def test_is_not_kept_if_the_event_cannot_be_recorded(self, world: World, break_ledger: Any) -> None:
        request = world.submit()
        break_ledger("approvals.change_request.commented")

        with pytest.raises(LedgerDown), transaction.atomic():
            say(request, world.first)

        assert not Comment.objects.exists()
        assert told() == []

    @pytest.mark.parametrize(
        "statement", ["UPDATE approvals_comment SET text = 'No.'", "DELETE FROM approvals_comment"]
    )
    def test_is_never_changed_or_removed(self, world: World, statement: str) -> None:
        say(world.submit(), world.first)

        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format("approvals_comment"))

        assert Comment.objects.get().text == "A word on this."

    @pytest.mark.parametrize("text", ["", "  ", "x" * 10_001])
    def test_says_something_in_the_database_too(self, world: World, text: str) -> None:
        request = world.submit()

        with pytest.raises(DatabaseError, match="comment_says_something"), transaction.atomic():
            Comment.objects.create(
                change_request=request,
                number=1,
                revision=revision_of(request),
                author=world.first,
                text=text,
                created_at=given.NOW,
            )


class TestMentions:
    def test_tell_who_is_named_and_the_author(self, world: World) -> None:
        said = say(world.submit(), world.first, f"@{world.second.username}, please look. @{world.second.username}!")

        assert said.mentions == [str(world.second.id)]
        assert told() == sorted([str(world.second.id), str(world.author.id)])
        mail = OutboxMessage.objects.get(
            payload__user_id=str(world.second.id), payload__subject__icontains="mentions you"
        )
        assert f"#comment-{said.id}" in mail.payload["text"]

    def test_tell_nobody_who_may_not_see_the_request(self, world: World) -> None:
        blind = given.user("licensing", everywhere=False)
        gone = given.user("licensing", is_active=False)
        request = world.submit()

        hidden = say(request, world.author, f"@{blind.username} @{gone.username} @nobody-at-all")

        assert hidden.mentions == []
        assert told() == []

    def test_tell_nobody_of_their_own_words(self, world: World) -> None:
        other_login = given.user("licensing", human_id=world.author.human_id)

        said = say(world.submit(), world.author, f"@{world.author.username} @{other_login.username}")

        assert said.mentions == []
        assert told() == []

    def test_tell_one_human_once(self, world: World) -> None:
        other_login = given.user("licensing", human_id=world.second.human_id)

        say(world.submit(), world.author, f"@{world.second.username} @{other_login.username}")

        assert len(told()) == 1

    def test_are_refused_beyond_fifty(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="50 is the most"):
            say(world.submit(), world.first, " ".join(f"@user-{number}x" for number in range(101)))

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("@ada", ["ada"]),
            ("(@ada)", ["ada"]),
            ("ask @ada.", ["ada.", "ada"]),
            ("ada@example.com", []),
            ("@ada@example.com", ["ada@example.com"]),
            ("@", []),
            ("@ada, @bob", ["ada", "bob"]),
        ],
    )
    def test_are_names_behind_an_at_sign(self, text: str, names: list[str]) -> None:
        assert list(candidates(text)) == names

    def test_are_marked_where_they_were_told(self) -> None:
        assert list(split("Ask @ada. Or @bob?", names={"ada"})) == [
            ("Ask ", False),
            ("@ada", True),
            (". Or @bob?", False),
        ]

    @example(text=st.text(alphabet="@a.b \n<"), names=st.sets(st.sampled_from(["a", "b", "a.b"])))
    def test_leave_the_text_as_it_was(self, text: str, names: set[str]) -> None:
        parts = list(split(text, names=names))

        assert "".join(part for part, _ in parts) == text
        assert {part[1:] for part, mention in parts if mention} <= names
