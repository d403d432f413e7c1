"""
Every code that an access check can answer, with what it means and who can do something about it.

This table is the one source: the sentence of an answer, its next action, its guidance path and the page
`docs/reason-codes.md` are all taken from it. Codes are part of the public interface: they are added, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

GUIDANCE_PAGE = "/guidance/reason-codes"


class Code(StrEnum):
    """A stable reason code."""

    ALLOWED = "allowed"
    IN_GRACE = "in_grace"

    NO_ENTITLEMENT = "no_entitlement"
    WITHDRAWN = "withdrawn"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    NOT_ACTIVATED = "not_activated"
    TRIAL_IN_PRODUCTION = "trial_in_production"
    ENVIRONMENT_NOT_ALLOWED = "environment_not_allowed"
    ENVIRONMENT_REQUIRED = "environment_required"
    REGION_NOT_ALLOWED = "region_not_allowed"
    REGION_REQUIRED = "region_required"
    RELEASE_NOT_COVERED = "release_not_covered"
    RELEASE_AFTER_UPDATES = "release_after_updates"
    RELEASE_REQUIRED = "release_required"
    FEATURE_NOT_INCLUDED = "feature_not_included"
    FEATURE_OFF = "feature_off"
    SUBJECT_REQUIRED = "subject_required"
    NO_SEAT = "no_seat"
    SEATS_EXHAUSTED = "seats_exhausted"

    ACCOUNT_UNKNOWN = "account_unknown"
    PRODUCT_UNKNOWN = "product_unknown"
    FEATURE_UNKNOWN = "feature_unknown"
    SUBJECT_UNKNOWN = "subject_unknown"
    DEPLOYMENT_UNKNOWN = "deployment_unknown"
    RELEASE_UNKNOWN = "release_unknown"
    STATE_TOO_OLD = "state_too_old"

    DUPLICATE_SEAT = "duplicate_seat"
    OVER_SEATS = "over_seats"
    UPDATES_ENDED = "updates_ended"
    SUPPORT_ENDED = "support_ended"
    ACTIVATION_PENDING_SUCCESSOR = "activation_pending_successor"
    ENVIRONMENT_MISMATCH = "environment_mismatch"


class Outcome(StrEnum):
    """Where a code stands: as the reason of a yes, the reason of a no, or beside a yes."""

    ALLOWED = "allowed"
    DENIED = "denied"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Reason:
    """
    The meaning of one code.

    `sentence` and `action` are format strings over the words of `words.WRITERS`; `actor` is who can act, for
    the page of codes.
    """

    outcome: Outcome
    sentence: str
    explanation: str
    actor: str
    action: str


def guidance_path(code: Code) -> str:
    """Answer the portal path that explains a code."""
    return f"{GUIDANCE_PAGE}#{code.value}"


_OWNER = "The owner of the entitlement"
_ASKER = "Whoever asks the question (the product or its operator)"

_YES: Mapping[Code, Reason] = {
    Code.ALLOWED: Reason(
        Outcome.ALLOWED,
        "The {phase} entitlement allows this{until}.",
        "An entitlement is in force, serves the account and covers everything that was asked.",
        "Nobody has to act",
        "Nothing needs to be done.",
    ),
    Code.IN_GRACE: Reason(
        Outcome.ALLOWED,
        "The {phase} entitlement ended on {ends}; access goes on by grace until {grace_end}.",
        "The right of use has ended, and only the grace of the entitlement still allows access. Coverage shows this"
        " time as a gap: nobody "
        "should plan on it. The code stands among the warnings of the answer, too.",
        _OWNER,
        "Ask {owner} to renew or replace the entitlement before {grace_end}.",
    ),
}

_NO: Mapping[Code, Reason] = {
    Code.NO_ENTITLEMENT: Reason(
        Outcome.DENIED,
        "The account has no entitlement to this product.",
        "No entitlement to the product serves the account, now or near this instant. A parent's entitlement serves "
        "a descendant only where "
        "its agreement says so.",
        "A requester of the account",
        "Request an entitlement to this product for the account.",
    ),
    Code.WITHDRAWN: Reason(
        Outcome.DENIED,
        "The {phase} entitlement was withdrawn.",
        "The entitlement exists but an applied change request withdrew it.",
        _OWNER,
        "Ask {owner} which change request withdrew it, and why.",
    ),
    Code.NOT_STARTED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement starts only on {starts}.",
        "The right of use begins later than the instant asked about. It is allowed from exactly that instant on.",
        _OWNER,
        "Wait until {starts}, or ask {owner} for an earlier start.",
    ),
    Code.ENDED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement ended on {ends} and no grace is left.",
        "The right of use is half-open: it is no longer allowed at its end, unless grace follows; and the grace, if"
        " any, is over.",
        _OWNER,
        "Ask {owner} to extend, convert or replace the entitlement.",
    ),
    Code.NOT_ACTIVATED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement is in force but not activated for this country, account or person yet.",
        "A rollout activates an entitlement in cohorts. The question belongs to none of those that are activated.",
        "The owner of the rollout",
        "Ask {owner} when the rollout reaches this cohort.",
    ),
    Code.TRIAL_IN_PRODUCTION: Reason(
        Outcome.DENIED,
        "A trial entitlement does not allow use in a production deployment.",
        "The account's only near entitlement is a trial whose terms leave out production. Such use is a finding of "
        "its own.",
        _OWNER,
        "Ask {owner} to convert the trial to production, or use a trial or staging deployment.",
    ),
    Code.ENVIRONMENT_NOT_ALLOWED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement does not allow the environment {environment}.",
        "The entitlement lists the environments in which the product may run; the one asked about is not among them.",
        _OWNER,
        "Use one of {environments}, or ask {owner} to add the environment.",
    ),
    Code.ENVIRONMENT_REQUIRED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement is limited to certain environments, and the question names neither a deployment "
        "nor an environment.",
        "Without a deployment or an environment nobody can tell whether the use is within the terms. Unknown means "
        "refuse.",
        _ASKER,
        "Ask again with a deployment or an environment.",
    ),
    Code.REGION_NOT_ALLOWED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement does not allow use in {country}.",
        "The entitlement lists the countries of use; the one asked about is not among them.",
        _OWNER,
        "Ask {owner} to add {country} to the regions of use.",
    ),
    Code.REGION_REQUIRED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement is limited to certain countries, and the question names none.",
        "Without a country nobody can tell whether the use is within the terms. Unknown means refuse.",
        _ASKER,
        "Ask again with the country of use.",
    ),
    Code.RELEASE_NOT_COVERED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement does not cover release {release}.",
        "The entitlement lists the releases it covers; the one asked about is not among them.",
        _OWNER,
        "Use a covered release, or ask {owner} to add release {release}.",
    ),
    Code.RELEASE_AFTER_UPDATES: Reason(
        Outcome.DENIED,
        "Release {release} came out after the right to updates ended on {updates_end}.",
        "The right of use goes on, but only for releases that came out while the right to updates lasted.",
        _OWNER,
        "Use an earlier release, or ask {owner} to renew the updates.",
    ),
    Code.RELEASE_REQUIRED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement covers certain releases only, and the question names none.",
        "Without a release nobody can tell whether the use is within the terms. Unknown means refuse.",
        _ASKER,
        "Ask again with the release in use.",
    ),
    Code.FEATURE_NOT_INCLUDED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement does not include the feature {feature}.",
        "The feature belongs to the product but not to what was granted.",
        _OWNER,
        "Ask {owner} for an edition that includes {feature}.",
    ),
    Code.FEATURE_OFF: Reason(
        Outcome.DENIED,
        "The {phase} entitlement switches the feature {feature} off.",
        "The feature is named in the terms as switched off, or with a quota of zero.",
        _OWNER,
        "Ask {owner} to switch {feature} on.",
    ),
    Code.SUBJECT_REQUIRED: Reason(
        Outcome.DENIED,
        "The {phase} entitlement is counted by {unit}, and the question names no {unit}.",
        "Named-user entitlements need a person, device entitlements a device: otherwise nobody can tell who holds a"
        " seat.",
        _ASKER,
        "Ask again with the {unit} that wants access.",
    ),
    Code.NO_SEAT: Reason(
        Outcome.DENIED,
        "The {unit} holds no seat of the {phase} entitlement.",
        "Everything else is covered, but each person or device needs a seat of its own. Seats can still be assigned.",
        _OWNER,
        "Ask {owner} to assign a seat.",
    ),
    Code.SEATS_EXHAUSTED: Reason(
        Outcome.DENIED,
        "The {unit} holds no seat, and all {seats} seats of the {phase} entitlement are in use.",
        "Everything else is covered, but enforcement is hard and no seat is left. Of a concurrent entitlement this "
        "is answered only to a "
        "named subject without a session of its own.",
        _OWNER,
        "Ask {owner} to release a seat or to request more.",
    ),
}

_UNKNOWN: Mapping[Code, Reason] = {
    Code.ACCOUNT_UNKNOWN: Reason(
        Outcome.DENIED,
        "The registry knows no such account.",
        "The account does not exist, or whoever asks may not see it: the answer is the same.",
        _ASKER,
        "Check the account's id, or ask an administrator for access to it.",
    ),
    Code.PRODUCT_UNKNOWN: Reason(
        Outcome.DENIED,
        "The registry knows no such product.",
        "The product does not exist, or whoever asks may not see it: the answer is the same.",
        _ASKER,
        "Check the product's id or code, or ask an administrator for access to it.",
    ),
    Code.FEATURE_UNKNOWN: Reason(
        Outcome.DENIED,
        "The catalog knows no such feature of this product.",
        "The feature's code is not in the catalog, so no entitlement can include it.",
        _ASKER,
        "Check the feature's code against the catalog.",
    ),
    Code.SUBJECT_UNKNOWN: Reason(
        Outcome.DENIED,
        "The directory knows no such person or device.",
        "The subject is not in the directory, or has been erased from it.",
        _ASKER,
        "Check the subject's id, or provision it from the identity provider.",
    ),
    Code.DEPLOYMENT_UNKNOWN: Reason(
        Outcome.DENIED,
        "The account has no such deployment.",
        "The deployment is not registered for the account, so its environment is unknown. Unknown means refuse.",
        _ASKER,
        "Check the deployment's id, or register the deployment.",
    ),
    Code.RELEASE_UNKNOWN: Reason(
        Outcome.DENIED,
        "The catalog knows no such release of this product.",
        "The release is not in the catalog, so no entitlement can cover it.",
        _ASKER,
        "Check the release against the catalog.",
    ),
    Code.STATE_TOO_OLD: Reason(
        Outcome.DENIED,
        "The stored state is older than the bound within which checks may answer.",
        "A check never answers from a state older than its stated bound. The registry could not be reached for "
        "longer than that.",
        "IT operations",
        "Ask again shortly, and tell IT operations if it stays so.",
    ),
}

_WARNINGS: Mapping[Code, Reason] = {
    Code.DUPLICATE_SEAT: Reason(
        Outcome.WARNING,
        "The subject holds seats in several entitlements that do not replace one another.",
        "One seat would do. Entitlements count as duplicates if both are in force for the same product and share a "
        "feature, and neither "
        "replaces the other, directly or through others. The answer lists them.",
        _OWNER,
        "Release the seats that are not needed.",
    ),
    Code.OVER_SEATS: Reason(
        Outcome.WARNING,
        "More seats are in use than were granted.",
        "Enforcement is soft: the excess is recorded, and informs the renewal.",
        _OWNER,
        "Release seats or request more.",
    ),
    Code.UPDATES_ENDED: Reason(
        Outcome.WARNING,
        "The right to updates has ended.",
        "The product may be used on, but not in releases that came out since.",
        _OWNER,
        "Renew the updates, or stay on an earlier release.",
    ),
    Code.SUPPORT_ENDED: Reason(
        Outcome.WARNING,
        "Support has ended.",
        "The product may be used on, without support.",
        _OWNER,
        "Renew the support.",
    ),
    Code.ACTIVATION_PENDING_SUCCESSOR: Reason(
        Outcome.WARNING,
        "A successor is in force but not activated for this cohort yet.",
        "The answer still rests on the predecessor, which stays in force until the rollout has reached everybody.",
        "The owner of the rollout",
        "Carry the rollout on before the predecessor ends.",
    ),
    Code.ENVIRONMENT_MISMATCH: Reason(
        Outcome.WARNING,
        "The environment named differs from that of the deployment; the deployment's counts.",
        "The question claims another environment than the one the deployment is registered with.",
        _ASKER,
        "Correct the question, or the deployment's registration.",
    ),
}

UNKNOWN_CODES = frozenset(_UNKNOWN)
REASONS: Mapping[Code, Reason] = {**_YES, **_NO, **_UNKNOWN, **_WARNINGS}
