"""What changed between two revisions, and who is told of it."""

import time

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from approvals.governed import Draft
from approvals.requests import review, rounds, services
from approvals.requests.differences import Part, words
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Rationale, Waiver
from approvals.requests.schedules import Schedule
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.world import World, approve, fresh, revision_of


def ask(request: ChangeRequest, reviewer: User) -> None:
    review.ask_for_changes(
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=reviewer,
        now=given.NOW,
        comment="Why?",
    )


def edited_mails() -> list[tuple[str, str]]:
    mails = [row.payload for row in OutboxMessage.objects.filter(kind="mail") if "was edited" in row.payload["subject"]]
    return [(str(mail["user_id"]), mail["text"]) for mail in mails]


class TestWords:
    def test_mark_what_was_removed_and_added(self) -> None:
        parts = words("Five seats for Nordwind.", "Six seats for Nordwind, as ordered.")

        assert [(one.part, one.text) for one in parts] == [
            (Part.REMOVED, "Five "),
            (Part.ADDED, "Six "),
            (Part.SAME, "seats for Nordwind"),
            (Part.ADDED, ", as ordered"),
            (Part.SAME, "."),
        ]

    @example(old=st.text(max_size=60), new=st.text(max_size=60))
    def test_hold_both_texts_whole(self, old: str, new: str) -> None:
        parts = words(old, new)

        assert "".join(one.text for one in parts if one.part != Part.ADDED) == old
        assert "".join(one.text for one in parts if one.part != Part.REMOVED) == new

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (" ".join(f"a{n}" for n in range(1_400)), " ".join(f"b{n}" for n in range(1_400))),
            ("a " * 1_400, "b a " * 700),
            (" ." * 1_400, ". a" * 460),
            (" ".join(f"w{n % 140}" for n in range(1_400)), " ".join(f"w{n * 7 % 141}" for n in range(1_400))),
        ],
    )
    def test_of_a_rewritten_page_take_no_minutes(self, old: str, new: str) -> None:
        began = time.process_time()

        words(old, new)

        assert time.process_time() - began < 5

    def test_of_a_long_text_with_a_small_edit_are_told_word_by_word(self) -> None:
        text = " ".join(f"w{n}" for n in range(20_000))

        parts = words(text, text.replace("w10000", "changed"))

        assert [one.text for one in parts if one.part != Part.SAME] == ["w10000 ", "changed "]

    def test_of_very_long_texts_are_told_whole(self) -> None:
        old, new = "a " * 5_000, "b " * 5_000

        assert [(one.part, one.text) for one in words(old, new)] == [(Part.REMOVED, old), (Part.ADDED, new)]


@pytest.mark.django_db
class TestDifference:
    def test_of_a_value_is_told_whole_in_words(self, world: World) -> None:
        request = world.propose(Draft("entitlement.amend", {"seats": 7}, world.trial.id))
        again = Draft("entitlement.amend", {"seats": 9}, world.trial.id)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[again])

        found = rounds.difference(change_request=fresh(request), older=1, newer=2)

        (item,) = found.items
        assert item.change == "changed"
        assert [(line.label, line.old, line.new, line.unit) for line in item.lines] == [("Seats", "7", "9", "seats")]
        assert found.texts == ()

    def test_tells_items_added_and_removed(self, world: World) -> None:
        request = world.propose(world.grant())
        services.amend(
            change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(phase="bridge")]
        )

        found = rounds.difference(change_request=fresh(request), older=1, newer=2)

        assert sorted(item.change for item in found.items) == ["added", "removed"]
        assert all(item.lines for item in found.items)

    def test_tells_title_rationale_schedule_waiver_and_first_line(self, world: World) -> None:
        request = world.propose()
        opens_at = given.NOW.replace(month=4)
        services.amend(
            change_request_id=request.id,
            author=world.author,
            now=given.NOW,
            title="Another title",
            rationale=Rationale("Because.", "None.", ("It works.",), "Undo it."),
            waiver=Waiver("Agreed.", "Head of sales"),
            schedule=Schedule(opens_at, opens_at.replace(hour=12), "Europe/Berlin"),
        )

        found = rounds.difference(change_request=fresh(request), older=1, newer=2)

        assert {value.label for value in found.values} == {"Title", "When", "Waiver"}
        assert [text.label for text in found.texts] == [
            "Justification",
            "Expected impact",
            "It worked if",
            "Rollback",
        ]
        when = next(value for value in found.values if value.label == "When")
        assert (when.old, "Europe/Berlin" in str(when.new)) == ("when somebody applies it", True)

    def test_tells_a_stage_that_the_policy_asks_for_now(self, world: World) -> None:
        request = world.propose()
        given.user("legal")
        given.record("policy.create", name="Terms", stages=[{"position": 9, "role": "legal", "quorum": 1}])
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        found = rounds.difference(change_request=fresh(request), older=1, newer=2)

        assert any("legal" in str(stage.new) for stage in found.stages)

    def test_of_a_revision_with_itself_is_nothing(self, world: World) -> None:
        request = world.propose()

        assert rounds.difference(change_request=request, older=1, newer=1).nothing

    def test_of_an_edit_that_changes_nothing_is_nothing(self, world: World) -> None:
        request = world.propose()
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert rounds.difference(change_request=fresh(request), older=1, newer=2).nothing

    def test_refuses_a_revision_that_there_is_not(self, world: World) -> None:
        with pytest.raises(NotFound, match="no revision 3"):
            rounds.difference(change_request=world.propose(), older=1, newer=3)


@pytest.mark.django_db
class TestRounds:
    def test_begin_for_a_reader_where_they_decided(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        for _ in range(2):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        now = fresh(request)
        assert rounds.number_to_compare(change_request=now, user=world.first) == 1
        assert rounds.number_to_compare(change_request=now, user=world.second) == 2

    def test_begin_for_others_where_changes_were_asked(self, world: World) -> None:
        request = world.submit()
        ask(request, world.first)
        for _ in range(2):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert rounds.number_to_compare(change_request=fresh(request), user=world.second) == 1

    def test_list_every_revision_with_its_decisions(self, world: World) -> None:
        request = world.submit()
        ask(request, world.first)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        found = rounds.rounds_of(fresh(request))

        assert [(one.revision.number, len(one.decisions), one.current) for one in found] == [
            (2, 0, True),
            (1, 1, False),
        ]


@pytest.mark.django_db
class TestEdit:
    def test_is_told_to_who_had_decided(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        ((user_id, text),) = edited_mails()
        assert user_id == str(world.first.id)
        assert f"/changes/{request.number}/revisions/?from=1&to=2" in text

    def test_is_told_to_who_had_asked_for_it(self, world: World) -> None:
        request = world.submit()
        ask(request, world.second)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert [user_id for user_id, _ in edited_mails()] == [str(world.second.id)]

    def test_is_not_told_to_who_makes_it_or_sees_it_no_longer(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        User.objects.filter(id=world.first.id).update(is_active=False)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert edited_mails() == []

    def test_is_linked_when_the_next_review_is_asked_for(self, world: World) -> None:
        request = world.submit()
        ask(request, world.first)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        asked = [
            row.payload["text"]
            for row in OutboxMessage.objects.filter(kind="mail")
            if "waits for" in row.payload["subject"]
        ]
        assert sum("/revisions/" in text for text in asked) == 2
