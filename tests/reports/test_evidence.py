"""Evidence: the record of an order with times and hashes, as page, archive and pictures (D10, R13, R36, R78, R79)."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from carriers.model import TrackingStatus
from tests.store.build import DAY, NOW, change, decided, decision, given, order, parcel, pending, polled, scan, tasked
from tracker import config
from tracker.clock import FixedClock
from tracker.dates import utc_text
from tracker.model import Case, CaseKind, CaseReason, Intent, OutboxState
from tracker.reports.evidence import FontMissing, Record, TooLarge, archive, page, picture, record_of, write_folder
from tracker.reports.evidence.picture import Pages
from tracker.reports.evidence.record import Bytes, Fact, redacted
from tracker.rules import Evidence, Rules
from tracker.store import Store, create, open_store
from tracker.store.rows import AnswerWrite, TaskResult

SAID = b'{"number": "LX001CN", "recipient": {"name": "Ana"}, "events": [{"text": "<b>Saiu</b>"}], "phone": "+55 11"}'
EBAY = Evidence(kinds=("jpg", "png"), files=5, total=1_835_008)


@pytest.fixture
def rules() -> Rules:
    return config.load(None, environ={}).rules


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=False, now=NOW)
    opened = await open_store(url, clock=FixedClock(NOW), daemon=True)
    await given(opened, order(buyer_email="ana.kanarie@buyers.example", buyer_name="Ana"), parcel())
    (due,) = await opened.due_shipments(NOW, 10)
    seen = scan("s1", NOW, description="<script>alert(1)</script>", location="São Paulo")
    late = scan("s2", NOW + timedelta(days=2), status=TrackingStatus.OUT_FOR_DELIVERY, description="Покинуло место приёма")
    said = AnswerWrite(account="17track", number=due.number, digest=b"d", slice=SAID)
    await opened.write_poll(replace(polled(change(due.id, due.number, seen, late)), answers=(said,)))
    await opened.save_case(1, Case(id="D-1", kind=CaseKind.DISPUTE, opened_at=NOW, reason=CaseReason.IN_TRANSIT), NOW)
    told = await decided(opened, pending(decision()))
    (row,) = await opened.due_rows(NOW, 10)
    assert await opened.claim_row(row.id, who="t", version=told.version, now=NOW, body="Your order\n\nIt is on its way.")
    await opened.finish_row(row.id, OutboxState.SENT, NOW)
    yield opened
    await opened.close()


async def _record(store: Store, rules: Rules) -> tuple[Record, tuple[Bytes, ...]]:
    (dossier,) = await store.load_dossiers([1])
    return await record_of(store, dossier, rules, NOW)


async def test_r13_the_record_says_what_is_proven(store: Store, rules: Rules) -> None:
    """R13, R36, R78: the journey with its times, the number and its page, the answers with hash, what the buyer was told."""
    record, copies = await _record(store, rules)
    (found,) = record.parcels
    assert (found.scans[0].text, found.scans[0].place) == ("<script>alert(1)</script>", "São Paulo")
    assert [(told.sha256, told.account, told.size) for told in found.answers] == [
        (hashlib.sha256(SAID).hexdigest(), "17track", len(SAID))
    ]
    assert [each.name for each in copies] == [found.answers[0].file]
    assert [(told.kind, told.state, told.text) for told in record.messages] == [
        ("stage1", "sent", "Your order\n\nIt is on its way.")
    ]
    assert record.cases == (Fact("dispute D-1", f"opened {record.at}, reason in_transit"),)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("open", []),
        ("expired", []),
        ("dropped", []),
        ("done", [("stage2", "by hand", "sent", "It is slow.")]),
        ("unsure", [("stage2", "by hand", "unknown", "It is slow.")]),
    ],
)
async def test_r13_d17_what_lay_in_a_task_counts_only_when_it_was_done(
    store: Store, rules: Rules, end: str, told: list[tuple[str, ...]]
) -> None:
    """R13, D17: the evidence claims no message that nobody pasted; a doubtful one says that it is."""
    task = await tasked(store, decision(Intent.STAGE2), text="It is slow.", valid_until=NOW + 2 * DAY)
    match end:
        case "expired":
            await store.expire_tasks(NOW + 2 * DAY)
        case "dropped":
            await store.drop_task(task, by="Mei", reason="he called", now=NOW + DAY)
        case "done" | "unsure":
            await store.done_task(task, TaskResult(unsure=end == "unsure"), by="Mei", now=NOW + DAY)
    record, _ = await _record(store, rules)
    assert [(each.kind, each.channel, each.state, each.text) for each in record.messages[1:]] == told
    assert {each.at for each in record.messages[1:]} <= {utc_text(NOW + DAY)}, "when it was pasted, not when the task was made"


async def test_d10_the_same_facts_give_the_same_bytes(store: Store, rules: Rules) -> None:
    first, second = await _record(store, rules), await _record(store, rules)
    assert archive(*first) == archive(*second)
    assert first[0].digest == second[0].digest != ""
    names = zipfile.ZipFile(io.BytesIO(archive(*first))).namelist()
    assert names == ["evidence.html", "evidence.json", "answers/LX001CN-001.txt"]


async def test_whatever_carriers_write_is_text(store: Store, rules: Rules) -> None:
    html = page((await _record(store, rules))[0])
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not re.search(r"https?://[^ ]*(cdn|fonts)", html)


async def test_nothing_in_it_says_where_the_buyer_is(store: Store, rules: Rules) -> None:
    """Fault 27: it leaves the house; mail, phone, recipient stay here."""
    record, copies = await _record(store, rules)
    whole = page(record) + "".join(each.body.decode() for each in copies)
    assert [word for word in ("ana.kanarie@buyers.example", "+55 11", '"Ana"') if word in whole] == []
    assert json.loads(redacted(SAID))["events"] == [{"text": "<b>Saiu</b>"}]
    assert redacted(b"no json") == b"no json"


async def test_a_marketplace_that_takes_pictures_gets_them_within_its_limits(store: Store, rules: Rules, tmp_path: Path) -> None:
    """D10, R79: eBay's payment disputes take five pictures of 1.75 MB together."""
    record, copies = await _record(store, rules)
    packed = write_folder(tmp_path, record, copies, EBAY)
    sent = [Path(packed.folder) / name for name in packed.to_send]
    assert 1 <= len(sent) <= 5
    assert sum(file.stat().st_size for file in sent) <= 1_835_008
    for file in sent:
        with Image.open(file) as picture:
            picture.load()
            assert picture.width == 1240
    assert {"evidence.html", "evidence.json", "evidence.zip"} <= set(packed.files)


async def test_a_pdf_where_it_is_taken(store: Store, rules: Rules, tmp_path: Path) -> None:
    record, copies = await _record(store, rules)
    packed = write_folder(tmp_path, record, copies, Evidence(kinds=("pdf",)))
    assert (Path(packed.folder) / packed.to_send[0]).read_bytes().startswith(b"%PDF-")


async def test_what_does_not_fit_is_said(store: Store, rules: Rules, tmp_path: Path) -> None:
    record, copies = await _record(store, rules)
    with pytest.raises(TooLarge, match="more than the 5 files of 100 bytes"):
        write_folder(tmp_path, record, copies, replace(EBAY, total=100))


async def test_a_letter_that_no_font_has_is_named(store: Store, rules: Rules) -> None:
    """Nothing is left out in silence: the letter is named, and how to mend it."""
    record, _ = await _record(store, rules)
    strange = replace(record, facts=(Fact("note", "\U0001e900"),))
    with pytest.raises(FontMissing, match=r"U\+1E900.*\[evidence\] font"):
        Pages().draw(strange)


async def test_cyrillic_is_set_with_what_the_extra_brings(store: Store, rules: Rules) -> None:
    """Its letters are drawn, each as itself: not one box like the other."""
    pages = Pages()
    drawn = {bytes(pages._font_of(letter).getmask(letter)) for letter in "ПокинулJuh"}
    assert len(drawn) == len("ПокинулJuh")


async def test_long_lines_are_broken(store: Store, rules: Rules) -> None:
    record, _ = await _record(store, rules)
    long = replace(record, facts=(Fact("note", "word " * 400), Fact("hash", "f" * 3000)))
    assert len(Pages().draw(long)) >= 2


@pytest.mark.parametrize(
    ("said", "gone", "stays"),
    [
        (b'{"number": "LX1", "recipient": {"name": "Ana Lima", "ph', "Ana Lima", "left out"),
        (b"<Track><Recipient>Ana Lima</Recipient><Text>Saiu</Text></Track>", "Ana Lima", "<Text>Saiu</Text>"),
        (b'<Item ReceiverPhone="+55 11" No="LX1"/>', "+55 11", 'No="LX1"'),
        (b'{"receiverName": "Ana", "acceptance": "yes", "cep": "01310-100"}', "01310-100", '"acceptance": "yes"'),
        (b'{"text": "write to ana.kanarie@buyers.example, 529.982.247-25"}', "529.982.247-25", "write to ***@buyers.example"),
        (b"[" * 100_000, "[[[[", "left out"),
    ],
)
def test_what_names_the_buyer_is_left_out_of_every_sort_of_answer(said: bytes, gone: str, stays: str) -> None:
    """Fault 27: also of an answer that was cut off, of XML, of texts."""
    copy = redacted(said).decode()
    assert (gone in copy, stays in copy) == (False, True)


async def test_a_copy_can_be_checked_by_its_own_hash(store: Store, rules: Rules) -> None:
    """D10: it lacks what names the buyer, so the hash of the answer is not its hash; the page tells both."""
    record, copies = await _record(store, rules)
    [told] = record.parcels[0].answers
    assert told.copy_sha256 == hashlib.sha256(copies[0].body).hexdigest() != told.sha256
    assert told.copy_sha256 in page(record)


async def test_a_folder_lies_where_it_should_and_holds_no_page_of_last_week(store: Store, rules: Rules, tmp_path: Path) -> None:
    """D10: whatever an order is called; two of one name part; an old picture is never sent again."""
    record, copies = await _record(store, rules)
    packed = write_folder(tmp_path / "out", replace(record, order=".."), copies, EBAY)
    assert (Path(packed.folder).parent, Path(packed.folder).name.strip(".")[:1]) == (tmp_path / "out", "-")
    assert len({write_folder(tmp_path, replace(record, order=name), copies, EBAY).folder for name in ("A/1", "A_1")}) == 2
    old = Path(packed.folder) / "to-send" / "evidence-9.jpg"
    old.write_bytes(b"old")
    write_folder(tmp_path / "out", replace(record, order=".."), copies, EBAY)
    assert not old.exists()


async def test_page_and_archive_are_there_where_the_pictures_do_not_fit(store: Store, rules: Rules, tmp_path: Path) -> None:
    """D10: "choose pages of evidence.html by hand" wants that there is one."""
    record, copies = await _record(store, rules)
    with pytest.raises(TooLarge):
        write_folder(tmp_path, record, copies, replace(EBAY, total=100))
    assert {file.name for file in (tmp_path / record.order).iterdir() if file.is_file()} == {
        "evidence.html",
        "evidence.json",
        "evidence.zip",
    }


async def test_no_picture_is_made_that_nobody_needs(
    store: Store, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: two hundred cases of a morning are a matter of a minute; where the first form fits, no other is tried."""
    made = list[int]()
    monkeypatch.setattr(picture, "jpegs", lambda _pages, quality=80: made.append(quality))
    record, copies = await _record(store, rules)
    packed = write_folder(tmp_path, record, copies, EBAY)
    assert (made, packed.to_send) == ([], ("to-send/evidence-1.png",))
