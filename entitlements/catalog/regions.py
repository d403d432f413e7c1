"""Countries and named groups of them."""

from collections.abc import Iterable

import pycountry

from entitlements.catalog.models import RegionGroup
from foundation.errors import InvalidInput

COUNTRY_CODES = frozenset(country.alpha_2 for country in pycountry.countries)
CURRENCY_CODES = frozenset(currency.alpha_3 for currency in pycountry.currencies)


def check_countries(codes: Iterable[str]) -> None:
    """
    Refuse codes that are not ISO 3166-1 alpha-2 countries.

    :raises InvalidInput: naming them
    """
    unknown = sorted(set(codes) - COUNTRY_CODES)
    if unknown:
        raise InvalidInput(
            f"{', '.join(unknown)}: not ISO 3166 country codes. Use two letters, such as DE or US.", countries=unknown
        )


def check_currency(code: str) -> None:
    """
    Refuse a code that is not an ISO 4217 currency; nothing is no currency and passes.

    :raises InvalidInput: if it is not
    """
    if code and code not in CURRENCY_CODES:
        raise InvalidInput(f"{code} is not an ISO 4217 currency. Use three letters, such as EUR or USD.", currency=code)


def country_name(code: str) -> str:
    """The country's common name in English, or the code itself."""
    country = pycountry.countries.get(alpha_2=code)
    return getattr(country, "common_name", country.name) if country else code


def expand(regions: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """
    Countries and group codes as sorted countries, and the revision of each group that was expanded.

    :raises InvalidInput: if a code is neither a country nor a group in use
    """
    given = {region.upper() for region in regions}
    names = given - COUNTRY_CODES
    groups = (
        {group.code.upper(): group for group in RegionGroup.objects.filter(retired_at__isnull=True)} if names else {}
    )
    unknown = sorted(names - groups.keys())
    if unknown:
        raise InvalidInput(
            f"{', '.join(unknown)}: neither countries nor region groups. "
            f"Use ISO 3166 codes or one of: {', '.join(sorted(groups)) or 'no group is defined'}.",
            regions=unknown,
        )
    countries = (given & COUNTRY_CODES).union(*(groups[name].countries for name in names))
    return sorted(countries), {groups[name].code: groups[name].revision for name in sorted(names)}
