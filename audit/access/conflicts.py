"""What does not go together among what people hold: values in, sentences out."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain

from audit.access.population import SUPERUSER, Holder, Population
from audit.access.port import REGISTRY, Conflict, Pair

DORMANT = timedelta(days=90)
IDLE = timedelta(days=30)
# What each rule is called on pages; those of pairs and finders are registered by their apps.
_RULES = {
    "superuser_acts": "Superusers who take part",
    "several_logins": "Conflicts over several logins",
    "inactive_login": "Inactive logins that still hold something",
    "dormant_login": "Roles that nobody used for 90 days",
    "idle_token": "Tokens that nobody used for 30 days",
}
LIVE_SOURCES = ("token", "delegation", "role")


def rules() -> dict[str, str]:
    """Every rule by name, with what people call it."""
    return _RULES | {name: name.replace("_", " ").capitalize() for name in (*REGISTRY.pairs, *REGISTRY.finders)}


def conflicts(population: Population) -> list[Conflict]:
    """All of them, conflicts before notes, by rule."""
    own = chain(
        *(_of_human(logins) for logins in population.humans.values()),
        _inactive(population),
        _dormant(population),
        _idle(population),
    )
    found = [*own, *(one for finder in REGISTRY.finders.values() for one in finder(population.at))]
    return sorted(found, key=lambda one: (one.is_note, one.rule, one.sentence))


def _of_human(logins: Sequence[Holder]) -> Iterator[Conflict]:
    name = str(logins[0].user)
    ids = [holder.user.pk for holder in logins]
    for pair in REGISTRY.pairs.values():
        yield from _of_pair(pair, name, logins)
    acting = [
        one.words for key, one in REGISTRY.capabilities.items() if one.acts and any(_besides(h, key) for h in logins)
    ]
    supers = [holder for holder in logins if holder.user.is_superuser]
    if supers and acting:
        yield Conflict("superuser_acts", f"{name} is a superuser, and {' and '.join(acting)} besides.", ids)


def _of_pair(pair: Pair, name: str, logins: Sequence[Holder]) -> Iterator[Conflict]:
    """A human who has both, by what; in one role by itself it is a note."""
    first, second = (_means(logins, key) for key in (pair.first, pair.second))
    if not first or not second:
        return
    words = [REGISTRY.capabilities[key].words for key in (pair.first, pair.second)]
    both = f"{name} {words[0]} ({_listed(first)}) and {words[1]} ({_listed(second)}): {pair.why}"
    holders = [holder for holder in logins if {pair.first, pair.second} & set(holder.may)]
    ids = [holder.user.pk for holder in holders]
    if not any({pair.first, pair.second} <= set(holder.may) for holder in holders):
        yield Conflict("several_logins", f"By several logins, {both}", ids)
    else:
        yield Conflict(pair.name, both, ids, is_note=first == second and len(first) == 1)


def _means(logins: Sequence[Holder], capability: str) -> set[str]:
    """By what a human may do something; being a superuser is told of by itself."""
    return {by for holder in logins for by in holder.may.get(capability, ())} - {SUPERUSER}


def _besides(holder: Holder, capability: str) -> bool:
    return bool(set(holder.may.get(capability, ())) - {SUPERUSER})


def _inactive(population: Population) -> Iterator[Conflict]:
    for holder in population.holders.values():
        live = [right for right in holder.rights if right.source in LIVE_SOURCES and right.login_id == holder.user.pk]
        if not holder.user.is_active and live:
            told = _listed({right.words for right in live})
            yield Conflict("inactive_login", f"{holder.user} can’t sign in and still holds: {told}.", [holder.user.pk])


def _dormant(population: Population) -> Iterator[Conflict]:
    for holder in population.holders.values():
        used = max(filter(None, (holder.user.last_login, holder.user.date_joined, *(r.used_at for r in holder.rights))))
        if holder.user.is_active and holder.roles and used <= population.at - DORMANT:
            sentence = f"{holder.user} holds {_listed(set(holder.roles))} and was last here on {used:%Y-%m-%d}."
            yield Conflict("dormant_login", sentence, [holder.user.pk])


def _idle(population: Population) -> Iterator[Conflict]:
    for holder in population.holders.values():
        for right in holder.rights:
            if right.source == "token" and right.used_at is not None and right.used_at <= population.at - IDLE:
                sentence = (
                    f"A token of {holder.user} was last used on {right.used_at:%Y-%m-%d}, or never since it was made."
                )
                yield Conflict("idle_token", sentence, [holder.user.pk])


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
