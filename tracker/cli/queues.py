"""What waits for people, as lines of a worksheet: the review queue and the open tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from tracker.channels.task import order_url
from tracker.cli.errors import UsageError
from tracker.compensation import checklist, money_open, terms_of
from tracker.desk import cases, people, review, tasks
from tracker.metrics import DueCase
from tracker.model import ActionKind, Channel, ClaimState, Dossier, OutboxRow
from tracker.reports.case_sheet import case_line
from tracker.reports.claim_sheet import claim_line
from tracker.reports.worksheet import CASES, CLAIMS, REVIEW, TASKS, Line, review_line, task_line, task_lines
from tracker.store.claims import ClaimView
from tracker.store.errors import NotThere
from tracker.store.rows import OutboxView
from tracker.team import folded

if TYPE_CHECKING:
    from tracker.cli.context import Room
    from tracker.cli.worksheets import Chosen
    from tracker.desk.worksheet import Filled
    from tracker.dispatch.prepare import Preparer


class Queue(Protocol):
    """One kind of worksheet: what stands in it, and one of its lines on today's facts."""

    kind: str

    async def waiting(self, room: Room, chosen: Chosen) -> list[Line]:
        """The lines of what waits."""
        ...

    async def line(self, room: Room, filled: Filled) -> Line:
        """One line as it is today; where it stands for nothing any more, what it showed."""
        ...


class Reviews:
    """Recommendations, and messages of stores in mode approve with the text that would go."""

    kind = REVIEW

    async def waiting(self, room: Room, chosen: Chosen) -> list[Line]:
        """What waits for a person's word and is not put off; of a person: of the stores that are his to look after today."""
        views = await review.waiting(room.store, of_store=chosen.store, now=room.now)
        person = chosen.person(room)
        if person is not None:
            views = [view for view in views if view.row.store in _stores_of(person, room, views)]
        texts = await _texts(views, room)
        return [_review(view, room, texts) for view in views]

    async def line(self, room: Room, filled: Filled) -> Line:
        """One recommendation as it is today."""
        try:
            view = await room.store.outbox_view(filled.row or 0)
        except NotThere:
            return _bare(filled)
        if view.row.key != filled.key:
            return _bare(filled)
        return _review(view, room, await _texts([view], room))


class Tasks:
    """Open tasks, one line an order."""

    kind = TASKS

    async def waiting(self, room: Room, chosen: Chosen) -> list[Line]:
        """The open tasks; of a person: those that `tracker tasks list --mine` shows."""
        team, person = room.loaded.rules.team, chosen.person(room)
        found = await tasks.listed(room.store, of_store=chosen.store)
        owners = {task.id: tasks.owner(task, team, room.now) for task in found}
        mine = [task for task in found if person is None or folded(owners[task.id] or "") == folded(person)]
        whose = {id_: people.name_of(owner, team) for id_, owner in owners.items()}
        return list(task_lines(mine, room.loaded.phrases, whose))

    async def line(self, room: Room, filled: Filled) -> Line:
        """One line of a task as it is today."""
        try:
            view = await room.store.outbox_view(filled.row or 0)
        except NotThere:
            return _bare(filled)
        if view.row.key != filled.key or view.task_id is None:
            return _bare(filled)
        team, task = room.loaded.rules.team, await room.store.task(view.task_id)
        whose = people.name_of(tasks.owner(task, team, room.now), team)
        item = next((each for each in task.items if each.row_id == view.row.id), None)
        return _bare(filled) if item is None else task_line(task, item, room.loaded.phrases, whose=whose)


class Claims:
    """Claims against carriers that are not over, one line each."""

    kind = CLAIMS

    async def waiting(self, room: Room, chosen: Chosen) -> list[Line]:
        """What wants a person's word; of a person: what is his by name."""
        person = chosen.person(room)
        views = await room.store.claims([each for each in ClaimState if money_open(each)], store=chosen.store)
        mine = [view for view in views if person is None or folded(view.claim.owner or "") == folded(person)]
        return [await _claim(view, room) for view in mine]

    async def line(self, room: Room, filled: Filled) -> Line:
        """One claim as it is today."""
        try:
            view = await room.store.claim(filled.row or 0)
        except NotThere:
            return _bare(filled)
        return await _claim(view, room) if view.claim.number == filled.key else _bare(filled)


class Cases:
    """Open cases, one line each, in the order of their work."""

    kind = CASES

    async def waiting(self, room: Room, chosen: Chosen) -> list[Line]:
        """What is open, answered or not."""
        found = await cases.listed(room.store, room.loaded.rules, of_store=chosen.store)
        return [_case(due, room) for due in found]

    async def line(self, room: Room, filled: Filled) -> Line:
        """One case as it is today."""
        try:
            due = await cases.one(room.store, room.loaded.rules, filled.key)
        except NotThere:
            return _bare(filled)
        return _case(due, room)


def _case(due: DueCase, room: Room) -> Line:
    rules = room.loaded.rules
    told, market = cases.told_of(due, rules, room.now), rules.marketplaces.get(due.order.platform)
    url = None if market is None else order_url(market, due.order.number)
    return case_line(due, told, room.loaded.phrases, url=url)


async def _claim(view: ClaimView, room: Room) -> Line:
    from tracker.desk.claims import parcel_of

    rules = room.loaded.rules
    dossier, shipment = await parcel_of(room.store, view)
    papers = checklist(view.claim, terms_of(view.claim.rule, rules), shipment)
    url = order_url(rules.marketplace(dossier.order.platform), view.order)
    return claim_line(view, papers, room.loaded.phrases, url=url)


def _bare(filled: Filled) -> Line:
    """A line that stands for nothing: what it showed, so that nobody looks for it in vain."""
    shown = {name: filled.text(name) for name in ("id", "order")}
    return Line(row=None, key="", version=None, store=filled.text("store"), cells=shown)


def _stores_of(person: str, room: Room, views: Iterable[OutboxView]) -> set[str]:
    team = room.loaded.rules.team
    if not team:
        raise UsageError("recommendations are nobody's own without a team.toml: leave out --mine and --to, or name a --store")
    stores = {view.row.store for view in views}
    return {store for store in stores if any(each.id == person for each in team.present(store, room.now))}


def _review(view: OutboxView, room: Room, texts: Mapping[int, tuple[str, str | None]]) -> Line:
    rules = room.loaded.rules
    text, twin = texts.get(view.row.id, (None, None))
    url = order_url(rules.marketplace(view.order.platform), view.order.number)
    first = people.name_of(view.first_approved_by, rules.team)
    line = review_line(view, room.loaded.phrases, url=url, text=text, twin=twin)
    return replace(line, cells={**line.cells, "first_yes": first})


async def _texts(views: Iterable[OutboxView], room: Room) -> dict[int, tuple[str, str | None]]:
    """What the messages among them would say today, with the twin; of one that does not render, why."""
    from tracker.dispatch.prepare import Preparer

    messages = [view for view in views if view.row.kind is ActionKind.MESSAGE]
    if not messages:
        return {}
    loaded = room.loaded
    preparer = Preparer(rules=loaded.rules, texts=loaded.texts, sender="", phrases=loaded.phrases)
    dossiers = await room.store.load_dossiers(list({view.order.id for view in messages}))
    known = {dossier.order.id: dossier for dossier in dossiers}
    return {view.row.id: _text(preparer, view.row, known[view.order.id], room) for view in messages}


def _text(preparer: Preparer, row: OutboxRow, dossier: Dossier, room: Room) -> tuple[str, str | None]:
    from tracker.dispatch.prepare import NotByItselfError
    from tracker.messages import RenderError

    try:
        try:
            prepared = preparer.prepare(row, dossier, room.now)
        except NotByItselfError:
            prepared = preparer.prepare(_by_hand(row), dossier, room.now)
    except RenderError as error:
        return f"[{error}]", None
    return ("" if prepared.text is None else prepared.text.body), prepared.twin


def _by_hand(row: OutboxRow) -> OutboxRow:
    """The same as a task: a person may paste what must not leave by itself."""
    return replace(row, channel=Channel.TASK)
