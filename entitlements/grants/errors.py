"""What the registry's rules refuse, and how the database's own refusals are told."""

from approvals.requests.errors import Ungoverned
from foundation.errors import Conflict, InvalidInput
from foundation.integrity import register_constraint


class NoSeatFree(Conflict):
    """Every seat of a hard-enforced entitlement is held (INV-6)."""

    code = "no_seat_free"
    title = "No seat is free"


class SeatAlreadyHeld(Conflict):
    """A person holds at most one seat of an entitlement (INV-7)."""

    code = "seat_already_held"
    title = "The seat is held already"


class NotInForce(Conflict):
    """A seat is of a right that still gives something."""

    code = "entitlement_not_in_force"
    title = "The entitlement gives no right any more"


class NotServed(Conflict):
    """A seat is for people whom the entitlement serves (INV-13)."""

    code = "account_not_served"
    title = "The entitlement does not serve this account"


class SeatNotHeld(Conflict):
    """There is no such seat to release."""

    code = "seat_not_held"
    title = "No such seat is held"


class Overlap(Conflict):
    """Two entitlements of one account, SKU, phase and order line would be in force at once (INV-5)."""

    code = "entitlement_overlap"
    title = "Two entitlements would overlap"


class BeyondTerms(Conflict):
    """An entitlement gives more than its order line, agreement or SKU revision (INV-13)."""

    code = "beyond_terms"
    title = "Not within what was ordered"


def register() -> None:
    """Tell how the registry's constraints are told."""
    refinements: tuple[tuple[str, type[Conflict] | type[InvalidInput], str, str], ...] = (
        (
            "governed_write",
            Ungoverned,
            "This record changes only by an applied change request. Propose the change.",
            "INV-1",
        ),
        (
            "entitlement_no_overlap",
            Overlap,
            "Another entitlement of this account, SKU, phase and order line is in force then. Change the dates.",
            "INV-5",
        ),
        (
            "seat_pool_within_grant",
            NoSeatFree,
            "Every granted seat is held. Release one, or propose more seats.",
            "INV-6",
        ),
        ("seat_once_per_person", SeatAlreadyHeld, "This person holds a seat of this entitlement already.", "INV-7"),
        ("seat_once_per_device", SeatAlreadyHeld, "This device holds a seat of this entitlement already.", "INV-7"),
        (
            "entitlement_seats_within_sku",
            BeyondTerms,
            "The seats are outside the smallest and largest number that the SKU revision allows.",
            "INV-13",
        ),
        (
            "entitlement_countries_within_sku",
            BeyondTerms,
            "A country is not among those of the SKU revision.",
            "INV-13",
        ),
        (
            "entitlement_within_order_line",
            BeyondTerms,
            "The entitlement lies outside the term of its order line.",
            "INV-13",
        ),
        (
            "entitlement_within_quantity",
            BeyondTerms,
            "Together the entitlements give more seats than the order line has at that time.",
            "INV-13",
        ),
        (
            "order_line_within_agreement",
            BeyondTerms,
            "The order line lies outside the term of its agreement.",
            "INV-13",
        ),
        ("entitlement_account_covered", BeyondTerms, "The agreement does not cover this account.", "INV-13"),
        ("entitlement_ends_after_it_starts", InvalidInput, "An entitlement ends after it starts.", ""),
        (
            "sku_revision_immutable",
            Conflict,
            "Granted terms are immutable. Add a revision of the SKU instead.",
            "INV-13",
        ),
    )
    for name, error_class, message, invariant in refinements:
        register_constraint(name, error_class, message, invariant)
