"""What a row becomes before anything is claimed: rendered, linted, in the right language, short enough (faults 23; R59, D5)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from tests.conftest import Lines
from tests.dispatch.conftest import SENDER, Office
from tracker.config import english, load
from tracker.dispatch import Preparer
from tracker.dispatch.prepare import NotByItselfError
from tracker.messages import RenderError, Texts
from tracker.model import Channel, Dossier, OutboxRow, OutboxState, TaskState
from tracker.rules import LintList

FORBIDDEN = LintList(id="no_parcels", platforms=("*",), why="is only a test", words=("encomenda*", "pacote*", "parcel*"))


def with_text(office: Office, body: str, language: str = "pt-BR", key: str = "stage1") -> Texts:
    """The shipped texts with another first text."""
    spoken: Mapping[str, str] = office.texts.sources.get(language, {})
    return replace(office.texts, sources={**office.texts.sources, language: {**spoken, key: body}})


async def facts(office: Office) -> tuple[OutboxRow, Dossier]:
    row = await office.only(OutboxState.PENDING)
    (dossier,) = await office.store.load_dossiers([row.order_id])
    return row, dossier


async def test_a_forbidden_word_turns_the_message_into_a_task(due: Office, log_lines: Lines) -> None:
    due.rules = replace(due.rules, lint=(FORBIDDEN,))
    await due.dispatch()
    assert due.post.sent == []
    (task,) = await due.store.tasks(states=(TaskState.OPEN,))
    (item,) = task.items
    assert "is only a test" in item.facts["do_not_send_as_it_is"]
    assert item.text is not None
    assert "LZ000000001CN" in item.text
    row = await due.only(OutboxState.SENT)
    assert (row.channel, row.key) == (Channel.TASK, "order/lamps/100000:stage1:0")
    assert [line["rule"] for line in log_lines() if line["event"] == "outbox.lint_hit"] == ["no_parcels"]


async def test_an_empty_blank_makes_the_message_a_task_with_a_visible_gap(due: Office, log_lines: Lines) -> None:
    """R59, R36: it never prints as nothing, and nobody is forgotten: a person fills it in."""
    due.texts = with_text(due, "subject: x\n\n{{ tracking }} until {{ due_date }}")
    await due.dispatch()
    assert due.post.sent == []
    (task,) = await due.store.tasks(states=(TaskState.OPEN,))
    (item,) = task.items
    assert item.facts["fill_in_first"] == "due_date"
    assert (item.text or "").strip() == "LZ000000001CN until [… due_date …]"
    assert (await due.only(OutboxState.SENT)).channel is Channel.TASK
    assert [line["rule"] for line in log_lines() if line["event"] == "outbox.lint_hit"] == ["empty_blank"]


async def test_a_text_that_does_not_render_fails_its_row(due: Office, log_lines: Lines) -> None:
    """Fault 23: parked as failed, the others go on."""
    due.texts = with_text(due, "subject: x\n\n{{ tracking + 1 }}")
    await due.dispatch()
    assert "cannot be filled in" in ((await due.only(OutboxState.FAILED)).result or "")
    assert due.post.sent == []
    assert "outbox.failed" in {line["event"] for line in log_lines()}


async def test_a_text_that_is_not_there_fails_its_row(due: Office) -> None:
    due.texts = Texts(sources={"en": {}}, words={})
    await due.dispatch()
    assert "there is no text" in ((await due.only(OutboxState.FAILED)).result or "")


async def test_a_translation_that_nobody_reviewed_becomes_a_task_with_the_english_twin(due: Office) -> None:
    """R59."""
    due.rules = replace(due.rules, reviewed=frozenset({"en"}))
    await due.dispatch()
    assert due.post.sent == []
    (task,) = await due.store.tasks(states=(TaskState.OPEN,))
    assert task.items[0].text != task.items[0].twin
    assert "LZ000000001CN" in (task.items[0].twin or "")


async def test_the_twin_is_in_the_operators_language(due: Office) -> None:
    """The buyer's Portuguese stands beside Chinese, where `[operators] language` says so."""
    row, dossier = await facts(due)
    chinese = load(None, environ={}).languages["zh-CN"]
    preparer = Preparer(rules=due.rules, texts=due.texts, sender=SENDER, phrases=chinese)
    prepared = preparer.prepare(row, dossier, due.clock.now())
    assert prepared.text is not None
    assert prepared.text.language == "pt-BR"
    assert "LZ000000001CN 正在途中" in (prepared.twin or "")
    assert preparer.task(row, dossier, prepared, due.clock.now()).title == "Send the first text to the buyer of order 100000"


@pytest.mark.parametrize("channel", [Channel.MAILDIR, Channel.TASK])
async def test_a_text_that_is_too_long_takes_its_short_form_or_a_person(channel: Channel, due: Office) -> None:
    row, dossier = await facts(due)
    row = replace(row, channel=channel)
    market = due.rules.marketplace("own_shop")
    texts = with_text(due, "subject: x\n\n" + "long " * 30 + "{{ tracking }}")

    def preparer(limit: int, used: Texts) -> Preparer:
        places = {**due.rules.marketplaces, "own_shop": replace(market, max_characters=limit)}
        return Preparer(rules=replace(due.rules, marketplaces=places), texts=used, sender=SENDER, phrases=english())

    fits = preparer(1000, texts).prepare(row, dossier, due.clock.now())
    assert fits.text is not None
    assert len(fits.text.body) > 100
    spoken = {**texts.sources["pt-BR"], "stage1.short": "subject: x\n\n{{ tracking }}"}
    short = replace(texts, sources={**texts.sources, "pt-BR": spoken})
    cut = preparer(40, short).prepare(row, dossier, due.clock.now())
    assert cut.text is not None
    assert cut.text.body == "LZ000000001CN\n"
    if channel is Channel.TASK:
        whole = preparer(5, texts).prepare(row, dossier, due.clock.now())
        assert whole.text is not None
        assert len(whole.text.body) > 100
    else:
        with pytest.raises(NotByItselfError, match="too_long"):
            preparer(5, texts).prepare(row, dossier, due.clock.now())


async def test_the_message_id_comes_from_the_key_and_the_senders_domain(due: Office) -> None:
    row, dossier = await facts(due)
    preparer = Preparer(rules=due.rules, texts=due.texts, sender=SENDER, phrases=english())
    prepared = preparer.prepare(row, dossier, due.clock.now())
    first, again = (preparer.outgoing(row, dossier, prepared) for _ in range(2))
    assert first.message_id == again.message_id
    assert first.message_id.endswith("@lamps.example>")
    other = replace(due.rules.stores["lamps"], sender=None)
    nameless = Preparer(rules=replace(due.rules, stores={"lamps": other}), texts=due.texts, sender=SENDER, phrases=english())
    assert nameless.outgoing(row, dossier, prepared).sender == SENDER


async def test_what_has_no_text_cannot_be_sent(due: Office) -> None:
    row, dossier = await facts(due)
    preparer = Preparer(rules=due.rules, texts=due.texts, sender=SENDER, phrases=english())
    with pytest.raises(RenderError, match="no text"):
        preparer.outgoing(row, dossier, type(preparer.prepare(row, dossier, due.clock.now()))())
