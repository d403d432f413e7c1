"""The account tree and its closure: right after any moves, also at the same moment."""

import threading
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from django.db import connection
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st

from approvals.governed import Draft
from approvals.requests import application, review, services
from entitlements.directory import access
from entitlements.directory.models import Account, AccountClosure
from foundation.errors import InvalidInput
from tests import given

MOVES = st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5)), min_size=1, max_size=8)


def reference() -> set[tuple[Any, Any, int]]:
    """The closure as a recursive walk of the parents gives it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE walk AS (SELECT id, id AS above, parent_id, 0 AS depth FROM entitlements_account "
            "UNION ALL SELECT walk.id, parent.id, parent.parent_id, walk.depth + 1 FROM walk "
            "JOIN entitlements_account parent ON parent.id = walk.parent_id WHERE walk.depth < 50) "
            "SELECT above, id, depth FROM walk"
        )
        return set(cursor.fetchall())


def closure() -> set[tuple[Any, Any, int]]:
    return set(AccountClosure.objects.values_list("ancestor_id", "descendant_id", "depth"))


@pytest.mark.django_db
class TestClosure:
    @example(moves=MOVES)
    @settings(max_examples=25)
    def test_is_what_a_recursive_walk_gives_after_any_moves(self, moves: list[tuple[int, int | None]]) -> None:
        accounts = [given.account() for _ in range(6)]

        for child, parent in moves:
            circle = parent is not None and (accounts[child].id, accounts[parent].id) in {row[:2] for row in closure()}
            with pytest.raises(InvalidInput, match="below itself") if circle else nullcontext():
                given.record(
                    "account.amend",
                    target_id=accounts[child].id,
                    parent_id=None if parent is None else accounts[parent].id,
                )

        assert closure() == reference()

    def test_is_not_written_by_the_role_that_serves(self) -> None:
        given.account()

        with pytest.raises(Exception, match="permission denied"):
            AccountClosure.objects.update(depth=7)

    def test_gives_access_to_descendants(self) -> None:
        top = given.account()
        bottom = given.account(parent_id=given.account(parent_id=top.id).id)
        user = given.user("requester", everywhere=False)
        given.grant_access(user, top)

        assert bottom in access.visible_accounts(user)
        given.record("account.amend", target_id=bottom.id, parent_id=given.account().id)
        assert bottom not in access.visible_accounts(user)


@pytest.mark.django_db(transaction=True)
class TestMovesAtTheSameMoment:
    def test_never_close_a_circle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        top, other = given.account(), given.account()
        below_top = given.account(parent_id=top.id)
        below_other = given.account(parent_id=other.id)

        refusals = apply_together(monkeypatch, move(top, below_other), move(other, below_top))

        assert len(refusals) == 1
        assert closure() == reference()
        assert Account.objects.filter(parent__isnull=True).exists()

    def test_leave_the_closure_right_for_an_account_that_is_added_below(self, monkeypatch: pytest.MonkeyPatch) -> None:
        middle = given.account(parent_id=given.account().id)
        bottom = given.account(parent_id=middle.id)
        addition = Draft("account.create", {"code": "added", "name": "Added", "parent_id": str(bottom.id)})

        refusals = apply_together(monkeypatch, move(middle, given.account()), addition)

        assert len(refusals) <= 1
        assert closure() == reference()


def move(account: Account, parent: Account) -> Draft:
    return Draft("account.amend", {"parent_id": str(parent.id)}, account.id)


def apply_together(monkeypatch: pytest.MonkeyPatch, *drafts: Draft) -> list[BaseException]:
    """Apply a request for each draft, so that all have written before one checks, if they can; answers refusals."""
    requests = [approved(draft) for draft in drafts]
    meeting, operator = threading.Barrier(len(drafts)), given.user("it_operations")
    check = application._check_constraints
    refusals: list[BaseException] = []

    def together() -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=1.5)
        check()

    def apply(request_id: Any) -> None:
        try:
            application.apply(change_request_id=request_id, user=operator, now=given.NOW)
        except Exception as error:  # noqa: BLE001  answered
            refusals.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(application, "_check_constraints", together)
    threads = [threading.Thread(target=apply, args=(request.id,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    monkeypatch.undo()
    return refusals


def approved(draft: Draft) -> Any:
    """A request for the draft, approved."""
    author = given.user("requester")
    request = services.propose(title="Move", drafts=[draft], author=author, now=given.NOW, rationale=given.RATIONALE)
    services.submit(change_request_id=request.id, author=author, now=given.NOW)
    for reviewer in (given.user("licensing"), given.user("licensing")):
        review.approve(
            change_request_id=request.id, digest=request.current_revision.digest, reviewer=reviewer, now=given.NOW
        )
    return request
