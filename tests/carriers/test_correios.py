"""Correios: the token conversation, and what is peculiar to its bodies (facts: Correios)."""

from __future__ import annotations

import csv
import json
import os
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers import codes
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.correios import Correios
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from tests.carriers import cases
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Correios()
ONE, TWO = "NX000000437BR", "NX000000445BR"


class StandIn:
    """CWS and SRO: hands out numbered tokens, and answers whoever holds a valid one."""

    def __init__(self) -> None:
        self.tokens = 0
        self.ends = NOW + timedelta(hours=24)
        self.offset = "-03:00"
        self.token_reply: bytes | None = None
        self.valid: set[str] = set()
        self.log: list[tuple[str, str, bytes]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.log.append((method, path, body))
        if path.startswith("/token/"):
            assert headers["authorization"] == "Basic " + b64encode(b"user:code").decode()
            return self.token_reply or self._token()
        if headers["authorization"].removeprefix("Bearer ") not in self.valid:
            return http(401, b'{"msgs":["GTW-006: Token invalid"]}')
        told = urlsplit(path)
        asked = parse_qs(told.query).get("codigosObjetos") or [told.path.rpartition("/")[2]]
        event = {"codigo": "PO", "tipo": "01", "dtHrCriado": "2026-04-02T09:30:00", "descricao": "Objeto postado"}
        return http(200, json.dumps({"objetos": [{"codObjeto": number, "eventos": [event]} for number in asked]}).encode())

    def _token(self) -> bytes:
        self.tokens += 1
        self.valid = {f"token-{self.tokens}"}
        wall = (self.ends - timedelta(hours=3)).replace(tzinfo=None).isoformat()
        told = {"ambiente": "PRODUCAO", "expiraEm": wall, "zoneOffset": self.offset, "token": f"token-{self.tokens}"}
        return http(201, json.dumps(told).encode())


async def ask(
    source: StandIn,
    memory: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    options: Mapping[str, str] | None = None,
    numbers: tuple[str, ...] = (ONE, TWO),
) -> Batch:
    async with serving(source) as base:
        transport = HttpTransport(account_id="correios")
        account = Account(id="br", base_url=base, secrets={"user": "user", "access_code": "code"}, options=options or {})
        try:
            queries = [Query(number=number) for number in numbers]
            return await converse(ADAPTER, queries, account, Memory(account=memory or {}), now, transport)
        finally:
            await transport.close()


async def test_a_token_is_fetched_once_and_kept_until_shortly_before_it_ends() -> None:
    source = StandIn()
    batch = await ask(source)
    assert [path for _, path, _ in source.log] == [
        "/token/v1/autentica",
        f"/srorastro/v1/objetos?codigosObjetos={ONE}&codigosObjetos={TWO}&resultado=T",
    ]
    assert batch.memory.account == {"token": "token-1", "expires_at": "2026-05-03T09:00:00-03:00"}
    assert {number: isinstance(cut, bytes) for number, cut in batch.answers.items()} == {ONE: True, TWO: True}
    again = await ask(source, batch.memory.account, NOW + timedelta(hours=23))
    assert again.memory == Memory()
    assert source.tokens == 1
    await ask(source, batch.memory.account, NOW + timedelta(hours=23, minutes=50))
    assert source.tokens == 2


async def test_one_number_is_asked_for_by_its_path() -> None:
    source = StandIn()
    batch = await ask(source, numbers=(ONE, ONE))
    assert source.log[1][1] == f"/srorastro/v1/objetos/{ONE}?resultado=T"
    assert list(batch.answers) == [ONE]


async def test_a_token_that_is_refused_is_fetched_again_once() -> None:
    source = StandIn()
    batch = await ask(source, {"token": "revoked", "expires_at": (NOW + timedelta(hours=9)).isoformat()})
    assert batch.memory.account["token"] == "token-1"
    assert source.tokens == 1


async def test_a_fresh_token_that_is_refused_is_a_matter_of_the_account() -> None:
    source = StandIn()
    source.token_reply = http(200, b'{"token":"no good"}')
    with pytest.raises(CarrierError) as failed:
        await ask(source)
    assert failed.value.kind is ErrorKind.AUTH
    assert len(source.log) == 2


@pytest.mark.parametrize("ends", [b"", b',"expiraEm":"soon"', b',"expiraEm":"2026-05-03T09:00:00"'])
async def test_a_token_without_a_readable_end_is_used_once(ends: bytes) -> None:
    source = StandIn()
    source.valid = {"t"}
    source.token_reply = http(200, b'{"token":"t"%b}' % ends)
    batch = await ask(source, {"token": 7})
    assert isinstance(batch.answers[ONE], bytes)
    assert batch.memory == Memory()


@pytest.mark.parametrize(
    ("options", "path", "body"),
    [
        ({}, "/token/v1/autentica", b""),
        ({"posting_card": "0067599079"}, "/token/v1/autentica/cartaopostagem", b'{"numero":"0067599079"}'),
        ({"contract": "9912"}, "/token/v1/autentica/contrato", b'{"numero":"9912"}'),
    ],
)
async def test_a_token_is_asked_for_user_card_or_contract(options: dict[str, str], path: str, body: bytes) -> None:
    source = StandIn()
    await ask(source, options=options)
    assert source.log[0] == ("POST", path, body)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(400, b'{"msgs":["Contrato invalido"]}'), ErrorKind.AUTH),
        (http(401, b""), ErrorKind.AUTH),
        (http(503, b"<html>"), ErrorKind.UNAVAILABLE),
        (http(200, b"<html>"), ErrorKind.BAD_RESPONSE),
        (http(200, b"{}"), ErrorKind.BAD_RESPONSE),
    ],
)
async def test_a_token_that_is_not_given_fails_the_request_by_its_cause(reply: bytes, kind: ErrorKind) -> None:
    source = StandIn()
    source.token_reply = reply
    with pytest.raises(CarrierError) as failed:
        await ask(source)
    assert failed.value.kind is kind


def read(*events: dict[str, Any], number: str = ONE) -> Tracking:
    body = json.dumps({"objetos": [{"codObjeto": number, "eventos": list(events)}]}).encode()
    cut = ADAPTER.split(Response(status=200, body=body), [number])[number]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


def scan(code: str, kind: str, day: int, text: str = "", **more: Any) -> dict[str, Any]:
    return {"codigo": code, "tipo": kind, "dtHrCriado": f"2026-04-{day:02d}T10:00:00", "descricao": text, **more}


def test_names_of_receivers_are_not_kept() -> None:
    """Rules across carriers 14: an allow-list of fields; the slice already holds nothing else."""
    (sample,) = (s for s in cases.own("correios") if s.case == "delivered")
    assert b"Fulano" in sample.response.body
    for cut in ADAPTER.split(sample.response, ()).values():
        assert isinstance(cut, bytes)
        assert b"Fulano" not in cut
        assert "Fulano" not in repr(ADAPTER.read(cut))


def test_each_est_takes_back_one_event_the_one_before_it() -> None:
    told = read(scan("EST", "1", 5), scan("EST", "01", 4), scan("BDE", "01", 3), scan("OEC", "01", 2), scan("PO", "01", 1))
    assert [event.raw_code for event in told.events] == ["PO 01"]
    assert told.notes == ("EST 01 takes back BDE 01", "EST 01 takes back OEC 01")
    assert told.status is TrackingStatus.IN_TRANSIT


def test_of_events_in_the_same_minute_the_first_one_is_the_newest() -> None:
    """They come newest first: a delivery that is taken back in its own minute is none."""
    told = read(scan("EST", "01", 3), scan("BDE", "01", 3))
    assert (told.status, told.events) == (TrackingStatus.UNKNOWN, ())


def test_an_est_with_nothing_before_it_takes_nothing_back() -> None:
    told = read(scan("EST", "77", 1))
    assert (told.status, told.events, told.notes, told.unmapped) == (TrackingStatus.UNKNOWN, (), (), ())


@pytest.mark.parametrize(
    ("code", "kind", "status", "reason"),
    [
        ("BDE", "1", TrackingStatus.DELIVERED, None),
        ("bdi", "00", TrackingStatus.DELIVERED, None),
        ("BDR", "01", TrackingStatus.DELIVERED, None),
        ("LDI", "99", TrackingStatus.AVAILABLE_FOR_PICKUP, None),
        ("IDC", "99", TrackingStatus.EXCEPTION, None),
        ("BDE", "99", TrackingStatus.UNKNOWN, None),
        ("QQQ", "01", TrackingStatus.UNKNOWN, None),
        ("IDC", "03", TrackingStatus.EXCEPTION, TrackingReason.LOST),
        ("BDI", "54", TrackingStatus.IN_TRANSIT, TrackingReason.DUTIES_UNPAID),
        ("PAR", "17", TrackingStatus.IN_TRANSIT, None),
    ],
)
def test_an_unknown_pair_means_what_its_whole_family_means_never_a_delivery_nor_a_reason(
    code: str, kind: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    told = read(scan(code, kind, 1))
    assert (told.status, told.reason) == (status, reason)
    assert bool(told.unmapped) == (code == "QQQ" or kind == "99")


def test_times_are_brasilias_with_its_old_summer_time_unless_they_say_otherwise() -> None:
    told = read(
        {"codigo": "PO", "tipo": 1, "dtHrCriado": "2018-12-10T10:00:00"},
        {"codigo": "RO", "tipo": 1, "dtHrCriado": "2026-04-10T10:00:00"},
        {"codigo": "DO", "tipo": 1, "dtHrCriado": "2026-04-11T10:00:00+01:00"},
        {"codigo": "DO", "tipo": 2, "dtHrCriado": "soon"},
        {"codigo": "DO", "tipo": 0},
    )
    assert [(event.raw_code, event.offset) for event in told.events if event.local_time] == [
        ("PO 01", -120),
        ("RO 01", -180),
        ("DO 01", 60),
    ]
    assert told.raw_status == "DO 01"


def test_a_post_abroad_scans_in_its_own_time() -> None:
    """Rules across carriers 15: never fill in the zone of the destination either."""
    abroad = {"tipo": "País", "nome": "CHINA", "endereco": {}}
    units = [
        abroad,
        abroad | {"codSro": "00156000"},
        abroad | {"codSro": "00999999"},
        {"tipo": "PAIS", "nome": "HONG KONG", "codSro": "00344000"},
        {"tipo": "País", "nome": "BRASIL"},
    ]
    told = read(*(scan("RO", "01", day, unidade=unit) for day, unit in enumerate(units, 1)))
    assert [(event.time is None, event.location, event.country) for event in told.events] == [
        (True, "CHINA", None),
        (True, "CHINA", "CN"),
        (True, "CHINA", None),
        (True, "HONG KONG", "HK"),
        (False, "BRASIL", "BR"),
    ]


def test_detail_belongs_to_the_description() -> None:
    (event,) = read(scan("OEC", "03", 1, "Objeto em rota", detalhe=" Aguarde\r\n")).events
    assert event.description == "Objeto em rota. Aguarde"


def test_the_day_until_which_a_parcel_lies_ready_is_told_and_the_promised_one_is_no_event() -> None:
    """Facts: Correios. `dtPrevista` is when it should arrive, not a scan."""
    (sample,) = (s for s in cases.own("correios") if s.case == "available_for_pickup")
    assert b"dtPrevista" in sample.response.body
    (cut,) = ADAPTER.split(sample.response, ()).values()
    assert isinstance(cut, bytes)
    last = ADAPTER.read(cut).last_event
    assert last is not None
    assert last.description == "Objeto aguardando retirada no endereço indicado. retirar até 2026-05-06"


@pytest.mark.parametrize("message", ["SRO-020: Objeto não encontrado", " sro-020 - other words"])
@pytest.mark.parametrize("events", [{}, {"eventos": []}, {"eventos": None}])
def test_not_found_is_told_by_the_prefix_of_its_message(message: str, events: dict[str, Any]) -> None:
    body = json.dumps({"objetos": [{"codObjeto": ONE, "mensagem": message} | events]}).encode()
    cut = ADAPTER.split(Response(status=200, body=body), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).status is TrackingStatus.NOT_FOUND


def test_what_is_said_of_the_only_number_asked_for_is_about_it() -> None:
    """Promise 2: but a refused login and a server that is down know nothing about it."""
    not_found, invalid = (json.dumps({"msgs": [f"SRO-{code}: x"]}).encode() for code in ("020", "019"))
    cut = ADAPTER.split(Response(status=404, body=not_found), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == ONE
    for status in (401, 429, 500):
        with pytest.raises(CarrierError):
            ADAPTER.split(Response(status=status, body=not_found), [ONE])
    refused = ADAPTER.split(Response(status=400, body=invalid), [ONE])[ONE]
    assert isinstance(refused, CarrierError)
    assert refused.kind is ErrorKind.INVALID_NUMBER
    with pytest.raises(CarrierError, match="SRO-019") as failed:
        ADAPTER.split(Response(status=400, body=invalid), [ONE, TWO])
    assert failed.value.kind is ErrorKind.INVALID_REQUEST


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-burst-capacity": "55", "x-ratelimit-replenish-rate": "50"}, 2.0),
        ({"x-ratelimit-burst-capacity": "55", "x-ratelimit-replenish-rate": "0"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"retry-after": "7", "x-ratelimit-burst-capacity": "55", "x-ratelimit-replenish-rate": "50"}, 7.0),
    ],
)
def test_an_empty_429_waits_until_the_bucket_is_full_again(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=429, body=b"", headers=headers), [ONE])
    assert (failed.value.kind, failed.value.retry_after) == (ErrorKind.RATE_LIMITED, seconds)


def test_the_legacy_service_names_a_foreign_post_by_its_country_alone() -> None:
    """Rules across carriers 15: no zone is filled in for it."""
    event = "<evento><tipo>PO</tipo><status>01</status><data>02/04/2026</data><hora>09:30</hora><local>CHINA</local>{}</evento>"
    home = event.format("<uf>SP</uf>").replace("02/04", "20/04")
    body = f"<?xml version='1.0'?><return><objeto><numero>{ONE}</numero>{event.format('')}{home}</objeto></return>".encode()
    cut = ADAPTER.split(Response(status=200, body=body), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert [(each.local_time, each.time is None) for each in ADAPTER.read(cut).events] == [
        ("2026-04-02T09:30:00", True),
        ("2026-04-20T09:30:00", False),
    ]


@pytest.mark.parametrize("kind", range(1, 8))
def test_idc_says_that_a_parcel_is_lost_and_paid_for(kind: int) -> None:
    """Facts: Correios. The strongest signal for a compensation claim."""
    told = read(scan("IDC", str(kind), 2), scan("RO", "01", 1))
    assert (told.status, told.reason) == (TrackingStatus.EXCEPTION, TrackingReason.LOST)


REFERENCE = os.environ.get("TRACKER_REFERENCE")


@pytest.mark.skipif(not REFERENCE, reason="$TRACKER_REFERENCE names no folder")
def test_every_pair_of_the_reference_table_is_in_ours() -> None:
    text = Path(REFERENCE or "", "facts", "codes", "correios_sro_status.csv").read_text(encoding="utf-8")
    columns = ("codigo", "tipo", "status", "reason")
    ours, theirs = ({tuple(row[name] for name in columns) for row in rows} for rows in (codes.rows("correios_sro"), _rows(text)))
    assert theirs <= ours


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"codObjeto": ONE}, ErrorKind.BAD_RESPONSE),
        ({"codObjeto": ONE, "eventos": [], "mensagem": "SRO-777: Outra"}, ErrorKind.BAD_RESPONSE),
        ({"codObjeto": ONE, "mensagem": "SRO-001: Falha"}, ErrorKind.BAD_RESPONSE),
        ({"codObjeto": ONE, "mensagem": "SRO-019: Objeto inválido"}, ErrorKind.INVALID_NUMBER),
    ],
)
def test_an_object_that_is_no_answer_is_an_error_never_not_found(item: dict[str, str], kind: ErrorKind) -> None:
    cut = ADAPTER.split(Response(status=200, body=json.dumps({"objetos": [item]}).encode()), [ONE])[ONE]
    assert isinstance(cut, CarrierError)
    assert cut.kind is kind


def test_the_legacy_answer_leaves_out_what_has_no_number_and_refuses_entities() -> None:
    body = b"<?xml version='1.0'?><return><objeto><numero>X1</numero><erro>none</erro></objeto><objeto/></return>"
    answers = ADAPTER.split(Response(status=200, body=body), ())
    assert list(answers) == ["X1"]
    assert isinstance(answers["X1"], CarrierError)
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><return>&c;</return>'
    with pytest.raises(CarrierError, match="not readable as XML"):
        ADAPTER.split(Response(status=200, body=bomb), ())
