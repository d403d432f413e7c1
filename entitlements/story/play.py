"""The story, step by step: every step is a service that a screen or the API calls as well."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from rich.console import Console
from rich.progress import track

from approvals.requests import application, review, services
from approvals.requests.errors import GapWithoutWaiver, SelfReview
from approvals.requests.models import ChangeRequest
from audit import contributors
from audit.ledger.models import Event
from entitlements.checks.values import Environment
from entitlements.directory.services import stage_details
from entitlements.grants.models import Entitlement
from entitlements.imports.drafts import Placement
from entitlements.imports.parsing import prepare_inventory
from entitlements.imports.services import file_inventory
from entitlements.imports.values import ImportOptions
from entitlements.story import drafts, watching
from entitlements.story.cast import LOGINS
from entitlements.story.drafts import Trial
from entitlements.terminal.inventories import print_filed, print_problems, print_reading
from entitlements.terminal.plans import print_plan
from foundation.identity.models import User

INVENTORY = "inventory.csv"
Cast = dict[str, User]


def is_played() -> bool:
    """Whether the registry has the story's end already."""
    return Entitlement.objects.filter(reference=drafts.PRODUCTION_REFERENCE).exists()


def play(*, console: Console, cast: Cast, now: datetime) -> None:
    """Play the whole story under the clock that starts at `now`."""
    _import_inventory(console, cast, now)
    trial = _record_trial(console, cast, now)
    request = _to_production(console, cast, trial, now)
    _watch(console, cast, trial, now)
    _tell_events(console, request)


def _import_inventory(console: Console, cast: Cast, now: datetime) -> None:
    console.rule("1. An inventory becomes one change request")
    data = (resources.files("entitlements.imports") / "samples" / INVENTORY).read_bytes()
    options = ImportOptions(currency="USD")
    inventory = prepare_inventory(data, options)
    print_reading(console, inventory)
    print_problems(console, inventory.problems)
    filed = file_inventory(
        data=data,
        name=INVENTORY,
        options=options,
        placement=Placement(regions=("DE", "US"), time_zone=drafts.ZONE.key, owner_id=cast["lin"].id),
        author=cast["rosa"],
        now=now,
        rationale=drafts.SETUP_RATIONALE,
    )
    print_filed(console, filed)
    _decide_and_apply(console, filed.change_request.id, cast, now)


def _record_trial(console: Console, cast: Cast, now: datetime) -> Trial:
    console.rule("2. A product team's trial for 180 people in two regions")
    trial = drafts.trial(now=now, owner_id=cast["lin"].id)
    request = services.propose(
        title="Record the trial of Atlas by Product Design",
        drafts=trial.drafts,
        author=cast["rosa"],
        now=now,
        rationale=drafts.SETUP_RATIONALE,
        source="command",
    )
    stage_details(details=trial.details, now=now)
    console.print(services.current(request).plan["summary"])
    _decide_and_apply(console, request.id, cast, now)
    console.print(f"The trial ends on {_local(trial.ends_at)}: in {drafts.DAYS_LEFT} days all 180 would lose Atlas.")
    return trial


def _to_production(console: Console, cast: Cast, trial: Trial, now: datetime) -> ChangeRequest:
    console.rule("3. The production order is proposed, and the plan shows a gap")
    line_id, grant_id = uuid.uuid4(), uuid.uuid4()
    late = drafts.production(of=trial, line_id=line_id, grant_id=grant_id, starts_at=trial.ends_at + timedelta(days=4))
    request = services.propose(
        title="Atlas for Product Design: from trial to production",
        drafts=late,
        author=cast["rosa"],
        now=now,
        rationale=drafts.PRODUCTION_RATIONALE,
        source="command",
    )
    _print_request(console, request)
    try:
        services.submit(change_request_id=request.id, author=cast["rosa"], now=now)
    except GapWithoutWaiver as refusal:
        console.print(f"[bold]Sent to review? Refused:[/] {refusal.message}")
    console.rule("4. It is amended to overlap: production starts a week before the trial ends")
    in_time = drafts.production(
        of=trial, line_id=line_id, grant_id=grant_id, starts_at=trial.ends_at - timedelta(days=7)
    )
    request = services.amend(change_request_id=request.id, author=cast["rosa"], now=now, drafts=in_time)
    _print_request(console, request)
    console.rule("5. The owners of what it touches and two of licensing approve what they read, and it is applied")
    _decide_and_apply(console, request.id, cast, now, show_self_review=True)
    request.refresh_from_db()
    return request


def _print_request(console: Console, request: ChangeRequest) -> None:
    revision = services.current(request)
    console.print(f"Change {request.number}, revision {revision.number}, digest {revision.digest[:16]}…")
    print_plan(console, revision.plan, revision.document["policy"])


def _decide_and_apply(
    console: Console, request_id: uuid.UUID, cast: Cast, now: datetime, *, show_self_review: bool = False
) -> None:
    request = services.submit(change_request_id=request_id, author=cast["rosa"], now=now)
    digest = services.current(request).digest
    if show_self_review:
        try:
            review.approve(change_request_id=request.id, digest=digest, reviewer=cast["rosa"], now=now)
        except SelfReview as refusal:
            console.print(f"[bold]Rosa approves her own change? Refused:[/] {refusal.message}")
    for login in _asked(services.current(request).document["policy"]):
        request = review.approve(change_request_id=request.id, digest=digest, reviewer=cast[login], now=now)
        console.print(f"{cast[login]} approved revision {services.current(request).number}: {request.status_label}.")
    request = application.apply(change_request_id=request.id, user=cast["ida"], now=now)
    console.print(f"[bold green]Change {request.number} is applied by {cast['ida']}.[/]")


def _asked(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The logins that decide, stage by stage, as many as each asks for."""
    found: list[str] = []
    for stage in stages:
        found += [login for login, (role, *_) in LOGINS.items() if role == stage["role"]][: stage["quorum"]]
    return found


def _watch(console: Console, cast: Cast, trial: Trial, now: datetime) -> None:
    console.rule("6. The check is asked for all 180, around every boundary")
    production = Entitlement.objects.get(reference=drafts.PRODUCTION_REFERENCE)
    boundaries = [("production starts", production.starts_at), ("the trial ends", trial.ends_at)]
    moments = [
        ("now", now, Environment.STAGING),
        *((name, at, Environment.STAGING) for name, at in watching.moments_around(boundaries)),
        ("in production, from its start", production.starts_at, Environment.PRODUCTION),
        ("in production, when the trial ends", trial.ends_at, Environment.PRODUCTION),
        ("in production, 30 days later", trial.ends_at + timedelta(days=30), Environment.PRODUCTION),
    ]
    asked = [
        watching.ask_everybody(of=trial, at=at, name=name, environment=environment, asker=cast["lin"], now=now)
        for name, at, environment in track(moments, description="Asking", console=console, transient=True)
    ]
    for moment in asked:
        phases = ", ".join(f"{count} by {phase}" for phase, count in sorted(moment.phases.items()))
        mark = "✓" if moment.allowed == moment.asked else "✗"
        console.print(
            f"{mark} {_local(moment.at)}  {moment.allowed} of {moment.asked} allowed ({phases})  {moment.name}"
        )
    denied = sum(moment.asked - moment.allowed for moment in asked)
    console.print(f"[bold]{len(asked) * drafts.PEOPLE:,} questions, {denied} denied.[/]")
    if denied:
        raise RuntimeError("The story promises that nobody loses access, and somebody did.")


def _tell_events(console: Console, request: ChangeRequest) -> None:
    console.rule("7. What the ledger holds of it")
    events = list(Event.objects.of_change_request(request.id).in_order())
    seats = [event for event in events if event.type == "entitlements.seat.taken"]
    names = {user.id: str(user) for user in User.objects.filter(id__in=[event.actor_id for event in events])}
    for event in (event for event in events if event not in seats):
        actor = names.get(event.actor_id, "The system") if event.actor_id else "The system"
        told = contributors.sentence(type_name=event.type, data=event.data, actor=actor, subject=event.subject_label)
        console.print(f"{_local(event.recorded_at)}  {told}")
    console.print(f"… and {len(seats)} seats, one event each. {Event.objects.count():,} events in all.")


def _local(instant: datetime) -> str:
    return instant.astimezone(drafts.ZONE).strftime("%Y-%m-%d %H:%M:%S %Z")
