"""`tracker advisory`: previewed, made, told to buyers, ended (R35, D19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.cli.shell import Said, Shell
from tests.cli.test_brake import HEAD, ORDER, SCAN, SCANS, Street

NOW = datetime(2026, 3, 29, 8, tzinfo=UTC)
"""All parcels are scanned in Shanghai on 28 March; their promised date is 2 May."""

STRIKE = ("--country", "BR", "--from", "2026-03-29", "--to", "2026-06-30", "--days", "12")
CAUSES = ("--cause", "en=a strike at the posts", "--cause", "pt-BR=uma greve nos Correios")


@pytest.fixture
def street(tmp_path: Path, shell: Shell) -> Street:
    """Two parcels to Brazil and one to Mexico, from one's own shop."""
    folder = tmp_path / "rehearsal"
    assert shell("init", folder, "--rehearsal", "--at", "2026-03-01").code == 0
    for spare in (folder / "stores").glob("*.toml"):
        spare.unlink()
    street = Street(folder, shell)
    street.mode("live")
    places = {1: "BR", 2: "BR", 3: "MX"}
    (folder / "orders.csv").write_text(
        HEAD + "".join(ORDER.format(n=n, country=to) for n, to in places.items()), encoding="utf-8"
    )
    (folder / "scans" / "all.csv").write_text(SCANS + "".join(SCAN.format(n=n) for n in places), encoding="utf-8")
    shell.config = folder / "tracker.toml"
    shell.json("import", folder / "orders.csv", "--at", "2026-03-04")
    assert street.day(NOW - timedelta(hours=1)) == 0
    return street


def bodies(street: Street) -> list[str]:
    """What the mails say."""
    found = (street.folder / "mailbox" / "new").glob("*")
    return [message_from_bytes(each.read_bytes(), policy=default).get_content() for each in found]


def advise(street: Street, what: str, *more: str, words: tuple[str, ...] = (*STRIKE, *CAUSES)) -> Said:
    by = () if what == "preview" else ("--by", "Mei")
    return street.say("advisory", what, *words, *more, *by, at=NOW)


def test_r35_previewed_made_and_told_once(street: Street) -> None:
    """R35: the preview counts parcels and messages and writes nothing; what is made is told to the buyers concerned."""
    seen = street.json("advisory", "preview", *STRIKE, *CAUSES, at=NOW)
    assert (seen["parcels"], seen["messages"], seen["orders"]) == (2, 2, 2)
    assert street.json("advisory", "list", at=NOW)["advisories"] == []
    assert street.day(NOW) == 0

    made = street.json("advisory", "add", *STRIKE, *CAUSES, "--by", "Mei", at=NOW)
    assert (made["advisory"]["id"], made["advisory"]["state"], made["messages"]) == (1, "holds", 2)
    assert street.day(NOW + timedelta(minutes=5)) == 2
    mails = bodies(street)
    assert all("uma greve nos Correios" in mail and "12 dias" in mail for mail in mails)
    assert street.day(NOW + timedelta(days=1)) == 0, "once an advisory"


def test_r35_a_second_advisory_on_the_same_leg_is_told_only_where_it_is_longer(street: Street) -> None:
    """D19: never summed; a text in the same language names the longest alone."""
    assert advise(street, "add").code == 0
    assert street.day(NOW) == 2
    shorter = street.json("advisory", "preview", *STRIKE[:-1], "5", *CAUSES, at=NOW)
    assert (shorter["parcels"], shorter["messages"]) == (2, 0)


def test_r59_a_word_that_the_languages_know_needs_none_of_them(street: Street) -> None:
    """R59: told in the language of each text; words of a language's own go before it."""
    made = street.json("advisory", "add", *STRIKE, "--cause", "strike", "--cause", "en=a walkout", "--by", "Mei", at=NOW)
    assert made["advisory"]["causes"] == {"en": "a walkout", "es": "strike", "pt-BR": "strike", "ru": "strike", "zh-CN": "strike"}
    assert street.day(NOW) == 2
    assert all("greve" in mail and "strike" not in mail for mail in bodies(street))


def test_d19_the_same_advisory_is_not_made_twice(street: Street) -> None:
    assert advise(street, "add").code == 0
    again = advise(street, "add")
    assert (again.code, "advisory 1 says that already" in again.err) == (1, True), again.err
    assert len(street.json("advisory", "list", at=NOW)["advisories"]) == 1
    street.json("advisory", "end", "1", "--reason", "a false alarm", "--by", "Mei", at=NOW)
    assert advise(street, "add").code == 0, "what has ended may begin again"


def test_d19_ending_one_takes_back_what_waits(street: Street) -> None:
    assert advise(street, "add").code == 0
    ended = street.json("advisory", "end", "1", "--reason", "a false alarm", "--by", "Mei", at=NOW)
    assert (ended["advisory"]["ended_because"], ended["advisory"]["state"], ended["orders"]) == ("a false alarm", "over", 2)
    assert street.day(NOW + timedelta(minutes=5)) == 0
    again = street.say("advisory", "end", "1", "--reason", "again", "--by", "Mei", at=NOW)
    assert (again.code, "has ended already" in again.err) == (1, True)
    listed = street.say("advisory", "list", at=NOW)
    assert "a strike at the posts" in listed.out
    assert "over" in listed.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--country", "BRA"), "not known"),
        (("--carrier", "chinapost"), "did you mean china_post"),
        (("--leg", "middle"), "--leg"),
        (("--state", "SP"), "--state needs its --country"),
        (("--days", "0"), "from 1 to 60"),
        (("--to", "2026-03-20"), "lies before"),
        (("--from", "2026-01-01", "--to", "2026-01-20"), "has passed"),
        (("--to", "2028-01-20"), "a year at most"),
        (("--cause", "a strike"), "write the language before it: --cause en='...'; or a word that the languages know: customs, "),
        (("--cause", "fx=a strike"), "not known"),
        (("--cause", "en="), "says nothing"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(street: Street, words: tuple[str, ...], told: str) -> None:
    given = {"--from": "2026-03-29", "--to": "2026-06-30", "--days": "12", "--cause": "en=a strike"}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    said = advise(street, "add", words=tuple(word for pair in given.items() for word in pair))
    assert (said.code in {1, 2}, told in said.err) == (True, True), said.err
    assert street.json("advisory", "list", at=NOW)["advisories"] == []


# ------------------------------------------------------------------------------------------------------------- corrections

RIGHT = ("--correct", "en=there is no strike", "--correct", "pt-BR=não há greve")


def test_r59_a_wrong_text_is_corrected_by_a_persons_order(street: Street) -> None:
    """R59: each buyer who got it hears what is right, in his language, once; the next text keeps its 72 hours."""
    assert advise(street, "add").code == 0
    assert street.day(NOW) == 2
    wrong = ("decisions", "withdraw", "--intent", "delay", "--reason", "it was a rumour")
    dry = street.json(*wrong, *RIGHT, "--dry-run", at=NOW)
    assert dry["corrections"] == {"opened": 2, "switched_off": 0, "without_words": {}}
    assert street.json(*wrong, "--by", "Mei", at=NOW)["corrections"] is None, "only by a person's order"
    made = street.json(*wrong, *RIGHT, "--by", "Mei", at=NOW)
    assert made["corrections"]["opened"] == 2
    assert street.day(NOW + timedelta(days=2)) == 0
    assert street.day(NOW + timedelta(days=3, hours=1)) == 2
    mails = bodies(street)
    assert sum("não há greve" in mail and "29 de março de 2026" in mail for mail in mails) == 2
    assert street.json(*wrong, *RIGHT, "--by", "Mei", at=NOW + timedelta(days=3, hours=1))["corrections"]["opened"] == 0


def test_r59_a_language_without_words_is_told_and_becomes_a_persons_text(street: Street) -> None:
    """R59: no machine fills the gap."""
    assert advise(street, "add").code == 0
    assert street.day(NOW) == 2
    wrong = ("decisions", "withdraw", "--intent", "delay", "--reason", "a rumour", "--correct", "en=there is no strike")
    said = street.say(*wrong, "--by", "Mei", at=NOW)
    assert "2 of them in pt-BR lack their words" in said.out
    assert street.day(NOW + timedelta(days=3, hours=1)) == 0
    tasks = street.shell.json("tasks", "list")["tasks"]
    assert {(task["kind"], task["items"][0]["facts"]["fill_in_first"]) for task in tasks} == {("correction", "correction")}


def test_r59_words_that_say_nothing_correct_nothing(street: Street) -> None:
    for words, told in (("en=", "says nothing"), ("there is none", "write the language before it")):
        said = street.say(
            "decisions", "withdraw", "--intent", "delay", "--reason", "r", "--correct", words, "--by", "Mei", at=NOW
        )
        assert (said.code != 0, told in said.err) == (True, True)
