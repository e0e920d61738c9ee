"""The same explanation in the operators' language: sentences and names change, what log and database call things does not."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from tests.policy.build import RULES, day, dossier, effect, parcel, window
from tracker.config import load
from tracker.explain import Explanation, explain, to_text
from tracker.model import (
    Case,
    CaseKind,
    Dossier,
    HoldReason,
    Intent,
    OutboxState,
    Release,
    ReleaseVerdict,
    Settle,
    Settled,
    TaskState,
)

CHINESE = load(None, environ={}).languages["zh-CN"]


def told(of: Dossier, when: float = 31, releases: Mapping[str, Release] | None = None) -> tuple[Explanation, str]:
    story = explain(of, RULES, day(when), CHINESE, releases=releases)
    return story, "\n".join(to_text(story, CHINESE))


def test_what_happened_outside_is_told_with_the_facts() -> None:
    """Contacted and settled by people (D21), a source that stopped looking, a case."""
    settled = Settled(how=Settle.DONE, by="Mei", at=day(21))
    story, _ = told(
        dossier(
            parcel(last=20, heard=30.9, stopped_at=day(25)),
            window=window(60),
            contacted={Intent.STAGE1: day(20)},
            settled={Intent.STAGE2: settled},
            cases=(Case(id="D-1", kind=CaseKind.DISPUTE, opened_at=day(22)),),
        )
    )
    facts = {fact.name: fact.value for fact in story.facts}
    assert facts[CHINESE.name("contacted_outside")] == "第一阶段, 2026-04-21"
    assert facts[CHINESE.name("backlog")].startswith("第二阶段: ")
    assert facts["数据源停止跟踪"] == "2026-04-26：之后的返回只是重复旧信息"
    assert facts["收货期截止"] == "2026-05-31，已延长 0 次"
    assert facts["纠纷：纠纷"] == "未结"


def test_what_waits_is_told_with_task_and_hold() -> None:
    handed = effect(Intent.STAGE1, 30.5, state=OutboxState.SENT, task=TaskState.OPEN)
    story, text = told(dossier(parcel(last=28, heard=30.9), effects=(handed,)))
    assert story.summary == "第一阶段等待中：任务待办"
    assert "已发送, 任务待办" in text
    held = effect(Intent.STAGE1, 30, state=OutboxState.HELD, hold=HoldReason.STORE_OBSERVES)
    story, text = told(dossier(parcel(last=28, heard=30.9), effects=(held,)))
    assert story.summary == "第一阶段等待中：待处理, 店铺仅观察"
    assert "待处理, 扣留：店铺仅观察" in text


def test_what_the_last_guard_says_is_told() -> None:
    pending = effect(Intent.STAGE1, 30, state=OutboxState.PENDING, hold=None)
    guard = Release(verdict=ReleaseVerdict.DEFER, why="paused", until=day(32), detail="by Mei")
    story, text = told(dossier(parcel(last=28, heard=30.9), effects=(pending,)), releases={pending.key: guard})
    (old,) = [each for each in story.decisions if each.state == "pending"]
    assert old.release == "延后: 已暂停，至 2026-05-03 01:00 UTC (by Mei)"
    assert "放行" in text
    reason = replace(guard, why="waiting_for_facts", until=None, detail="")
    story, _ = told(dossier(parcel(last=28, heard=30.9), effects=(pending,)), releases={pending.key: reason})
    assert "延后: 待更新信息" in [each.release for each in story.decisions]


def test_names_of_log_and_database_stay() -> None:
    """Rule, reason and dedup key are what one looks for in the log."""
    story, text = told(dossier(parcel(last=45, heard=60.9)), 61)
    assert "order/jade/8001:refund:0  退款 (全额退款) 30.00 USD  新建  (stage3_not_arrived)" in text
    assert "stage3_not_arrived: 已到最长等待期，包裹既无进展也未临近派送" in text
    assert story.summary.endswith("退款: 已到最长等待期，包裹既无进展也未临近派送")
