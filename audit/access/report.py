"""The report as people and programs read it: logins, rights, conflicts, as far as the reader may know of where."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit import subjects
from audit.access.conflicts import conflicts
from audit.access.population import Holder, Population
from audit.access.port import REGISTRY, Conflict, Reach, Right
from audit.reads.collecting import gave_export
from foundation.errors import NotPermitted
from foundation.identity.models import User
from foundation.identity.naming import named
from foundation.web.spreadsheets import lines

VIEW = "audit.view_access"
HIDDEN = "something that is not granted to you"
RIGHTS_HEAD = (
    "Login", "Name", "Human", "Active", "Last sign-in", "Sort of right", "Right", "On", "By role", "Ends", "Last used",
)  # fmt: skip
CONFLICTS_HEAD = ("Rule", "Weight", "What", "Logins")


@dataclass(frozen=True)
class Row:
    """One login as a row of the page."""

    holder: Holder
    accounts: str
    products: str
    limits: Sequence[str]
    conflicts: Sequence[Conflict]


@dataclass(frozen=True)
class Report:
    """Everything that was found, narrowed to what was asked."""

    rows: Sequence[Row]
    conflicts: Sequence[Conflict]
    population: Population
    granted: Collection[uuid.UUID] | None

    def told(self, right: Right) -> str:
        """A right in words, with where, as far as the reader may know that."""
        where = target_of(right, self.granted)
        return f"{self.words(right)}: {where}" if where else self.words(right)

    def words(self, right: Right) -> str:
        """What a right is, with the names of those whom it mentions."""
        return named(right.words, names={key: str(user) for key, user in self.population.roster.logins.items()})


def check_may_view(user: User) -> None:
    """
    Refuse whoever does not review access.

    :raises NotPermitted: if the user may not
    """
    if not user.is_active or not user.has_perm(VIEW):
        raise NotPermitted("You may not read who holds which rights. Ask an administrator for the role auditor.")


def target_of(right: Right, granted: Collection[uuid.UUID] | None) -> str:
    """Where a right holds, or that the reader may not know it."""
    if right.target_id is None or granted is None or right.target_id in granted:
        return right.target_words
    return HIDDEN


def read(*, user: User, now: datetime, text: str = "", role: str = "", rule: str = "") -> Report:
    """
    The report, narrowed by a part of a login or name, by role, or to who is concerned by a rule (`any`: by some).

    :raises NotPermitted: if the user may not read it
    """
    check_may_view(user)
    population = Population.read(now)
    granted = subjects.directory().granted(user)
    limits: dict[uuid.UUID, list[str]] = {}
    for source in REGISTRY.limits:
        for limit in source(now):
            limits.setdefault(limit.human_id, []).append(limit.words)
    found = conflicts(population)
    of_login: dict[uuid.UUID, list[Conflict]] = {}
    for conflict in found:
        for key in conflict.login_ids:
            of_login.setdefault(key, []).append(conflict)
    rows = [
        Row(
            holder,
            _where(holder, Reach.ACCOUNTS, granted),
            _where(holder, Reach.PRODUCTS, granted),
            limits.get(holder.user.human_id, ()),
            of_login.get(key, ()),
        )
        for key, holder in population.holders.items()
        if _fits(holder, of_login.get(key, ()), text.strip().casefold(), role, rule)
    ]
    shown = [one for one in found if rule in ("", "any", one.rule)]
    return Report(rows, shown, population, granted)


def rights_as_csv(*, user: User, now: datetime) -> Iterator[str]:
    """
    One row a right, as CSV; the export is noted.

    :raises NotPermitted: if the user may not read it
    """
    report = read(user=user, now=now)
    gave_export("who holds which rights", "CSV")
    return lines(RIGHTS_HEAD, _cells(report))


def conflicts_as_csv(*, user: User, now: datetime) -> Iterator[str]:
    """
    One row a conflict, as CSV; the export is noted.

    :raises NotPermitted: if the user may not read it
    """
    report = read(user=user, now=now)
    gave_export("conflicts of rights", "CSV")
    logins = report.population.roster.logins
    return lines(
        CONFLICTS_HEAD,
        (
            (one.rule, weight(one), one.sentence, ", ".join(logins[key].get_username() for key in one.login_ids))
            for one in report.conflicts
        ),
    )


def weight(conflict: Conflict) -> str:
    """How heavy one weighs, in a word."""
    return "note" if conflict.is_note else "conflict"


def _cells(report: Report) -> Iterator[tuple[object, ...]]:
    for row in report.rows:
        user = row.holder.user
        own = (user.get_username(), user.get_full_name(), user.human_id, user.is_active, _utc(user.last_login))
        for right in row.holder.rights:
            sort = REGISTRY.sources[right.source].words
            where = target_of(right, report.granted)
            by = right.role if right.login_id is None else ""
            yield *own, sort, report.words(right), where, by, _utc(right.ends_at), _utc(right.used_at)
        if not row.holder.rights:
            yield *own, "", "", "", "", "", ""


def _utc(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat()


def _where(holder: Holder, reach: Reach, granted: Collection[uuid.UUID] | None) -> str:
    everything, some = holder.where(reach)
    if everything:
        return f"all {reach}"
    names: Mapping[str, None] = dict.fromkeys(target_of(right, granted) for right in some)
    return ", ".join(names) or "nowhere"


def _fits(holder: Holder, own: Sequence[Conflict], text: str, role: str, rule: str) -> bool:
    named = not text or text in f"{holder.user.get_username()} {holder.user.get_full_name()}".casefold()
    return (
        named
        and (not role or role in holder.roles)
        and (not rule or any(rule in ("any", one.rule) and (rule != "any" or not one.is_note) for one in own))
    )
