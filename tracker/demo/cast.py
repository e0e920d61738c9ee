"""The demo's cast: three shops, thirty-two parcels, and every ending that a slow parcel can have.

Days count from the story's first morning (09:00 in Shanghai). All names, numbers, addresses and amounts are invented; the
tracking numbers
carry valid S10 check digits, so that they look and behave like real ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from tracker.demo.standin import ScriptedEvent, ScriptedParcel, Trouble

START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
"""Wednesday, 09:00 in Shanghai; no season (new year, Carnival, November peak) touches the 75 days after it."""


class Parcel(msgspec.Struct, frozen=True):
    """One parcel of the cast.

    `script` has a line per scan: `day sub_status CC place: text`; `-day` behind it takes the scan back.
    """

    number: str
    orders: tuple[str, ...]
    ending: str
    country: str
    service: str
    script: tuple[str, ...] = ()
    known: bool = True
    shipped: float = 0.5


class Sale(msgspec.Struct, frozen=True):
    """One order of the cast. `window` is the day on which the delivery window ends, where the file tells it."""

    number: str
    store: str
    country: str
    amount: Decimal
    currency: str
    buyer: str
    email: str | None = None
    window: float | None = None


SHOP, ALI, EBAY = "jade-shop", "panda-ali", "lotus-ebay"

_POST = "中国邮政挂号小包"
_PACKET = "e邮宝"
_YANWEN = "燕文航空经济小包-普货"
_YANWEN_TRACKED = "燕文航空挂号小包-普货"
_UNTRACKED = "中国邮政平常小包"
_STANDARD = "AliExpress Standard Shipping"
_YUN = "云途全球专线挂号（特惠普货）"


def _mail(name: str) -> str:
    return f"{name}@example.com"


SALES: tuple[Sale, ...] = (
    Sale("J-1001", SHOP, "BR", Decimal("18.90"), "USD", "Ana Prado", _mail("ana")),
    Sale("J-1002", SHOP, "BR", Decimal("24.50"), "USD", "Bruno Dias", _mail("bruno")),
    Sale("J-1003", SHOP, "BR", Decimal("31.00"), "USD", "Carla Souza", _mail("carla")),
    Sale("J-1004", SHOP, "RU", Decimal("22.40"), "USD", "Daria Orlova", _mail("daria")),
    Sale("J-1005", SHOP, "BR", Decimal("15.75"), "USD", "Elias Moura", _mail("elias")),
    Sale("J-1006", SHOP, "BR", Decimal("64.00"), "USD", "Fabio Reis", _mail("fabio")),
    Sale("J-1007", SHOP, "US", Decimal("27.30"), "USD", "Grace Hall", _mail("grace")),
    Sale("J-1008", SHOP, "MX", Decimal("41.20"), "USD", "Hugo Vega", _mail("hugo")),
    Sale("J-1009", SHOP, "CL", Decimal("19.99"), "USD", "Ines Rojas", _mail("ines")),
    Sale("J-1010", SHOP, "BR", Decimal("58.40"), "USD", "Joao Lima", _mail("joao")),
    Sale("J-1011", SHOP, "BR", Decimal("12.60"), "USD", "Katia Melo", _mail("katia")),
    Sale("J-1012", SHOP, "BR", Decimal("9.80"), "USD", "Katia Melo", _mail("katia")),
    Sale("J-1013", SHOP, "BR", Decimal("33.10"), "USD", "Lucas Pires", _mail("lucas")),
    Sale("J-1014", SHOP, "BR", Decimal("21.00"), "USD", "Maria Nunes", _mail("maria")),
    Sale("8180000000000101", ALI, "BR", Decimal("16.20"), "USD", "Nilo A.", window=70),
    Sale("8180000000000102", ALI, "BR", Decimal("28.80"), "USD", "Olga B.", window=38),
    Sale("8180000000000103", ALI, "BR", Decimal("13.40"), "USD", "Paulo C.", window=75),
    Sale("8180000000000104", ALI, "RU", Decimal("37.90"), "USD", "Roman D.", window=90),
    Sale("8180000000000105", ALI, "BR", Decimal("45.00"), "USD", "Sara E.", window=100),
    Sale("8180000000000106", ALI, "BR", Decimal("6.50"), "USD", "Tomas F.", window=95),
    Sale("8180000000000107", ALI, "BR", Decimal("23.70"), "USD", "Ursula G.", window=100),
    Sale("8180000000000108", ALI, "CL", Decimal("17.60"), "USD", "Victor H.", window=90),
    Sale("8180000000000109", ALI, "MX", Decimal("11.90"), "USD", "Wanda I.", window=110),
    Sale("8180000000000110", ALI, "BR", Decimal("26.00"), "USD", "Xavier J."),
    Sale("12-04001-10001", EBAY, "US", Decimal("29.95"), "USD", "adam_k"),
    Sale("12-04001-10002", EBAY, "US", Decimal("35.00"), "USD", "betty_l"),
    Sale("12-04001-10003", EBAY, "DE", Decimal("24.90"), "EUR", "clara_m"),
    Sale("12-04001-10004", EBAY, "BR", Decimal("39.50"), "USD", "davi_n"),
    Sale("12-04001-10005", EBAY, "GB", Decimal("18.00"), "GBP", "emma_o"),
    Sale("12-04001-10006", EBAY, "US", Decimal("74.00"), "USD", "frank_p"),
    Sale("12-04001-10007", EBAY, "ES", Decimal("21.50"), "EUR", "gala_q"),
    Sale("12-04001-10008", EBAY, "BR", Decimal("14.30"), "USD", "hilda_r"),
)

_IN_CHINA = (
    "1.3 InTransit_PickedUp CN Shenzhen: Accepted by carrier",
    "3.1 InTransit_Departure CN Guangzhou: Departed from the country of origin",
)
_TO_BRAZIL = (*_IN_CHINA, "14.6 InTransit_Arrival BR Curitiba: Arrived in the destination country")


def _parcel(number: str, orders: str, ending: str, country: str, service: str, *script: str, **more: object) -> Parcel:
    return msgspec.convert(
        {
            "number": number,
            "orders": orders.split(),
            "ending": ending,
            "country": country,
            "service": service,
            "script": script,
            **more,
        },
        Parcel,
    )


PARCELS: tuple[Parcel, ...] = (
    _parcel(
        "LX400100115CN", "J-1001", "delivered early", "BR", _PACKET, *_TO_BRAZIL, "18.4 Delivered_Other BR Sao Paulo: Delivered"
    ),
    _parcel(
        "LX400100129CN",
        "J-1002",
        "delivered late",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "38.2 InTransit_Other BR Recife: Forwarded to the distribution unit",
        "52.6 Delivered_Other BR Recife: Delivered",
    ),
    _parcel(
        "LX400100132CN",
        "J-1003",
        "delivered after the refund",
        "BR",
        _YUN,
        *_TO_BRAZIL,
        "70.5 Delivered_Other BR Manaus: Delivered",
    ),
    _parcel(
        "LX400100146CN",
        "J-1004",
        "silent",
        "RU",
        _YANWEN_TRACKED,
        *_IN_CHINA,
        "10.2 InTransit_Arrival RU Moscow: Arrived in the destination country",
    ),
    _parcel("LX400100150CN", "J-1005", "never scanned", "BR", _YANWEN_TRACKED),
    _parcel(
        "LX400100163CN",
        "J-1006",
        "held by customs, then delivered",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "17.5 InTransit_CustomsProcessing BR Curitiba: Held by customs for inspection",
        "47.3 InTransit_CustomsReleased BR Curitiba: Released by customs",
        "58.4 Delivered_Other BR Salvador: Delivered",
    ),
    _parcel(
        "LX400100177CN",
        "J-1007",
        "returned",
        "US",
        _PACKET,
        *_IN_CHINA,
        "11.4 InTransit_Arrival US Los Angeles: Arrived in the destination country",
        "16.6 DeliveryFailure_InvalidAddress US Denver: Delivery attempted, address insufficient",
        "19.2 Exception_Returning US Denver: Returning to sender",
        "41.5 Exception_Returned CN Shenzhen: Returned to sender",
    ),
    _parcel(
        "LX400100185CN",
        "J-1008",
        "lost, says the carrier",
        "MX",
        _YUN,
        *_IN_CHINA,
        "13.2 InTransit_Arrival MX Mexico City: Arrived in the destination country",
        "33.4 Exception_Lost MX Mexico City: Item lost, search closed without result",
    ),
    _parcel("LX400100194CN", "J-1009", "not found", "CL", _YANWEN_TRACKED, known=False),
    _parcel(
        "LX400100203CN",
        "J-1010",
        "two parcels of one order: the first",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "22.4 Delivered_Other BR Campinas: Delivered",
    ),
    _parcel(
        "LX400100217CN",
        "J-1010",
        "two parcels of one order: the second",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "36.2 InTransit_Other BR Campinas: In transit to the delivery unit",
        "49.5 Delivered_Other BR Campinas: Delivered",
        shipped=1.5,
    ),
    _parcel(
        "LX400100225CN",
        "J-1011 J-1012",
        "two orders in one parcel",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "41.4 Delivered_Other BR Natal: Delivered",
    ),
    _parcel(
        "LX400100234CN",
        "J-1013",
        "delivered, taken back, delivered again",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "27.4 Delivered_Other BR Goiania: Delivered -29.5",
        "36.1 InTransit_Other BR Goiania: Delivery report withdrawn, item at the unit",
        "47.5 Delivered_Other BR Goiania: Delivered",
    ),
    _parcel(
        "LX400100248CN",
        "J-1014",
        "the buyer wants no messages",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "44.3 Delivered_Other BR Belem: Delivered",
    ),
    _parcel(
        "LX400100251CN",
        "8180000000000101",
        "window extended, delivered",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "40.2 InTransit_Other BR Curitiba: Forwarded",
        "57.3 InTransit_Other BR Fortaleza: Arrived at the delivery unit",
        "72.4 Delivered_Other BR Fortaleza: Delivered",
    ),
    _parcel(
        "LX400100265CN",
        "8180000000000102",
        "a window that nearly closed",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "33.3 InTransit_Other BR Curitiba: Forwarded",
        "46.4 Delivered_Other BR Vitoria: Delivered",
    ),
    _parcel(
        "LP00400100271",
        "8180000000000103",
        "silent, but the platform settles it",
        "BR",
        _STANDARD,
        *_IN_CHINA,
        "15.2 InTransit_Arrival BR Curitiba: Arrived",
    ),
    _parcel(
        "LX400100282CN",
        "8180000000000104",
        "delivered late in Russia",
        "RU",
        _PACKET,
        *_IN_CHINA,
        "12.2 InTransit_Arrival RU Moscow: Arrived",
        "35.4 Delivered_Other RU Perm: Delivered",
    ),
    _parcel(
        "RX400100296CN",
        "8180000000000105",
        "registered: eight silent weeks are normal",
        "BR",
        _POST,
        *_TO_BRAZIL,
        "66.4 Delivered_Other BR Cuiaba: Delivered",
    ),
    _parcel("UX400100305CN", "8180000000000106", "tracking ends at export", "BR", _UNTRACKED, *_IN_CHINA),
    _parcel(
        "LX400100319CN",
        "8180000000000107",
        "a status code that nobody knows",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "21.2 Rerouted_Wormhole BR Curitiba: Rerouted through an unlisted facility",
        "43.4 Delivered_Other BR Londrina: Delivered",
    ),
    _parcel(
        "LX400100322CN",
        "8180000000000108",
        "delivered early in Chile",
        "CL",
        _PACKET,
        *_IN_CHINA,
        "13.1 InTransit_Arrival CL Santiago: Arrived",
        "24.4 Delivered_Other CL Talca: Delivered",
    ),
    _parcel(
        "LX400100336CN",
        "8180000000000109",
        "economy line: a later ladder",
        "MX",
        _YANWEN,
        *_IN_CHINA,
        "26.1 InTransit_Arrival MX Mexico City: Arrived",
        "61.4 Delivered_Other MX Puebla: Delivered",
    ),
    _parcel(
        "LX400100340CN",
        "8180000000000110",
        "an estimated window",
        "BR",
        _PACKET,
        *_TO_BRAZIL,
        "39.2 InTransit_Other BR Curitiba: Forwarded",
    ),
    _parcel(
        "LX400100353CN",
        "12-04001-10001",
        "delivered early in the US",
        "US",
        _PACKET,
        *_IN_CHINA,
        "12.7 Delivered_Other US Austin: Delivered",
    ),
    _parcel(
        "LX400100367CN",
        "12-04001-10002",
        "delivered late in the US",
        "US",
        _PACKET,
        *_IN_CHINA,
        "12.7 InTransit_Arrival US Chicago: Arrived",
        "33.7 Delivered_Other US Toledo: Delivered",
    ),
    _parcel(
        "LX400100375CN",
        "12-04001-10003",
        "delivered early in Germany",
        "DE",
        _PACKET,
        *_IN_CHINA,
        "11.4 Delivered_Other DE Kassel: Delivered",
    ),
    _parcel("LX400100384CN", "12-04001-10004", "silent; the refund is refused by a person", "BR", _YUN, *_TO_BRAZIL),
    _parcel(
        "LX400100398CN",
        "12-04001-10005",
        "held by customs in Britain",
        "GB",
        _PACKET,
        *_IN_CHINA,
        "9.3 InTransit_CustomsProcessing GB London: Held by import customs",
        "23.3 InTransit_CustomsReleased GB London: Released",
        "28.5 Delivered_Other GB Leeds: Delivered",
    ),
    _parcel(
        "LX400100407CN",
        "12-04001-10006",
        "lost, says the carrier (US)",
        "US",
        _YUN,
        *_IN_CHINA,
        "12.4 InTransit_Arrival US New York: Arrived",
        "36.4 Exception_Lost US New York: Lost in the sorting centre",
    ),
    _parcel(
        "LX400100415CN",
        "12-04001-10007",
        "waits at the pickup point",
        "ES",
        _PACKET,
        *_IN_CHINA,
        "11.3 AvailableForPickup_Other ES Sevilla: Available at the post office",
        "20.4 Delivered_Other ES Sevilla: Delivered",
    ),
    _parcel("LX400100424CN", "12-04001-10008", "silent in Brazil", "BR", _YUN, *_IN_CHINA),
)

TROUBLES: tuple[Trouble, ...] = tuple(
    Trouble(start=START + timedelta(days=start), end=START + timedelta(days=end), kind=kind)
    for start, end, kind in (
        (5.0, 5.2, "rate_limited"),
        (24.0, 26.0, "unavailable"),
        (40.0, 40.3, "html"),
        (45.0, 45.3, "inside_200"),
        (55.0, 55.2, "truncated"),
    )
)


def at(day: float) -> datetime:
    """The instant of a story day."""
    return START + timedelta(days=day)


def scripted(parcel: Parcel) -> ScriptedParcel:
    """What the stand-in is told about a parcel."""
    return ScriptedParcel(
        number=parcel.number,
        events=tuple(_event(line) for line in parcel.script),
        known=parcel.known,
        destination=parcel.country,
        label_at=at(parcel.shipped),
    )


def _event(line: str) -> ScriptedEvent:
    head, text = line.split(": ", 1)
    day, sub_status, country, place = head.split(" ", 3)
    text, _, back = text.partition(" -")
    return ScriptedEvent(
        at=at(float(day)),
        sub_status=sub_status,
        description=text,
        location=place,
        country=country,
        until=at(float(back)) if back else None,
    )
