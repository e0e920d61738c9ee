"""Imports: any order of files, any number of times, whose word counts (facts/file-formats.md sections 4 and 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.store.build import AT, DAY, NOW, batch, change, dossier, forwarders, given, order, parcel, polled, scan, travelled
from tracker.model import Followed, OrderState, Rank, WindowSource
from tracker.store import OrderPatch, Orphan, Store, UnmatchedText
from tracker.store.dossiers import even_shares


async def test_a_new_order_is_decided_and_its_parcel_asked_about_at_once(store: Store) -> None:
    outcome = await given(store)
    assert (outcome.new, outcome.updated, outcome.unchanged, outcome.orphans) == (2, 0, 0, ())
    assert [due.number for due in await store.due_shipments(NOW, 10)] == ["LX001CN"]
    assert await store.due_dossiers(NOW, 10) == [(AT, 1)]


async def test_the_same_file_twice_changes_nothing(store: Store) -> None:
    await given(store)
    before = await dossier(store)
    again = await given(store, now=NOW + DAY)
    assert (again.new, again.updated, again.unchanged) == (0, 0, 2)
    assert await dossier(store) == before


async def test_a_dry_run_counts_and_writes_nothing(store: Store) -> None:
    outcome = await store.save_import(batch(order(), parcel()), NOW, dry_run=True)
    assert outcome.new == 2
    assert outcome.batch is None
    assert (await store.status(NOW)).orders == 0


async def test_a_parcel_waits_for_its_order_and_is_asked_about_only_then(store: Store) -> None:
    """Files arrive in any order; registration at a source costs quota, so an orphan is not asked about."""
    outcome = await given(store, parcel())
    assert outcome.orphans == ("LX001CN",)
    assert await store.due_shipments(NOW, 10) == []
    assert await store.orphans() == [Orphan(kind="shipment", number="LX001CN", store="shop", waits_for="8001")]
    await given(store, order(), digest="d2")
    assert await store.orphans() == []
    assert [shipment.number for shipment in (await dossier(store)).shipments] == ["LX001CN"]
    assert len(await store.due_shipments(NOW, 10)) == 1


async def test_an_order_without_a_parcel_is_an_orphan_too(store: Store) -> None:
    outcome = await given(store, order())
    assert outcome.orphans == ("8001",)
    assert await store.orphans() == [Orphan(kind="order", number="8001", store="shop")]


async def test_a_file_without_store_names_joins_by_a_unique_order_number(store: Store) -> None:
    await given(store, order())
    await given(store, parcel(store=None), digest="d2")
    assert len((await dossier(store)).shipments) == 1


async def test_two_orders_of_one_number_in_two_stores_are_not_guessed_between(store: Store) -> None:
    await given(store, order(), order(store="other"))
    outcome = await given(store, parcel(store=None), digest="d2")
    assert outcome.orphans == ("LX001CN",)


@pytest.mark.parametrize(
    ("first", "second", "amount"),
    [
        (Rank.MARKETPLACE, Rank.ERP, "30.00"),
        (Rank.ERP, Rank.MARKETPLACE, "31.00"),
        (Rank.ERP, Rank.ERP, "31.00"),
    ],
    ids=["the marketplace outranks the ERP", "whenever it comes", "of one rank the newer file counts"],
)
async def test_whose_word_counts(store: Store, first: Rank, second: Rank, amount: str) -> None:
    await store.save_import(batch(order(), rank_orders=first), NOW)
    await store.save_import(batch(order(amount=Decimal("31.00")), digest="d2", rank_orders=second), NOW)
    assert (await dossier(store)).order.amount == Decimal(amount)


async def test_an_old_file_that_comes_again_does_not_beat_a_newer_one(store: Store) -> None:
    await given(store, order(state=OrderState.PAID))
    await given(store, order(state=OrderState.SHIPPED), digest="d2")
    again = await given(store, order(state=OrderState.PAID), digest="d1")
    assert again.unchanged == 1
    assert (await dossier(store)).order.state is OrderState.SHIPPED


async def test_what_a_file_does_not_say_overwrites_nothing(store: Store) -> None:
    await given(store, order(buyer_name="Ana", state=OrderState.SHIPPED))
    await given(store, order(buyer_name=None, amount=None, state=OrderState.UNKNOWN), digest="d2")
    kept = (await dossier(store)).order
    assert (kept.buyer_name, kept.amount, kept.state) == ("Ana", Decimal("30.00"), OrderState.SHIPPED)


async def test_the_same_amount_written_otherwise_is_no_change(store: Store) -> None:
    await given(store, order(amount=Decimal("30.00")))
    assert (await given(store, order(amount=Decimal("30.0")), digest="d2")).unchanged == 1


async def test_a_change_wakes_the_order_raises_its_version_and_is_audited(store: Store) -> None:
    """I6: the audit explains each state."""
    await given(store)
    before = await dossier(store)
    assert (await given(store, order(promised_at=NOW + 20 * DAY), digest="d2", now=NOW + DAY)).updated == 1
    after = await dossier(store)
    assert after.version > before.version
    assert (await store.next_due()).decide == AT + 86_400
    entry = (await store.audit_of(1))[-1]
    assert (entry.who, entry.what, entry.reason) == ("import", "order_updated", "d2.xls")
    assert entry.before == {"promised_at": None}


async def test_a_persons_word_outranks_every_file(store: Store) -> None:
    await given(store)
    await store.set_order_facts(1, OrderPatch(received_at=NOW), by="Mei", reason="she wrote", now=NOW)
    await given(store, order(received_at=NOW - DAY), digest="d2")
    assert (await dossier(store)).order.received_at == NOW


async def test_a_window_is_typed_or_read_with_equal_right_and_the_newer_word_counts(store: Store) -> None:
    """DESIGN: a window end's source is api > typed in or file > estimated."""
    await given(store, order(window_end=NOW + 60 * DAY))
    assert (await dossier(store)).order.window.source is WindowSource.FILE  # type: ignore[union-attr]
    await store.set_order_facts(1, OrderPatch(window_end=NOW + 75 * DAY), by="Mei", reason="", now=NOW)
    await given(store, order(window_end=NOW + 60 * DAY))
    assert (await dossier(store)).order.window.end == NOW + 75 * DAY  # type: ignore[union-attr]
    await given(store, order(window_end=NOW + 80 * DAY), digest="d2")
    window = (await dossier(store)).order.window
    assert window is not None
    assert (window.end, window.source) == (NOW + 80 * DAY, WindowSource.FILE)


async def test_the_cutover_marks_orders_that_are_new_with_the_file(store: Store) -> None:
    await store.save_import(batch(order(), cutover_at=NOW), NOW)
    assert (await dossier(store)).order.cutover_at == NOW


# ----------------------------------------------------------------------------------------------------------------- parcels


async def test_a_forwarders_row_changes_carrier_and_number_and_the_newest_is_asked_about(store: Store) -> None:
    """One parcel carries up to three numbers (facts/file-formats.md 2.8); a changed number is no second parcel."""
    await given(store)
    await store.write_poll(polled(change(1, "LX001CN", scan("a"), next_poll_at=AT + 86_400)))
    row = parcel("BR9001", None, store=None, aliases=("LX001CN", "SYS-7"), carrier="correios", service_text="转单")
    assert (await store.save_import(forwarders(row), NOW)).updated == 1
    (shipment,) = (await dossier(store)).shipments
    assert (shipment.id, shipment.number, shipment.carrier) == (1, "BR9001", "correios")
    assert await store.numbers_of(1) == ("BR9001", "LX001CN", "SYS-7")
    assert [due.number for due in await store.due_shipments(NOW, 10)] == ["BR9001"]
    assert [found.number for found in await store.find_orders("sys-7")] == ["8001"]


async def test_a_lower_rank_does_not_take_the_newer_number_back(store: Store) -> None:
    await given(store)
    await store.save_import(forwarders(parcel("BR9001", None, aliases=("LX001CN",))), NOW)
    assert (await given(store, parcel(), digest="d2")).unchanged == 1
    assert (await dossier(store)).shipments[0].number == "BR9001"


async def test_a_forwarder_never_moves_a_parcel_to_another_order(store: Store) -> None:
    await given(store, order(), order("8002"), parcel())
    await store.save_import(forwarders(parcel(order="8002")), NOW)
    assert [shipment.number for shipment in (await dossier(store, 1)).shipments] == ["LX001CN"]
    assert (await dossier(store, 2)).shipments == ()


async def test_two_parcels_that_turn_out_to_be_one_become_one(store: Store) -> None:
    await given(store, order(), parcel("LX001CN"), parcel("BR9001"))
    await store.write_poll(polled(change(1, "LX001CN", scan("a")), change(2, "BR9001", scan("b", NOW + DAY))))
    await store.save_import(forwarders(parcel("BR9001", None, aliases=("LX001CN",))), NOW)
    told = await dossier(store)
    assert [(each.id, each.number, each.share) for each in told.shipments] == [(1, "BR9001", Decimal("30.00"))]
    assert len(await store.events_of(1)) == 2
    assert (await store.load_polled([1]))[1].knows() == {b"a_______", b"b_______"}
    assert (await store.status(NOW)).shipments == 1


async def test_a_united_parcel_remembers_the_scans_of_both_numbers(store: Store) -> None:
    """D1: the first scan at origin stays the first, whichever number it was told under."""
    await given(store, order(), parcel("BR9001"), parcel("LX001CN"))
    home = change(2, "LX001CN", scan("a", NOW), journey=travelled(NOW))
    there = change(1, "BR9001", scan("b", NOW + 9 * DAY), journey=travelled(NOW + 9 * DAY))
    await store.write_poll(polled(home, there))
    await store.save_import(forwarders(parcel("BR9001", None, aliases=("LX001CN",))), NOW + 10 * DAY)
    (shipment,) = (await dossier(store)).shipments
    assert shipment.first_scan is not None
    assert shipment.last_scan is not None
    assert (shipment.first_scan.latest, shipment.last_scan.latest) == (NOW, NOW + 9 * DAY)
    assert "shipments_united" in {entry.what for entry in await store.audit_of(1)}


async def test_an_answer_for_a_parcel_that_was_united_away_is_dropped(store: Store) -> None:
    """Its row is gone, and its id may belong to another parcel by now; the united one is asked about at once."""
    await given(store, order(), parcel("LX001CN"), parcel("BR9001"))
    await store.save_import(forwarders(parcel("BR9001", None, aliases=("LX001CN",))), NOW)
    await given(store, order("8002"), parcel("LX002CN", "8002"), digest="d2")
    assert (await store.write_poll(polled(change(2, "BR9001", scan("a"))))).events == 0
    assert (await dossier(store, 2)).shipments[0].last_scan is None


async def test_an_order_that_nobody_knows_is_left_out(store: Store) -> None:
    await given(store)
    assert [told.order.id for told in await store.load_dossiers([7, 1])] == [1]


async def test_one_parcel_of_two_orders_and_one_order_of_two_parcels(store: Store) -> None:
    await given(store, order(), order("8002"), parcel(), parcel("LX002CN"), parcel("LX001CN", "8002"))
    assert [each.number for each in (await dossier(store, 1)).shipments] == ["LX001CN", "LX002CN"]
    assert [each.number for each in (await dossier(store, 2)).shipments] == ["LX001CN"]


@pytest.mark.parametrize(
    ("amount", "currency", "parcels", "shares"),
    [
        ("30.00", "USD", 2, ["15.00", "15.00"]),
        ("10.00", "USD", 3, ["3.34", "3.33", "3.33"]),
        ("100", "JPY", 3, ["34", "33", "33"]),
        ("10", "USD", 1, ["10"]),
    ],
)
def test_each_parcel_carries_its_share_to_the_smallest_unit(amount: str, currency: str, parcels: int, shares: list[str]) -> None:
    """D23: a split order's refund is the parcel's share; the shares add up to what was paid (I7)."""
    split = even_shares(Decimal(amount), currency, parcels)
    assert split == [Decimal(share) for share in shares]
    assert sum(split) == Decimal(amount)


async def test_unknown_channel_texts_are_kept_counted_and_never_take_a_known_service_back(store: Store) -> None:
    unknown: dict[str, Any] = {"service_text": "神秘专线", "carrier": None, "matched": False}
    await given(store, order(), parcel(), parcel("LX002CN", **unknown))
    await store.save_import(forwarders(parcel("LX001CN", None, **unknown)), NOW)
    first, second = (await dossier(store)).shipments
    assert (first.carrier, first.matched) == ("yanwen", True)
    assert (second.service_text, second.matched) == ("神秘专线", False)
    assert await store.unmatched_services() == [UnmatchedText(text="神秘专线", shipments=1)]
    await given(store, parcel("LX002CN", **unknown | {"carrier": "yanwen", "matched": True}))
    assert await store.unmatched_services() == []


async def test_more_rows_than_one_transaction_takes(store: Store) -> None:
    rows = [order(str(number)) for number in range(700)]
    assert (await given(store, *rows)).new == 700
    assert (await given(store, *rows)).unchanged == 700


async def test_the_last_order_file_of_each_store_is_known(store: Store) -> None:
    """D20: a file that brings nothing new is a file too; a forwarder's sheet has no orders, and a dry run is no file."""
    assert await store.order_files() == {}
    await store.save_import(batch(order()), NOW, dry_run=True)
    await store.save_import(batch(parcel(), digest="d0"), NOW)
    assert await store.order_files() == {}
    await store.save_import(batch(order(), order(store="other", number="9")), NOW)
    await store.save_import(batch(order()), NOW + DAY)
    assert await store.order_files() == {"shop": AT + 86_400, "other": AT}


async def test_an_older_clock_takes_no_order_file_back(store: Store) -> None:
    await store.save_import(batch(order()), NOW)
    await store.save_import(batch(order(), digest="d2"), NOW - DAY)
    assert await store.order_files() == {"shop": AT}


async def test_a_rehearsal_tells_each_change_and_writes_nothing(store: Store) -> None:
    """The preview of `import --dry-run`: new, updated with the fields before and after, unchanged."""
    await given(store)
    dearer = batch(order(amount=Decimal("31.00")), parcel(), order(number="8002", row=4), digest="d2")
    (outcome,) = await store.rehearse_import([dearer], NOW + DAY)
    told = {(change.what, change.number): change for change in outcome.changes}
    assert {key: change.outcome for key, change in told.items()} == {
        ("order", "8001"): "updated",
        ("order", "8002"): "new",
        ("shipment", "LX001CN"): "unchanged",
    }
    dearer_order = told["order", "8001"]
    assert (dearer_order.before, dearer_order.after) == ({"amount": Decimal("30.00")}, {"amount": Decimal("31.00")})
    assert told["order", "8002"].row == 4
    assert told["order", "8002"].after["country"] == "BR"
    assert (await store.status(NOW)).orders == 1


async def test_a_rehearsal_of_several_files_lets_the_later_one_see_the_earlier(store: Store) -> None:
    """Orders and their tracking numbers come in two files: together they are followed, apart nobody would be asked."""
    orders, parcels = batch(order()), batch(parcel(), digest="d2")
    first, second = await store.rehearse_import([orders, parcels], NOW)
    assert (first.orphans, first.followed, second.orphans) == (("8001",), (), ())
    assert second.followed == (Followed(number="LX001CN", carrier=second.followed[0].carrier),)
    assert (await store.rehearse_import([parcels], NOW))[0].followed == ()
    assert await store.rehearse_import([], NOW) == []


async def test_a_parcel_that_is_asked_about_already_costs_nothing_anew(store: Store) -> None:
    await given(store)
    (outcome,) = await store.rehearse_import([batch(order(), parcel(), digest="d2")], NOW)
    assert outcome.followed == ()


async def test_a_new_number_of_a_known_parcel_is_asked_about_anew(store: Store) -> None:
    await given(store)
    (outcome,) = await store.rehearse_import([forwarders(parcel("LX9CN", aliases=("LX001CN",), order=None))], NOW)
    assert [each.number for each in outcome.followed] == ["LX9CN"]
    (change,) = outcome.changes
    assert (change.outcome, change.after["numbers"]) == ("updated", ("LX9CN", "LX001CN"))


async def test_an_assumed_fact_gives_way_to_whatever_a_file_says(store: Store) -> None:
    """The store's default destination: the marketplace's file does not name one, a forwarder's sheet does."""
    assumed = order(country="AU", assumed=frozenset({"country"}))
    await store.save_import(batch(assumed, rank_orders=Rank.MARKETPLACE), NOW)
    assert (await dossier(store)).order.country == "AU"
    await store.save_import(batch(order(country="NZ"), digest="d2", rank_orders=Rank.FORWARDER), NOW)
    await store.save_import(batch(assumed, digest="d3", rank_orders=Rank.MARKETPLACE), NOW)
    assert (await dossier(store)).order.country == "NZ"
