"""What a person sees: the next step beside every row, the whole case of an order, what a pass could not reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tracker.cli import main, run
from tracker.cli.output import Console
from tracker.once import PassReport

AT = ("--at", "2026-03-02")
ANSWER = Path(__file__).parents[1] / "samples" / "carriers" / "seventeen_track" / "delivered.json"


def test_a_recommendation_shows_amount_evidence_and_how_to_decide(shop: Shop, shell: Shell) -> None:
    """D11: a person decides, on the evidence, about the facts that stand there."""
    said = shell("review", "show", shop.refund).out
    for part in ("12.50 USD", "not found since", "2026-02-01", f"tracker review approve {shop.refund} --facts "):
        assert part in said


def test_a_task_shows_link_text_twin_and_how_to_close_it(shop: Shop, shell: Shell) -> None:
    """D17: everything to do it stands on one page."""
    said = shell("tasks", "show", shop.extension).out
    for part in ("https://shop.example/A-1", "Olá", "Hello", f"tracker tasks done {shop.extension} --window-end DATE"):
        assert part in said
    assert shell("tasks", "done", shop.extension, "--window-end", "2026-05-01", *AT).code == 0
    closed = shell("tasks", "show", shop.extension).out
    assert "[done]" in closed
    assert "tracker tasks done" not in closed


def test_a_doubtful_send_shows_how_to_settle_it(shop: Shop, shell: Shell) -> None:
    """Promise 1: every doubtful send is shown to a person."""
    assert f"tracker outbox resolve {shop.doubtful} --to sent|failed" in shell("outbox", "show", shop.doubtful).out
    unsure = shell("tasks", "done", shop.task, "--unsure", *AT)
    assert "doubtful" in unsure.out
    assert len(shell.json("outbox", "list", "--state", "unknown")["outbox"]) == 2


def test_the_order_of_a_case_says_what_the_last_guard_would_do(shop: Shop, shell: Shell) -> None:
    """Operator experience section 3: what release() said of a row on its way out."""
    shell.json("review", "approve", shop.refund, "--reason", "checked", *AT)
    [story] = shell.json("explain", shop.parcel.lower())["explanations"]
    assert story["asked"] == shop.parcel
    assert story["next_poll_at"].keys() == story["asked_of"].keys() == {shop.parcel}
    [refund] = [each for each in story["decisions"] if each["kind"] == "refund" and each["state"] == "pending"]
    assert refund["release"].startswith(("send", "hold", "defer", "cancel"))
    assert "release" in shell("explain", shop.order).out


def test_a_parcel_of_two_orders_explains_both(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    sheet = tmp_path / "combined.csv"
    sheet.write_text(
        "order,store,status,country,amount,currency,paid,tracking,service\n"
        + "".join(f"{number},lume,shipped,BR,5,USD,2026-02-01 10:00:00,RB000000009CN,x\n" for number in ("B-1", "B-2")),
        encoding="utf-8",
    )
    shell.config = shop.folder / "tracker.toml"
    (shop.folder / "stores" / "lume.toml").write_text(
        'platform = "aliexpress"\nname = "Lume"\nnames = ["lume"]\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\n',
        encoding="utf-8",
    )
    assert shell("import", sheet, *AT).code == 0
    stories = shell.json("explain", "RB000000009CN")["explanations"]
    assert [story["order"] for story in stories] == ["B-1", "B-2"]
    assert shell("explain", "RB000000009CN").out.count("Order B-") == 2
    assert [story["order"] for story in shell.json("explain", "B-2", "--store", "lume")["explanations"]] == ["B-2"]


def test_an_answer_of_a_source_reads_as_scans(shell: Shell) -> None:
    said = shell("carriers", "parse", "seventeen_track", ANSWER)
    assert said.code == 0
    assert "delivered" in said.out
    assert "description" in said.out


def test_services_are_listed_with_what_they_mean(shop: Shop, shell: Shell) -> None:
    said = shell("services")
    assert said.code == 0
    assert "china_post" in said.out
    assert "Every text in the files is known." in said.out


def test_status_names_the_command_for_everything_that_needs_a_person(shop: Shop, shell: Shell) -> None:
    wants = {each["what"]: (each["count"], each["see"]) for each in shell("status", "--json").document["needs_person"]}
    assert wants == {
        "reviews": (1, "tracker review list"),
        "open tasks": (3, "tracker tasks list"),
        "doubtful sends": (1, "tracker outbox list --state unknown"),
        "held back": (1, "tracker hold list"),
        "claims to file": (1, "tracker claims list --state ready"),
        "parcels followed without any source": (2, f"[[source]] in {shop.folder / 'tracker.toml'}"),
    }
    assert "tracker hold list" in shell("status").out


def test_a_pass_says_which_source_was_down(capsys: pytest.CaptureFixture[str]) -> None:
    """DESIGN: `run --once` exits 0 when a source was down, and says so."""
    run.tell(Console(), PassReport(imported=0, asked=0, unasked=7, decided=0, dispatched=0, down=("17track",)))
    said = capsys.readouterr().out
    assert "Not reached: 17track" in said
    assert "0 parcels asked about" in said
    assert "7 parcels were due and nobody could be asked" in said


def test_a_bug_keeps_its_traceback_and_a_stop_by_keyboard_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(error: BaseException) -> Any:
        def build(_: str | None) -> Any:
            raise error

        return build

    monkeypatch.setattr("tracker.cli.app.build", broken(KeyboardInterrupt()))
    assert main(["status"]) == 1
    assert "stopped by the keyboard" in capsys.readouterr().err
    monkeypatch.setattr("tracker.cli.app.build", broken(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["status"])


def test_a_settled_row_names_no_next_step(shop: Shop, shell: Shell) -> None:
    """What cannot be done is not suggested."""
    assert "tracker review approve" in shell("review", "show", shop.refund).out
    assert "tracker hold release" in shell("hold", "show", shop.hold).out
    assert shell("review", "reject", shop.refund, "--reason", "no").code == 0
    assert shell("hold", "release", shop.hold).code == 0
    assert "tracker review approve" not in shell("review", "show", shop.refund).out
    assert "tracker hold release" not in shell("hold", "show", shop.hold).out


def test_a_fresh_rehearsal_takes_the_sample_files_as_they_are(tmp_path: Path, shell: Shell) -> None:
    """Real input: a rehearsal has a shop of each kind that the sample files speak of, so that nobody meets a rejection first."""
    shell.config = None
    shell.json("init", tmp_path / "new", "--rehearsal")
    shell.config = tmp_path / "new" / "tracker.toml"
    samples = Path(__file__).parents[1] / "samples" / "imports"
    files = [samples / each for each in ("aliexpress_orders_zh.xls", "dianxiaomi_orders.xlsx", "cn_forwarder_shipments.xlsx")]
    reports = shell.json("import", *files, "--dry-run", "--at", "2026-09-10")["files"]
    assert [(each["rows"], each["orders"], each["rejected"]) for each in reports] == [(4, 4, []), (2, 2, []), (2, 0, [])]
