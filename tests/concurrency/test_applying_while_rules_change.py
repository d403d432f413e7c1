"""Applications at the same instant as a change of policy, of logins or of roles: one of them comes first."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from approvals.policies.eligibility import hold_people
from approvals.policies.locking import hold_policies
from approvals.policies.models import Policy
from approvals.requests.states import Status
from foundation.errors import DomainError
from foundation.identity.models import User
from tests import given
from tests.approvals.world import World, approve, fresh, revision_of
from tests.concurrency.racing import Call, Tally, at_once, check_whole, each_time
from tests.concurrency.test_applying_at_once import applying, version_of
from tests.concurrency.test_deciding_at_once import amending

pytestmark = pytest.mark.django_db(transaction=True)


def stricter() -> Policy:
    """Put a policy in force that asks for legal besides."""
    return given.record("policy.create", name="Legal reads all", stages=[{"position": 1, "role": "legal", "quorum": 1}])


def retiring(policy: Policy) -> Call:
    return partial(given.record, "policy.retire", target_id=policy.id)


def deactivating(user: User) -> Call:
    return lambda: User.objects.filter(pk=user.pk).update(is_active=False)


def leaving(user: User) -> Call:
    return lambda: user.groups.remove(Group.objects.get(name="licensing"))


class TestApplyAndAChangeOfPolicyAtOnce:
    def test_apply_under_the_policies_that_came_first_or_review_again(self, world: World) -> None:
        tally = Tally(("done", "done"), ("PolicyStricter", "done"))
        for seed in each_time():
            request, before = world.approved(amending(world, f"Round {seed}")), version_of(world.trial)
            outcomes = at_once(applying(world, request), stricter, seed=seed)
            tally.add(outcomes)
            policy = outcomes[1].value
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            if not applied:
                assert fresh(request).status == Status.IN_REVIEW
                asked = [stage["role"] for stage in revision_of(request).document["policy"]]
                assert "legal" in asked
            given.record("policy.retire", target_id=policy.id)

    def test_apply_though_a_policy_is_retired(self, world: World) -> None:
        """What becomes weaker does not matter."""
        tally = Tally(("done", "done"))
        legal = given.user("legal")
        for seed in each_time():
            policy = stricter()
            request, before = world.submit(amending(world, f"Round {seed}")), version_of(world.trial)
            roles = [stage["role"] for stage in revision_of(request).document["policy"]]
            approve(request, *([legal] if roles[0] == "legal" else []), world.first, world.second)
            if roles[0] != "legal":
                approve(request, legal)
            tally.add(at_once(applying(world, request), retiring(policy), seed=seed))
            assert check_whole(request, world.trial, version_before=before)


class TestApplyAndTheLossOfADeciderAtOnce:
    @pytest.mark.parametrize("lose", [deactivating, leaving])
    def test_apply_by_a_quorum_that_counts_or_review_again(self, world: World, lose: Callable[[User], Call]) -> None:
        tally = Tally(("done", "done"), ("QuorumLost", "done"))
        for seed in each_time():
            decider = given.user("licensing")
            request, before = world.submit(amending(world, f"Round {seed}")), version_of(world.trial)
            approve(request, world.first, decider)
            outcomes = at_once(applying(world, request), lose(decider), seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            assert fresh(request).status == (Status.APPLIED if applied else Status.IN_REVIEW)
            assert revision_of(request).number == (1 if applied else 2)


class TestHolding:
    """What an application has looked at waits until it ends: otherwise both would be told that they came first."""

    @pytest.mark.parametrize("change", [stricter, "deactivate", "leave"])
    def test_makes_changes_wait(self, world: World, change: Call | str) -> None:
        makers = {"deactivate": deactivating(world.first), "leave": leaving(world.first)}
        call = makers[change] if isinstance(change, str) else change
        with transaction.atomic():
            hold_policies()
            hold_people([world.first.id])
            ended = in_another_session(call)
        assert ended == "LockNotAvailable"
        assert in_another_session(call) == "done"

    def test_lets_other_applications_pass(self, world: World) -> None:
        with transaction.atomic():
            hold_policies()
            hold_people([world.first.id])
            request = in_another_session(lambda: world.apply(world.approved(amending(world, "At the same time"))))
        assert request == "done"


def in_another_session(call: Call) -> str:
    """How a call ends that waits for no lock longer than a moment: `done`, or what PostgreSQL says."""
    ended = []

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '300ms'")
            call()
            ended.append("done")
        except (DatabaseError, DomainError) as error:
            cause = error.__cause__ or error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            ended.append(type(cause).__name__)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return ended[0]
