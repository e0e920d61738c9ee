"""The only place that knows SQL: tables, statements, migrations. Every operation is `async def`, takes and returns plain structs.

`now` is an aware UTC instant and always an argument; a session or connection never leaves. Errors: `tracker.store.errors`, each
with a sentence that names the next command. Structs: `tracker.store.rows` and `tracker.model`.

    opening     create(url, *, rehearsal, now)                   upgrade(url) -> (from, to)
                schema_state(url) -> SchemaState                 open_store(url, *, clock, daemon=False, owner="tracker") -> Store
                store.epoch, close(), is_rehearsal() -> bool     require_rehearsal(): raises NotARehearsal
                identity() -> str                                forgotten_time() -> (from, until) | None
                trial(): context manager, takes all writes within back
                share_files(url) -> bool: umask                  share_file(file): mode, in a folder that a group shares

    intake      save_import(batch, now, *, dry_run=False) -> ImportOutcome
                orphans() -> list[Orphan]
                unmatched_services() -> list[UnmatchedText]        order_files() -> {store: epoch}

    polling     due_shipments(now, limit, *, after=None, skip=frozenset()) -> list[DueShipment]    after = (next_poll_at, id)
                park_shipments(ids, until)
                claim_due(now, limit, enqueue=None) -> Claim     take_claim(token, now) -> Claim     claim_these(shipments, now)
                renew_claim(claim, now) -> ids still held        release_claim(claim)
                take_turn(source, token, now) -> bool            end_turn(source, token)
                load_memory(account, numbers) -> AccountMemory
                load_polled(ids) -> dict[int, Polled]
                load_events(ids) -> dict[int, tuple[TrackingEvent, ...]]
                write_poll(write: PollWrite) -> PollWritten

    pushes      keep_push(account, digest, slices, now) -> bool  (False: that body was taken before)
                waiting_pushes(limit, *, after=0) -> list[Pushed]    drop_pushes(ids)
                shipments_by_number(numbers) -> {number: DueShipment}    shipments_by_leg(numbers) -> {number: DueShipment}
                push_counts(since) -> PushCounts

    gate        take_slot(source, now_ms, interval_ms) -> int    the caller's slot, ms
                push_gate(source, until_ms)
                use_quota(source, day, amount, quota) -> bool      give_back_quota(source, day, amount)
                quota_days() -> {source: {day: used}}              tracker.store.quota.forecast reads them
                breaker(account) -> Breaker                      change_breaker(account, change) -> (before, after)
                used_today(source, day) -> int                   awaited(shipment_ids) -> set[id]
                tell_quota(account, left, daily, now)            told_quotas() -> {account: ToldQuota}
                known_codes(account, codes) -> set[code]         unmapped_codes(since) -> list[UnmappedCode]

    sweep       due_dossiers(now, limit, *, after=None) -> list[(next_decide_at, id)]
                load_dossiers(ids) -> list[Dossier]
                write_verdicts(verdicts, now) -> SweepWritten
                park_dossier(order_id, until, error, now)

    dispatch    due_rows(now, limit, *, skip=frozenset()) -> list[OutboxRow]
                due_ids(now, limit, *, skip=frozenset()) -> list[int]
                row(row_id) -> OutboxRow | None
                totals(row, now) -> Totals
                claim_row(row_id, *, who, version, now, cap=None) -> bool
                finish_row(row_id, to, now, *, result=None, provider_id=None, not_before=None) -> bool
                hold_row(row_id, hold, why, now) -> bool         defer_row(row_id, until, why, now, *, in_line=False) -> bool
                cancel_row(row_id, why, now) -> bool             fail_row(row_id, why, now) -> bool
                reroute_row(row_id, channel, why, now) -> bool
                open_task(row_id, task, *, version, now) -> int | None
                open_claim(row_id, claim, *, version, now) -> int | None
                expire_tasks(now) -> int                         recover(ends, now) -> list[SendingRow]

    desk        reviews(), holds(), outbox(states=(), limit=None) -> list[OutboxView]
                outbox_view(row_id) -> OutboxView
                decide_row(row_id, version, *, approve, by, reason, now, second=False) -> OutboxView
                snooze_row(row_id, version, *, until, by, reason, now) -> OutboxView
                edit_amount(row_id, version, amount, *, by, reason, now) -> OutboxView
                waiting_second() -> list[Waiting]
                release_hold(row_id, *, by, reason, now) -> OutboxView
                resolve_row(row_id, to, *, by, reason, now) -> OutboxView
                tasks(states=(), store=None) -> list[TaskView]   task(task_id, row_id=None) -> TaskView
                take_task(task_id, *, by, now) -> TaskView
                done_task(task_id, result, *, by, now, seen=None) -> TaskView
                drop_task(task_id, *, by, reason, now, seen=None) -> TaskView
                assign_task(task_id, to, *, by, now) -> TaskView
                done_item(row_id, version, result, *, by, now) -> TaskView     drop_item(row_id, version, *, by, reason, now)
                approve_amount(row_id, version, amount, *, by, reason, now, second) -> OutboxView
                approve_as(row_id, version, remedy, amount, *, by, reason, now, second) -> OutboxView
                recoveries(since, until) -> list[Recovery]       (late arrivals that were paid again, R4)
                find_orders(text) -> list[OrderRef]              order_ref(text, store=None) -> OrderRef
                set_order_facts(order_id, patch, *, by, reason, now) -> OrderRef
                wake(order_ids, now) -> int
                claimed_orders() -> list[int]                    standing_still(before) -> list[Standing]
                status(now) -> StatusCounts                      next_due() -> DueInstants
                followed(spans, now) -> list[Followed]

    cases       cases(*, store=None, open_only=True) -> list[CaseView]    case(case_id) -> CaseView
                save_case(order_id, case, now, *, by="import", reason="") -> bool        (False: nothing was news)
                save_cases([CaseWrite], now, *, by, reason="") -> int
                change_case(case, now, *, by, reason="", seen=None) -> CaseView          newest_order(store) -> OrderRef

    claims      claims(states=(), *, carrier=None, store=None) -> list[ClaimView]    claim(claim_id) -> ClaimView
                claim_changes(claim_id=None) -> list[ClaimChange]
                change_claim(before, after, *, event, on, who, why, now) -> ClaimView
                open_again(before, after, fresh, *, who, why, now) -> ClaimView
                used_lines(carrier) -> set[key]                  settle_claims(uses, *, who, now)
                closed_months() -> list[month]                   frozen_month(month) -> (csv, xlsx) | None
                close_month(month, sheet, book, *, by, now, seen=None)

    brake       pauses(now) -> list[Pause]                       pause(wanted, now) -> Pause
                waiting(now) -> list[Waiting]                    freed_by(pause_ids, now) -> list[Waiting]
                resume(pause_ids, *, by, now) -> list[Waiting]   settle_brake(now) -> list[Pause]
                backlogs(now) -> dict[store, Ramp]               deadlines(pause, until, now) -> list[Deadline]
                held_rows() -> list[HeldRow]                     release_rows(rows, *, by, reason, now) -> list[id]
                look_again(may_go, now) -> dict[store, count]    turned_bad(now) -> list[TurnedBad]
                distrust_clock(now), clock_distrusted_at(), clock_mended(), confirm_clock(*, by, reason, now)
                wrote_ahead(now) -> bool                         clock_came_back(now)
                written_ahead(now) -> datetime | None

    rulesets    rulesets() -> list[Ruleset]                      snapshot_of(version) -> bytes | None
                begin_ruleset(version, snapshot, now) -> Begun
                settle_ruleset(version, now, *, waits, touched, open_parcels, summary) -> int
                accept_ruleset(version, *, by, now) -> int | None    free_ruleset(version, now) -> int | None
                open_dossiers(after, limit, *, store=None) -> OpenPage    advance_dossiers([(order_id, at)]) -> int

    decisions   decisions(wanted: DecisionFilter, *, limit) -> list[DecidedView]
                withdraw_decisions(wanted, *, by, reason, now, dry_run=False) -> Withdrawn

                open_corrections(writes, *, by, reason, now) -> list[key]

    advisories  advisories() -> list[Advisory]                   add_advisory(wanted, orders, now) -> Advisory
                end_advisory(id, orders, *, by, reason, now) -> Advisory

    explain     events_of(shipment_id) -> list[EventView]        answers_of(shipment_id) -> list[AnswerView]
                numbers_of(shipment_id) -> tuple[str, ...]       rows_of(order_id) -> list[OutboxView]
                next_polls(order_id) -> dict[str, datetime | None]    (number -> when it is asked about next)
                verdicts_of(order_id, limit=50) -> list[VerdictView]
                audit_of(order_id, limit=200) -> list[AuditEntry]
                tasks_of(order_id) -> list[TaskView]

    errands     errands() -> dict[name, ErrandDone]              finish_errand(name, occasion, now, result)
                fail_errand(name, now, error)

    workers     workers() -> list[Worker]                        sign_of_life(now)    sign_off(now)
                forget_worker(name, *, by, reason, now) -> Forgotten

    alerts      watch_alerts(kind, found, now) -> int            due_alerts(now) -> list[AlertView]
                last_told() -> dict[kind, datetime]              told_alerts(ids, recipients, now)
                retry_alerts(ids, done, until)                   defer_alerts(ids, until)

    keeping     journals() -> dict[worker, path]                 know_journal(worker, path)
                oldest_backup(worker, here) -> datetime | None
                retirement() -> Retirement | None                last_backup() -> datetime | None
                forgotten(attempts) -> list[key]                 the journal's keys that this database has not seen
                forget(after, *, names_before, scans_before, now, dry_run=False) -> Forgotten       note_purge(*, by, what, now)
                mark_behind(since | None)                        behind_since() -> datetime | None

    backlog     known_orders(numbers) -> list[KnownOrder]        tell_contacts(told, *, by, reason, now) -> int
                taken_over() -> list[order ids]                  in_line(now) -> list[InLine]    held_counts() -> list[HeldCount]
                settle_backlog(words, *, by, reason, now) -> set[order ids]

    marketplaces watch_windows(account, store, now) -> int       due_windows(store, now, limit) -> list[DueWindow]
                save_window(order_id, seen, now) -> bool         put_off_windows([(order_id, next_at)])
                window_history(order_id) -> list[WindowChange]
                begin_extension(row_id, *, attempt, days, end_before, now)
                next_attempt(row_id, why, now) -> int | None     extension_by_hand(row_id, why, now) -> bool
                extension_put_off(row_id, why, until, now) -> bool
                extension_proven(row_id, seen, *, days, request, at, now) -> bool
                extension_not_made(row_id, seen, why, now) -> bool
                doubtful_extensions(store, limit) -> list[Doubtful]
                capabilities() -> {(account, capability): Capable}
                capability_works(account, capability, now, next_at)        put_off_capability(account, capability, next_at)
                stop_capability(account, capability, *, fault, why, next_at, now)

`True`/`None` of the dispatch methods follow one rule: exactly one row changed, or the caller must let go of it. `version` is
`Dossier.version` (facts version): claims, tasks and decisions on older facts are refused.
"""

from tracker.store.connection import place
from tracker.store.errands import ErrandDone
from tracker.store.errors import (
    AnotherDaemon,
    BackupRefused,
    Conflict,
    Damaged,
    DatabaseMissing,
    EpochLost,
    Gone,
    JournalMissing,
    Locked,
    NotARehearsal,
    NotThere,
    NotUnique,
    Retired,
    SchemaMoved,
    SchemaTooNew,
    SchemaTooOld,
    StoreError,
    UnsupportedDatabase,
    Unwritable,
)
from tracker.store.opening import Store, open_store
from tracker.store.rows import (
    AccountMemory,
    AnswerView,
    AnswerWrite,
    AuditEntry,
    Breaker,
    CaseView,
    CaseWrite,
    DueInstants,
    DueShipment,
    EventView,
    NewRow,
    OrderPatch,
    OrderRef,
    Orphan,
    OutboxView,
    PollChange,
    Polled,
    PollFailure,
    PollQuiet,
    PollWrite,
    PollWritten,
    Remembered,
    SendingRow,
    SourceHealth,
    StatusCounts,
    SweepWritten,
    TaskItem,
    TaskResult,
    TaskView,
    UnmatchedText,
    VerdictView,
    VerdictWrite,
    Waiting,
)
from tracker.store.schema import SchemaState, SchemaVerdict, create, schema_state, upgrade
from tracker.store.sharing import is_shared, share_file, share_files

__all__ = [
    "AccountMemory",
    "AnotherDaemon",
    "AnswerView",
    "AnswerWrite",
    "AuditEntry",
    "BackupRefused",
    "Breaker",
    "CaseView",
    "CaseWrite",
    "Conflict",
    "Damaged",
    "DatabaseMissing",
    "DueInstants",
    "DueShipment",
    "EpochLost",
    "ErrandDone",
    "EventView",
    "Gone",
    "JournalMissing",
    "Locked",
    "NewRow",
    "NotARehearsal",
    "NotThere",
    "NotUnique",
    "OrderPatch",
    "OrderRef",
    "Orphan",
    "OutboxView",
    "PollChange",
    "PollFailure",
    "PollQuiet",
    "PollWrite",
    "PollWritten",
    "Polled",
    "Remembered",
    "Retired",
    "SchemaMoved",
    "SchemaState",
    "SchemaTooNew",
    "SchemaTooOld",
    "SchemaVerdict",
    "SendingRow",
    "SourceHealth",
    "StatusCounts",
    "Store",
    "StoreError",
    "SweepWritten",
    "TaskItem",
    "TaskResult",
    "TaskView",
    "UnmatchedText",
    "UnsupportedDatabase",
    "Unwritable",
    "VerdictView",
    "VerdictWrite",
    "Waiting",
    "create",
    "is_shared",
    "open_store",
    "place",
    "schema_state",
    "share_file",
    "share_files",
    "upgrade",
]
