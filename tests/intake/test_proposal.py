"""A layout that nobody knows: a mapping is proposed, looked at, used once, and known from then on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.intake.conftest import NOW
from tests.intake.sheets import Row, book, delimited, rules
from tests.intake.sheets import store as shop
from tracker.intake.importing import Knowledge, import_files
from tracker.intake.layout import likely_header
from tracker.intake.loading import load_all
from tracker.intake.profile_file import name_for
from tracker.intake.profiles import Field, Formats
from tracker.intake.proposal import Proposal, masked, propose
from tracker.intake.reading import Wish
from tracker.intake.report import FileReport, document, exit_code, summary
from tracker.intake.sheets import Line, Sheet
from tracker.model import OrderState
from tracker.rules import Rules
from tracker.store.opening import Store

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config" / "formats.toml"
ONE_SHOP = rules(shop("lamps", "own_shop"))
GERMAN: Sequence[Row] = (
    ("Lagerexport September", "", "", "", "", "", ""),
    ("Auftragsnr.", "Sendungs-Nr", "Zielland", "Versandt am", "Empfänger", "Betrag", "Telefon"),
    ("A-3001", "LZ000001200CN", "Frankreich", "02.09.2026", "Ann Example", "12,50 €", "+49 171 2345678"),
    ("A-3002", "RB123456785CN", "Österreich", "13.09.2026", "Otto Muster", "1.012,50 €", ""),
)


def sheet(*rows: Row) -> Sheet:
    return Sheet(how="a test", lines=tuple(Line(at, tuple(row)) for at, row in enumerate(rows, start=1)))


def mapping(formats: Formats, *rows: Row, known: Rules = ONE_SHOP, header: int = 0) -> Proposal:
    return propose(sheet(*rows), header, formats, known)


def fields(proposal: Proposal) -> dict[str, str]:
    return {guess.name: guess.field for guess in proposal.columns if guess.field is not None}


@pytest.mark.parametrize(
    ("header", "row", "found"),
    [
        (
            ("N° commande", "Numéro de suivi", "Pays de destination", "Expédié le", "Montant", "Devise"),
            ("C-1001", "LA123456789FR", "Brésil", "25/09/2026", "1 234,50", "EUR"),
            ("order", "tracking", "country", "shipped_at", "amount", "currency"),
        ),
        (
            ("Nº do pedido", "Código de rastreio", "Transportadora", "Comprador", "Valor total (R$)", "Situação"),
            ("7001", "LZ000001200CN", "Correios", "Ana Teste", "1.234,50", "Enviado"),
            ("order", "tracking", "service", "buyer", "amount", "state"),
        ),
        (
            ("Номер заказа", "Трек-номер", "Страна", "Дата отправки", "Сумма", "Получатель"),
            ("9001", "RB123456785CN", "Бразилия", "25.09.2026", "12,50", "Иван Пример"),
            ("order", "tracking", "country", "shipped_at", "amount", "buyer"),
        ),
        (
            ("订单编号", "快递单号", "目的地", "发货日期", "收件人", "总价"),
            ("D1001", "UM305678905YP", "巴西", "2026/9/5", "张三丰", "30.5"),
            ("order", "tracking", "country", "shipped_at", "buyer", "amount"),
        ),
        (
            ("注文番号", "お問い合わせ番号", "お届け国", "発送日", "宛名", "合計"),
            ("J-1", "RB123456785CN", "US", "2026/09/05", "山田", "1990"),
            ("order", "tracking", "country", "shipped_at", "buyer", "amount"),
        ),
        (
            ("Ordr number", "Trackng number", "Ship-to Ctry.", "Dispatch Date", "E-mail address", "Sum paid"),
            ("1", "RB123456785CN", "Brazil", "2026-09-05", "a@b.example", "12.50"),
            ("order", "tracking", "country", "shipped_at", "email", None),
        ),
    ],
    ids=["French", "Portuguese", "Russian", "Chinese", "Japanese", "with slips of the pen"],
)
def test_headers_in_many_languages(formats: Formats, header: Row, row: Row, found: tuple[str | None, ...]) -> None:
    told = mapping(formats, header, row)
    assert [guess.field for guess in told.columns] == list(found)


def test_values_speak_where_headers_say_nothing(formats: Formats) -> None:
    told = mapping(
        formats,
        ("A", "B", "C", "D", "E"),
        ("X1001", "RB123456785CN", "ann@buyers.example", "BR", "7"),
        ("X1002", "LZ000001200CN", "otto@buyers.example", "Germany", "7"),
    )
    assert fields(told) == {"A": "order", "B": "tracking", "C": "email", "D": "country"}


def test_a_header_that_its_values_contradict_is_not_believed(formats: Formats) -> None:
    told = mapping(
        formats, ("Order", "Tracking", "Country", "Paid"), ("2026-09-01", "not yet", "somewhere nice", "yes"), ("", "", "", "")
    )
    assert fields(told) == {}
    assert told.missing[0].startswith("a column of order numbers or of tracking numbers")


def test_day_and_month_are_never_guessed(formats: Formats) -> None:
    """facts/file-formats.md section 5: one order a profile; where both fit, a person chooses."""
    open_ = mapping(formats, ("Order", "Shipped"), ("1001", "03/04/2026"), ("1002", "05/06/2026 10:00"))
    assert (open_.dates, open_.doubtful_dates) == ((), (("%d/%m/%Y", "%d/%m/%Y %H:%M"), ("%m/%d/%Y", "%m/%d/%Y %H:%M")))
    assert any("the order of day and month in '03/04/2026'" in sentence for sentence in open_.missing)
    told = mapping(formats, ("Order", "Shipped"), ("1001", "03/04/2026"), ("1002", "25/06/2026"))
    assert (told.dates, told.doubtful_dates) == (("%d/%m/%Y",), ())
    mixed = mapping(formats, ("Order", "Shipped"), ("1001", "25/04/2026"), ("1002", "04/25/2026"))
    assert any("a form in which all the dates are written" in sentence for sentence in mixed.missing)


@pytest.mark.parametrize(
    ("amounts", "locale", "doubtful"),
    [
        (("1,234.50", "12.00"), "en_US", False),
        (("1.234,50", "12,00"), "de_DE", False),
        (("1 234,50", "12,00"), "fr_FR", False),
        (("1.234", "12"), "en_US", True),
    ],
)
def test_how_amounts_are_written(formats: Formats, amounts: Sequence[str], locale: str, doubtful: bool) -> None:
    told = mapping(formats, ("Order", "Amount", "Currency"), *((f"10{at}", each, "EUR") for at, each in enumerate(amounts)))
    assert told.locale == locale
    assert any("has decimals" in sentence for sentence in told.missing) is doubtful


def test_months_by_name_bring_their_language(formats: Formats) -> None:
    told = mapping(
        formats,
        ("Numéro de commande", "Expédié le", "Montant"),
        ("1001", "05-oct.-26", "1 234,50 €"),
        ("1002", "07-août-26", "3,00 €"),
    )
    assert (told.locale, told.dates) == ("fr_FR", ("%d-%b-%y",))


def test_status_words_of_known_layouts_are_understood_others_are_told(formats: Formats) -> None:
    told = mapping(formats, ("Order", "Status"), ("1001", "Shipped"), ("1002", "cancelled"), ("1003", "on the moon"))
    assert told.states == {OrderState.SHIPPED: ("Shipped",), OrderState.CANCELLED: ("cancelled",)}
    assert told.unknown_words == ("on the moon",)


def test_examples_show_nobodys_data(formats: Formats) -> None:
    told = mapping(formats, *GERMAN[1:])
    shown = {guess.name: guess.examples for guess in told.columns}
    assert shown["Sendungs-Nr"] == ("LZ000001200CN", "RB123456785CN")
    assert (shown["Empfänger"], shown["Telefon"]) == (("A… E…", "O… M…"), ("+…49 …71 …78",))
    assert masked("ann@buyers.example") == "a…@b….e…"


def test_the_header_row_is_looked_for_by_its_shape(formats: Formats) -> None:
    assert likely_header(sheet(*GERMAN), 15) == 1
    assert likely_header(sheet(("1", "2"), ("3", "4")), 15) is None
    assert likely_header(sheet(("only", "a", "header")), 15) is None
    assert fields(mapping(formats, *GERMAN, header=1))["Auftragsnr."] == "order"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Forwarder_2026-09-01 (2).xlsx", "forwarder"),
        ("货代 表 20260901.xlsx", "货代-表"),
        ("20260901.csv", "layout"),
        ("order_sheet.csv", "order-sheet"),
        ("taken.csv", "taken-3"),
        ("../../etc.csv", "etc"),
    ],
)
def test_a_profile_is_named_after_its_file(file: str, name: str) -> None:
    assert name_for(file, {"order_sheet", "taken", "taken-2"}) == name


@pytest.fixture
def desk(tmp_path: Path, store: Store) -> Desk:
    return Desk(tmp_path, store)


class Desk:
    """A folder with a configuration, and whoever imports there."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.profile = folder / "profiles" / "strange.toml"

    def knowledge(self) -> Knowledge:
        found = load_all(SHIPPED, self.folder)
        return Knowledge(formats=found.formats, rules=ONE_SHOP, profiles=found.profiles, folder=self.folder)

    async def take(self, data: bytes, name: str = "strange.xlsx", *, dry_run: bool = False, by: str | None = None) -> FileReport:
        path = self.folder / name
        path.write_bytes(data)
        (report,) = await import_files([path], self.store, NOW, knowledge=self.knowledge(), wish=Wish(format=by), dry_run=dry_run)
        return report


STRANGE = book(*GERMAN)


async def test_from_a_strange_file_to_a_layout_that_is_known(desk: Desk) -> None:
    """The whole way: proposed and saved, looked at, used once by name, from then on recognised unasked."""
    first = await desk.take(STRANGE)
    assert (exit_code([first]), first.orders) == (1, 0)
    said = summary([first])
    assert "    Auftragsnr. -> order              A-3001 | A-3002\n" in said
    assert said.endswith(f"saved as {desk.profile}; look at it, then run:\n    tracker import {first.file} --format strange")
    assert "enabled = false" in desk.profile.read_text(encoding="utf-8")
    again = await desk.take(STRANGE, "strange_2026-10.xlsx")
    assert "was proposed before, and nobody has agreed to it yet" in summary([again])
    used = await desk.take(STRANGE, by="strange")
    assert (used.error, used.orders, used.shipments, used.rejected) == (None, 2, 2, ())
    assert "recognised unasked from now on" in used.warnings[-1]
    text = desk.profile.read_text(encoding="utf-8")
    assert "enabled = true" in text
    assert "# the header says" in text, "the comments stay"
    unasked = await desk.take(STRANGE, "strange_2026-11.xlsx")
    assert (unasked.format, unasked.unchanged) == ("strange", 4)
    (found,) = await desk.store.find_orders("A-3002")
    (dossier,) = await desk.store.load_dossiers([found.id])
    assert (dossier.order.country, str(dossier.order.amount), dossier.order.currency) == ("AT", "1012.50", "EUR")


async def test_a_mapping_under_which_most_rows_fail_is_not_agreed_to(desk: Desk) -> None:
    await desk.take(STRANGE)
    rows = [*GERMAN[:3], *(("", "", "Atlantis", "", "x", "", "") for _ in range(3))]
    await desk.take(book(*rows), by="strange")
    assert "enabled = false" in desk.profile.read_text(encoding="utf-8")


async def test_a_dry_run_shows_the_mapping_and_saves_nothing(desk: Desk) -> None:
    report = await desk.take(STRANGE, dry_run=True)
    assert "a dry run saves nothing" in summary([report])
    assert not desk.profile.parent.exists()
    (file,) = document([report])["files"]
    assert (file["proposal"]["id"], file["proposal"]["saved"]) == ("strange", False)
    assert file["proposal"]["columns"][0] == {
        "column": "Auftragsnr.",
        "field": Field.ORDER,
        "why": "the header says 'auftrag'",
        "examples": ("A-3001", "A-3002"),
    }
    assert file["proposal"]["toml"].startswith("# Proposed by tracker import for strange.xlsx")


async def test_a_folder_that_cannot_be_written_gets_a_text_to_paste(desk: Desk) -> None:
    (desk.folder / "profiles").write_text("in the way", encoding="utf-8")
    knowledge = Knowledge(formats=load_all(SHIPPED, Path("/nowhere")).formats, rules=ONE_SHOP, folder=desk.folder)
    path = desk.folder / "strange.xlsx"
    path.write_bytes(STRANGE)
    (report,) = await import_files([path], desk.store, NOW, knowledge=knowledge)
    said = summary([report])
    assert f"it could not be saved (File exists); write this into {desk.profile}" in said
    assert 'id = "strange"\nenabled = false\n' in said


async def test_an_existing_profile_is_never_overwritten(desk: Desk) -> None:
    desk.profile.parent.mkdir()
    settings = ('id = "mine"', 'title = "x"', "rank_orders = 1", "rank_tracking = 1", 'zone = "UTC"', 'requires = [["y"]]')
    other = "\n".join(("[[format]]", *settings, "columns = {}\n"))
    desk.profile.write_text(other, encoding="utf-8")
    report = await desk.take(STRANGE)
    assert report.proposal is not None
    assert (report.proposal.id, report.proposal.saved) == ("strange-2", True)
    assert desk.profile.read_text(encoding="utf-8") == other


@pytest.mark.parametrize(
    "header",
    [
        ("Auftrag", "Sendung", 'the "best" one', "back\\slash", "new\nline"),
        ("Auftrag", "Sendung", "Datum", "Datum", "Datum"),
        ("Auftrag*", "*Sendung", "x#y", "'quoted'", "emoji 📦"),
    ],
)
async def test_whatever_a_header_holds_the_profile_can_be_read_and_finds_it(desk: Desk, header: Row) -> None:
    rows = [("T-1", "RB123456785CN", "a", "b", "c"), ("T-2", "LZ000001200CN", "d", "e", "f")]
    data = book(header, *rows)
    proposed = (await desk.take(data)).proposal
    assert proposed is not None
    assert desk.knowledge().profiles["strange"].enabled is False
    used = await desk.take(data, by="strange")
    assert (used.error, used.orders, used.rejected) == (None, 2, ())
    assert (await desk.take(data, "other.xlsx")).format == "strange"


async def test_the_store_that_was_named_stands_in_the_profile(desk: Desk) -> None:
    two = rules(shop("lamps", "own_shop"), shop("toys", "own_shop"))
    told = propose(sheet(*GERMAN), 1, desk.knowledge().formats, two)
    assert any("which store it is" in sentence and "lamps, toys" in sentence for sentence in told.missing)
    named = propose(sheet(*GERMAN), 1, desk.knowledge().formats, two, "toys")
    assert named.store == "toys"
    assert not any("which store it is" in sentence for sentence in named.missing)


async def test_text_of_a_legacy_encoding_is_proposed_too(desk: Desk) -> None:
    report = await desk.take(delimited(*GERMAN[1:], separator=";", encoding="cp1252"), "strange.csv")
    assert report.proposal is not None
    assert report.proposal.mapping is not None
    assert fields(report.proposal.mapping)["Empfänger"] == "buyer"


def test_a_proposal_is_plain_data(formats: Formats) -> None:
    """It crosses to `--json` whole."""
    assert msgspec.json.decode(msgspec.json.encode(mapping(formats, *GERMAN[1:])))["zone"] == "store"
