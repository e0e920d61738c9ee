"""All adapters by name. Each is imported when it is asked for, not before."""

# ruff: noqa: E501 - one line an adapter

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Literal, cast

import msgspec

from carriers.base import Adapter

Tier = Literal["first", "experimental"]

FIRST: Tier = "first"
TRIAL: Tier = "experimental"
PUBLIC_PAGE = "public_page"
"""The option by which an account agrees to ask a page that is made for people (`carriers.talks.opted_in`)."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an adapter without importing it.

    `tier` first: every situation its documents describe is rehearsed; experimental: written from documents and samples, waiting
    for its first run against the real service. `batch_size`: numbers per conversation, `apiece`: one call for each of them. `secrets` an account must have;
    `registers`: numbers must be registered, which may cost money; `asynchronous`: the answer is fetched later; `push`: the source
    can call us; `drop`: it reads a drop folder, not the network; `many`: it is asked about many carriers, not its own alone;
    `push_key`: the secret that signs its pushes, where it has no other one for them; `also`: secrets that an account may have
    besides; `options`: the settings that it reads, `public_page` among them where an account has to agree to an unofficial page;
    `base_url` the usual one; `rps` calls a
    second and `daily` calls a day that the source allows unless agreed otherwise (None: not documented); `test_numbers` that
    always answer.
    """

    name: str
    title: str
    tier: Tier
    batch_size: int
    base_url: str = ""
    secrets: tuple[str, ...] = ()
    rps: float | None = None
    daily: int | None = None
    apiece: bool = False
    registers: bool = False
    asynchronous: bool = False
    push: bool = False
    drop: bool = False
    many: bool = False
    push_key: str = ""
    also: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    test_numbers: tuple[str, ...] = ()


class UnknownCarrierError(LookupError):
    """No adapter has this name. The message lists those that exist."""


def _line(name: str, title: str, tier: Tier, batch: int, url: str = "", *secrets: str, **more: Any) -> Description:  # noqa: ANN401 - the fields of Description
    return Description(name=name, title=title, tier=tier, batch_size=batch, base_url=url, secrets=secrets, **more)


# One line an adapter, in the order in which a newcomer should try them. The module is `carriers/<name>`, the class its name in
# camel case: `la_poste` is `carriers.la_poste:LaPoste`. Limits are those of facts/carriers.md; unverified ones err on the slow side.
# fmt: off
_ADAPTERS: tuple[Description, ...] = (
    _line("seventeen_track", "17TRACK", FIRST, 40, "https://api.17track.net/track/v2.2", "api_key", rps=3, registers=True, push=True, many=True,
          push_key="api_key", options=("reregister", "lang", "param")),
    _line("trackingmore", "TrackingMore", FIRST, 40, "https://api.trackingmore.com/v4", "api_key", rps=3, registers=True, push=True, many=True),
    _line("aftership", "AfterShip", FIRST, 50, "https://api.aftership.com/tracking/2026-07", "api_key", rps=5, registers=True, push=True, many=True),
    _line("cainiao", "Cainiao, public page", FIRST, 10, "https://global.cainiao.com", rps=0.2, options=(PUBLIC_PAGE, "language")),
    _line("yunexpress", "YunExpress", FIRST, 20, "http://oms.api.yunexpress.com", "code", "secret", rps=2, apiece=True),
    _line("yanwen", "Yanwen", FIRST, 30, "https://api.track.yw56.com.cn", "merchant_number", rps=2),
    _line("fourpx", "4PX", FIRST, 20, "https://open.4px.com/router/api/service", "app_key", "app_secret", rps=2, apiece=True,
          also=("access_token",), options=("language",)),
    _line("correios", "Correios (SRO Rastro)", FIRST, 50, "https://api.correios.com.br", "user", "access_code", rps=3,
          test_numbers=("DG049186230BR", "DG049186226BR", "DG049186212BR"), options=("posting_card", "contract")),
    _line("russian_post", "Russian Post", FIRST, 3000, "https://tracking.russianpost.ru", "login", "password", rps=1, asynchronous=True,
          options=("mode", "language")),
    _line("dhl_unified", "DHL Shipment Tracking Unified", FIRST, 5, "https://api-eu.dhl.com", "api_key", rps=0.2, daily=250, apiece=True),
    _line("usps", "USPS", FIRST, 5, "https://apis.usps.com", "client_id", "client_secret", rps=0.016, apiece=True, options=("path",)),
    _line("royal_mail", "Royal Mail", FIRST, 20, "https://api.royalmail.net/mailpieces/v2", "client_id", "client_secret", rps=2, apiece=True,
          options=("summary",)),
    _line("la_poste", "La Poste (Okapi)", FIRST, 10, "https://api.laposte.fr/suivi/v2", "api_key", rps=2, options=("language",)),
    _line("ups", "UPS", FIRST, 20, "https://onlinetools.ups.com", "client_id", "client_secret", rps=2, apiece=True,
          options=("transaction_source",)),
    _line("fedex", "FedEx", FIRST, 30, "https://apis.fedex.com", "client_id", "client_secret", rps=2),
    _line("sheet", "Scan sheets of a forwarder", FIRST, 5000, drop=True, many=True, options=("zone",)),
    _line("ship24", "Ship24", TRIAL, 20, "https://api.ship24.com/public/v1", "api_key", rps=2, registers=True, many=True, apiece=True),
    _line("track123", "Track123", TRIAL, 100, "https://api.track123.com/gateway/open-api/tk/v2.1", "api_secret", rps=2, registers=True, many=True),
    _line("parcels_app", "ParcelsApp", TRIAL, 20, "https://parcelsapp.com/api/v3", "api_key", rps=1, asynchronous=True, many=True),
    _line("easypost", "EasyPost", TRIAL, 20, "https://api.easypost.com/v2", "api_key", rps=3, registers=True, push=True,
          test_numbers=("EZ1000000001",), many=True, apiece=True),
    _line("shippo", "Shippo", TRIAL, 20, "https://api.goshippo.com", "api_token", rps=3, push=True, test_numbers=("SHIPPO_TRANSIT",), many=True, apiece=True,
          options=("register",)),
    _line("shipengine", "ShipEngine", TRIAL, 20, "https://api.shipengine.com/v1", "api_key", rps=3, many=True, apiece=True),
    _line("mydhl", "MyDHL (DHL Express)", TRIAL, 10, "https://express.api.dhl.com/mydhlapi", "user", "password", rps=1, apiece=True),
    _line("dhl_express", "DHL Express (legacy XML)", TRIAL, 10, "https://xmlpi-ea.dhl.com/XMLShippingServlet", "site_id", "password", rps=1),
    _line("dhl_parcel_de", "DHL Paket (Germany)", TRIAL, 20, "https://api-eu.dhl.com/parcel/de/tracking/v0", "api_key", "user", "password",
          rps=1, apiece=True, also=("app_name", "app_password")),
    _line("chronopost", "Chronopost", TRIAL, 20, "https://ws.chronopost.fr/tracking-cxf/TrackingServiceWS", rps=1, apiece=True),
    _line("bpost", "bpost", TRIAL, 20, "https://api-parcel.bpost.be/services", "account_id", "passphrase", rps=1, apiece=True),
    _line("canada_post", "Canada Post", TRIAL, 20, "https://soa-gw.canadapost.ca", "user", "password", rps=1, apiece=True),
    _line("australia_post", "Australia Post", TRIAL, 10, "https://digitalapi.auspost.com.au", "api_key", "password", "account_number", rps=1),
    _line("asendia", "Asendia", TRIAL, 20, "https://www.asendia-sync.com", "user", "password", rps=1, apiece=True, options=("customer",)),
    _line("landmark", "Landmark Global", TRIAL, 20, "https://api.landmarkglobal.com/HTTPRequest", "user", "password", rps=1, apiece=True),
    _line("gls", "GLS", TRIAL, 10, "https://api.gls-group.net", "client_id", "client_secret", rps=1),
    _line("hermes", "Hermes (Germany)", TRIAL, 20, "https://de-api.hermesworld.com/services/hsi", "client_id", "client_secret", "user",
          "password", rps=1, apiece=True, options=("token_url",)),
    _line("anjun", "Anjun (Brazil)", TRIAL, 20, "https://www.anjunexpress.com", "api_key", rps=1, apiece=True),
    _line("shopee_xpress", "Shopee Xpress, public page", TRIAL, 20, "https://spx.com.br", rps=0.2, apiece=True, options=(PUBLIC_PAGE, "language")),
    _line("seko", "SEKO Logistics", TRIAL, 20, "https://api.omniparcel.com", "api_key", rps=1),
    _line("spring", "Spring GDS", TRIAL, 20, "https://mtapi.net", "api_key", rps=1, apiece=True),
    _line("teleship", "Teleship", TRIAL, 20, "https://api.teleship.com", "client_id", "client_secret", rps=1, apiece=True),
    _line("postnl", "PostNL", TRIAL, 20, "https://api.postnl.nl/shipment/v2", "api_key", rps=1, apiece=True),
    _line("fake", "Scripted fake", FIRST, 1000, drop=True, many=True),
)
# fmt: on


@cache
def _by_name() -> dict[str, Description]:
    return {description.name: description for description in _ADAPTERS}


def names() -> tuple[str, ...]:
    """The names of all adapters, in the order in which a newcomer should try them."""
    return tuple(description.name for description in _ADAPTERS)


def describe(name: str) -> Description:
    """What is known about `name` without importing it. Raises UnknownCarrierError."""
    try:
        return _by_name()[name]
    except KeyError:
        near = likely(name)
        meant = f", did you mean {near!r}?" if near else ";"
        raise UnknownCarrierError(f"no carrier {name!r}{meant} there are: {', '.join(names())}") from None


def likely(slip: str) -> str | None:
    """The adapter that somebody means who writes `17track`, `russian-post`, `DHL` or `corrreios`; None where nothing is near."""
    from difflib import get_close_matches

    said = _bare(slip)
    if not said:
        return None
    spelled = {_bare(word): each.name for each in reversed(_ADAPTERS) for word in (each.title, each.name)}
    begins = (each.name for each in _ADAPTERS if _bare(each.name).startswith(said) or _bare(each.title).startswith(said))
    close = (spelled[word] for word in get_close_matches(said, spelled, n=1))
    return spelled.get(said) or next(begins, None) or next(close, None)


def _bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


@cache
def get(name: str) -> Adapter:
    """The adapter `name`: one stateless instance for all accounts. Raises UnknownCarrierError."""
    title = "".join(part.capitalize() for part in describe(name).name.split("_"))
    return cast("Adapter", getattr(import_module(f"carriers.{name}"), title)())
