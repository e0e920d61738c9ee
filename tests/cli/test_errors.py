"""What a user can cause has one clear message, a word for scripts and the right exit code; never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Said, Shell
from tests.desk.world import NOW
from tracker.store import create

AT = ("--at", "2026-03-02")


def _refused(said: Said, code: int, kind: str, says: str) -> None:
    assert said.code == code, said
    error = said.document["error"]
    assert error["kind"] == kind
    assert says in error["message"]
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("reviw list", 'Did you mean "review"'),
        ("review lst", 'Did you mean "list"'),
        ("review show", "requires an argument"),
        ("review show twelve", "twelve"),
        ("review approve --reason yes", "name at least one id"),
        ("review approve 1 2 --facts 3 --reason yes", "--facts belongs to one id"),
        ("review reject 1", "--reason"),
        ("review reject 1 --reason ' '", "--reason"),
        ("tasks done", "name at least one id"),
        ("tasks done 1 --window-end tomorrow", "write 2026-03-01"),
        ("tasks done 1 --amount lots --ref R-1", "write 12.50"),
        ("tasks done 1 2 --amount 5 --ref R-1", "one by one"),
        ("tasks done 1 --unsure --ref R-1", "leave out"),
        ("tasks drop 1", "--reason"),
        ("tasks list --state lost", "lost"),
        ("tasks export sheet.pdf", ".xlsx"),
        ("outbox resolve 1 --to maybe --reason x", "maybe"),
        ("outbox resolve --to sent --reason x", "name at least one id"),
        ("outbox resolve 1 --to sent --reason ''", "--reason"),
        ("hold release", "or choose many: --all"),
        ("order set A-1 --refunded 12,50 --ref R-1", "write 12.50"),
        ("order set A-1", "say what is known: --refunded"),
        ("order set NOBODY --reason seen", "say what is known: --refunded"),
        ("order set A-1 --refunded 5", "needs its reference: --ref"),
        ("order set A-1 --refunded 5 --received now", "needs its reference: --ref"),
        ("order set A-1 --ref R-1 --vip", "--ref belongs to --refunded"),
        ("order set A-1 --received yesterday", "write 2026-03-01"),
        ("order set A-1 --confirmed yesterday", "--confirmed"),
        ("order set A-1 --stages 40,55", "three days, for instance 40,55,70"),
        ("order set A-1 --stages 40,x,70", "three days, for instance 40,55,70"),
        ("report month-end --month 2026-13", "write 2026-02"),
        ("import", "name at least one file"),
        ("explain A-1 --at someday", "write 2026-03-01"),
        ("config show --section nothing", "there are: tracker"),
        ("config schema nothing", "'nothing'"),
        ("carriers parse nobody answer.json", "seventeen_track"),
        ("carriers parse nobody nowhere.json", "seventeen_track"),
        ("init elsewhere --at 2026-01-01", "--rehearsal"),
        ("status --nope", "--nope"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_to_write(line: str, says: str, shop: Shop, shell: Shell) -> None:
    import shlex

    (shop.folder.parent / "answer.json").write_text("{}", encoding="utf-8")
    words = shlex.split(line)
    _refused(shell(*words, "--json"), 2, "usage", says)
    text = shell(*words)
    assert (text.code, text.out) == (2, "")
    assert says in " ".join(text.err.split())


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        ("review show 99", "not_there", "no outbox row 99"),
        ("tasks show 99", "not_there", "99"),
        ("explain NOBODY", "not_there", "tracker import"),
        ("order set NOBODY --vip", "not_there", "NOBODY"),
        ("order set A-1 --refunded 99 --ref R-1", "conflict", "exceed"),
        ("order set A-1 --received 2027-01-01", "bad_value", "lies ahead"),
    ],
)
def test_what_does_not_fit_the_facts_is_exit_code_1(line: str, kind: str, says: str, shop: Shop, shell: Shell) -> None:
    at = () if line.startswith(("review show", "tasks show", "explain")) else AT
    _refused(shell(*line.split(), *at, "--json"), 1, kind, says)


def test_some_taken_some_refused_is_exit_code_3(shop: Shop, shell: Shell) -> None:
    said = shell("review", "approve", shop.refund, 99, "--reason", "checked", *AT, "--json")
    assert said.code == 3
    assert [(each["id"], each["done"]) for each in said.document["results"]] == [(shop.refund, True), (99, False)]


def test_facts_that_moved_are_shown_again_and_not_decided(shop: Shop, shell: Shell) -> None:
    """Operator experience section 8: `--facts` is the version that the person saw."""
    seen = shell.json("review", "show", shop.refund)["review"]["facts_version"]
    shell.json("order", "set", shop.order, "--vip", *AT)
    said = shell("review", "approve", shop.refund, "--facts", seen, "--reason", "checked", *AT, "--json")
    assert said.code == 1
    assert "have moved since you looked" in said.document["results"][0]["message"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tasks done {extension}", "--window-end"),
        ("tasks done {extension} --window-end 2026-01-01", "has passed"),
        ("tasks done {payout} --amount 5", "--ref"),
        ("tasks done {payout} --amount 99 --ref R-1", "exceed"),
        ("tasks done {task} --amount 5 --ref R-1", "has no use for"),
        ("outbox resolve {refund} --to sent --reason x", "not unknown"),
        ("hold release {refund}", "tracker review show"),
        ("review approve {hold} --reason yes", "tracker hold show"),
    ],
)
def test_a_row_that_cannot_be_closed_so_says_why(line: str, says: str, shop: Shop, shell: Shell) -> None:
    words = line.format(**{name: getattr(shop, name) for name in shop.__struct_fields__}).split()
    said = shell(*words, *AT, "--json")
    assert said.code == 1, said
    [result] = said.document["results"]
    assert result["done"] is False
    assert says in result["message"]


def test_a_task_in_somebody_elses_hands_is_not_closed(shop: Shop, shell: Shell) -> None:
    """D17: taking it in hand is a lock with a name; the login name stands in where --by says nothing."""
    shell.json("tasks", "take", shop.task, "--by", "Lin", *AT)
    said = shell("tasks", "done", shop.task, "--by", "Mei", *AT)
    assert said.code == 1
    assert "in the hands of Lin" in said.out


def _typo(shop: Shop) -> None:
    (shop.folder / "tracker.toml").write_text('[inbox]\npaht = "inbox"\n', encoding="utf-8")


def _no_toml(shop: Shop) -> None:
    (shop.folder / "tracker.toml").write_text("[inbox\n", encoding="utf-8")


def _bad_template(shop: Shop) -> None:
    text = shop.folder / "messages" / "en" / "stage1.txt"
    text.parent.mkdir(parents=True)
    text.write_text("Subject: x\n\nHello {{ name\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "file", "says"),
    [
        (_typo, "tracker.toml", 'did you mean "path"'),
        (_no_toml, "tracker.toml", "not valid TOML"),
        (_bad_template, "stage1.txt", ""),
    ],
)
def test_a_broken_configuration_is_found_by_check_and_stops_everything_else(
    spoil: Callable[[Shop], None], file: str, says: str, shop: Shop, shell: Shell
) -> None:
    """`config check`: findings, 1. Any other command cannot start: 2. The daemon: 78. Each names file and line."""
    spoil(shop)
    check = shell("config", "check", "--json")
    assert check.code == 1
    [problem] = [each for each in check.document["problems"] if each["level"] == "error"]
    assert problem["file"].endswith(file)
    assert problem["line"] is not None
    assert says in problem["message"]
    text = shell("config", "check")
    assert (text.code, text.err) == (1, "")
    assert f"{file}:{problem['line']}" in text.out
    _refused(shell("status", "--json"), 2, "config", file)
    assert shell("run").code == 78


def test_without_any_configuration_the_shipped_defaults_are_checked(shell: Shell) -> None:
    """In a wrong folder "nothing is wrong" must not pass for a word about one's own files."""
    said = shell("config", "check")
    assert said.code == 0
    assert said.out.startswith("the shipped defaults: nothing is wrong.\nGood to know: not reviewed by a native speaker")
    assert "There is no tracker.toml here" in said.out


def _folder(path: Path) -> None:
    path.mkdir()


def _bytes(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_folder, id="a_directory"),
        pytest.param(_bytes(b""), id="empty"),
        pytest.param(_bytes(b"colour,taste\nred,sweet\n"), id="unknown_layout"),
        pytest.param(_bytes(b"\xff\xfe\x00\x01\x02binary"), id="no_text"),
        pytest.param(_bytes(b"<html><body>Please log in</body></html>"), id="a_web_page"),
        pytest.param(lambda _: None, id="missing"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(make: Callable[[Path], None], shop: Shop, shell: Shell) -> None:
    file = shop.folder / "orders.csv"
    make(file)
    said = shell("import", file, *AT, "--json")
    assert said.code == 1
    [report] = said.document["files"]
    assert report["error"]
    assert "Traceback" not in said.err


def test_an_answer_that_cannot_be_read_is_exit_code_1_and_one_that_says_error_is_0(shop: Shop, shell: Shell) -> None:
    """DESIGN's contract of `carriers parse`."""
    shell.config = None
    _refused(shell("carriers", "parse", "seventeen_track", "nowhere.json", "--json"), 1, "unreadable_file", "nowhere.json")
    answer = shop.folder / "answer.json"
    answer.write_text("<html>502</html>", encoding="utf-8")
    said = shell("carriers", "parse", "seventeen_track", answer, "--http-status", 502, "--json")
    assert said.code == 0
    assert said.document["results"] == []
    assert said.document["error"]["kind"] == "unavailable"


def test_a_pass_whose_inbox_cannot_be_used_says_so(shop: Shop, shell: Shell) -> None:
    """Never a traceback: the folder is named, and nothing was lost."""
    folder = shop.folder / "inbox"
    if folder.is_dir():
        folder.rmdir()
    folder.write_bytes(b"a file where a folder should be")
    (shop.folder / "tracker.toml").write_text('[inbox]\npath = "inbox"\n', encoding="utf-8")
    _refused(shell("run", "--once", *AT, "--json"), 1, "file", f"the inbox {folder} cannot be used")


@pytest.mark.parametrize(
    ("line", "help_of"),
    [
        ("tasks show", "tasks show"),
        ("tasks done x", "tasks done"),
        ("tasks shwo 1", "tasks"),
        ("statsu", ""),
        ("status --x", "status"),
    ],
)
def test_wrong_usage_names_the_help_that_tells_more(line: str, help_of: str, shell: Shell) -> None:
    said = shell(*line.split())
    assert said.code == 2
    assert said.err.endswith(f"See: tracker {help_of} --help\n".replace("  ", " "))


def test_in_the_wrong_folder_the_way_to_the_shop_comes_first(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is led to make a second shop where he only mistook the folder."""
    monkeypatch.chdir(tmp_path)
    said = shell("status")
    assert said.code == 2
    assert said.err.index("There is no tracker.toml here") < said.err.index("--config FILE") < said.err.index("tracker init")


def test_init_overwrites_nothing(shop: Shop, shell: Shell) -> None:
    before = (shop.folder / "tracker.toml").read_text(encoding="utf-8")
    _refused(shell("init", shop.folder, "--rehearsal", "--json"), 1, "conflict", "left as it is")
    assert (shop.folder / "tracker.toml").read_text(encoding="utf-8") == before


def test_init_makes_the_database_of_a_configuration_that_is_there(shop: Shop, shell: Shell) -> None:
    """It is what every "no database yet" tells to do."""
    (shop.folder / "tracker.db").unlink()
    assert shell.json("init")["written"] == []
    assert shell.json("db", "check")["verdict"] == "current"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_init_says_where_it_may_not_write(tmp_path: Path, shell: Shell) -> None:
    tmp_path.chmod(0o500)
    _refused(shell("init", tmp_path / "shop", "--json"), 1, "not_writable", "shop")


def test_a_report_that_cannot_be_written_says_so(shop: Shop, shell: Shell) -> None:
    (shop.folder / "reports").write_text("a file stands here", encoding="utf-8")
    _refused(shell("report", "month-end", "--out", shop.folder / "reports", "--json"), 1, "file", "reports")


def test_a_file_that_is_no_database_is_said(shop: Shop, shell: Shell) -> None:
    database = shop.folder / "tracker.db"
    for leftover in shop.folder.glob("tracker.db*"):
        leftover.unlink()
    database.write_bytes(b"this is no database" * 100)
    _refused(shell("status", "--json"), 1, "database_damaged", "tracker.db")
    assert shell("run").code == 74


def test_the_resident_daemon_lives_today_and_on_real_databases(shop: Shop, shell: Shell) -> None:
    """facts/systemd.md section 6: 64 usage, 78 configuration; a rehearsal is refused."""
    assert shell("run", *AT).code == 64
    assert shell("run", "--nope").code == 64
    said = shell("run")
    assert said.code == 78
    assert "rehearsal" in said.err


def test_a_second_pass_beside_a_daemon_is_turned_away(shop: Shop, shell: Shell) -> None:
    from tracker.store.lock import DaemonLock

    lock = DaemonLock(shop.folder / "tracker.db")
    try:
        said = shell("run", "--once", *AT, "--json")
    finally:
        lock.release()
    assert said.code == 1
    assert said.document["error"]["kind"] == "another_daemon"


def test_an_unknown_service_text_is_said_by_store_created_beside(tmp_path: Path, shell: Shell) -> None:
    """`order set` on a database whose store file is gone still works: dates are read as UTC then."""
    (tmp_path / "tracker.toml").write_text("", encoding="utf-8")
    create(f"sqlite:///{tmp_path / 'tracker.db'}", rehearsal=True, now=NOW)
    shell.config = tmp_path / "tracker.toml"
    assert shell.json("status")["orders"] == 0


def test_a_real_database_never_learns_a_rehearsals_date(tmp_path: Path, shell: Shell) -> None:
    """The refusal comes before the pass takes the daemon's place: `status` still says that nobody ever did."""
    assert shell("init", tmp_path / "live").code == 0
    shell.config = tmp_path / "live" / "tracker.toml"
    _refused(shell("run", "--once", "--at", "2020-01-01", "--json"), 2, "not_a_rehearsal", "tracker init --rehearsal")
    assert shell.json("status")["daemon_since"] is None
