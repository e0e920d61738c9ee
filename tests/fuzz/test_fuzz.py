"""A short search with every run of the tests; `make fuzz` makes a long one. And proof that the search can find something."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from carriers import registry
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from tests.fuzz import __main__ as command
from tests.fuzz import corpus, evidence, invent, search, trial
from tests.fuzz.trial import Case, Finding, Reply

SEED = 1
CASES = 300
"""Of each adapter: some 2000 for each family of formats, 12,000 together."""


def told(failures: Sequence[search.Failure]) -> str:
    """Every failure with the command that tries it again."""
    lines = [f"{search.save(f, command.FOLDER)}: {f.text.rstrip().splitlines()[-1]}" for f in failures[:5]]
    return f"seed {SEED}; python -m tests.fuzz --replay …\n" + "\n".join(lines)


def test_every_adapter_has_bodies_and_slices_to_start_from() -> None:
    """Issue, bad input: every parser."""
    assert all(len(corpus.of(name).responses) >= 3 and corpus.of(name).slices for name in registry.names())


@pytest.mark.parametrize("name", corpus.names())
def test_bad_input_gives_an_answer_or_a_typed_error(name: str) -> None:
    """Issue, bad input: never another exception, never more memory than allowed, never a status that was not there."""
    search.warm([name])
    failures = search.sweep(SEED, range(CASES), [name])
    assert not failures, told(failures)


class Broken:
    """An adapter gone wrong in one way."""

    name, batch_size = "shippo", 1

    def __init__(self, read: Callable[[], Tracking] | None = None, number: str = "A") -> None:
        self._told = read or (lambda: Tracking(number=number, status=TrackingStatus.UNKNOWN))
        self._number = number

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        return {self._number: response.body}

    def read(self, raw: bytes) -> Tracking:
        return self._told()


def delivered() -> Tracking:
    return Tracking(number="A", status=TrackingStatus.DELIVERED)


def careless() -> Tracking:
    raise KeyError("events")


def wrong_kind() -> Tracking:
    raise CarrierError(ErrorKind.AUTH, "no")


def greedy() -> Tracking:
    return Tracking(number="A", status=TrackingStatus.UNKNOWN, notes=("x" * 2 * trial.PEAK_BASE,))


def case(body: bytes = b'{"status":"?"}', asked: Sequence[str] = ()) -> Case:
    return Case(carrier="shippo", target="answer", how="test", replies=[Reply(200, body)], asked=list(asked))


@pytest.mark.parametrize(
    ("adapter", "asked", "finding"),
    [
        (Broken(delivered), [], "no value of the body means delivered"),
        (Broken(wrong_kind), [], "reading a slice says auth"),
        (Broken(), ["B"], "other numbers"),
        (Broken(lambda: Tracking(number="B", status=TrackingStatus.UNKNOWN)), [], "another number"),
        (Broken(lambda: Tracking(number="A", status=TrackingStatus.UNKNOWN, notes=("\ud800",))), [], "half a letter"),
    ],
)
def test_the_search_finds_what_must_never_be(adapter: Broken, asked: list[str], finding: str) -> None:
    with pytest.raises(Finding, match=finding):
        trial.run(case(asked=asked), adapter)  # type: ignore[arg-type] # no more of an adapter than the trial needs


def test_the_search_finds_other_exceptions_and_too_much_memory() -> None:
    with pytest.raises(KeyError):
        trial.run(case(), Broken(careless))  # type: ignore[arg-type] # see above
    with pytest.raises(Finding, match="bytes of memory"):
        trial.measured(case(), Broken(greedy))  # type: ignore[arg-type] # see above


@pytest.mark.parametrize(
    ("carrier", "body", "can"),
    [
        ("shippo", b'{"status":"DELIVERED"}', True),
        ("shippo", b'{"status":"DELIVERE"}', False),
        ("shippo", b'{"status":"DELIVERED"', False),
        ("shippo", b'{"DELIVERED":"status"}', False),
        ("correios", b'{"codigo":"BDE","tipo":"1"}', True),
        ("correios", b'{"codigo":"BDE","tipo":"99"}', False),
        ("bpost", b"<a><stateCode>U01</stateCode></a>", True),
        ("bpost", b"<a><stateCode>U0</stateCode></a>", False),
    ],
)
def test_a_delivery_needs_its_code_among_the_values(carrier: str, body: bytes, can: bool) -> None:
    """Promise 2, style 7: the words of a status come from the tables, and must stand in the body."""
    assert (TrackingStatus.DELIVERED in evidence.justified(carrier, body)) is can


def test_a_status_of_a_real_answer_is_justified_by_it() -> None:
    names = corpus.names()
    search.warm(names)
    for name in names:
        for response in corpus.of(name).responses:
            trial.run(Case(carrier=name, target="answer", how="sample", replies=[Reply(response.status, response.body)]))


def test_a_case_is_made_again_from_its_seed_and_number() -> None:
    names = corpus.names()
    made = [search.make(7, index, names) for index in range(600)]
    assert made == [search.make(7, index, names) for index in range(600)]
    assert {each.target for each in made} == {"answer", "slice", "talk", "push", "signed"}
    assert made != [search.make(8, index, names) for index in range(600)]


def test_a_failure_is_saved_and_tried_again_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = search.save(search.Failure(search.make(1, 3, ["shippo"]), "text"), tmp_path)
    assert search.load(good) == search.make(1, 3, ["shippo"])
    assert command.main(["--replay", str(good)]) == 0
    bad = Case(carrier="nobody", target="answer", how="test", replies=[Reply(200, b"")], seed=1, index=1)
    failed = search.attempt(bad)
    assert failed is not None
    assert "UnknownCarrierError" in failed.text
    assert "nothing wrong" in capsys.readouterr().out


def test_the_command_tells_its_seed_and_how_many_it_tried(capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--cases", "60", "--seed", "3", "--carrier", "shippo", "--carrier", "bpost", "--workers", "1"]) == 0
    said = capfd.readouterr().out
    assert "seed 3: 60 cases, 2 adapters" in said
    assert "60 cases in" in said
    assert "0 failed" in said


class Remembering(Broken):
    """Learns something, and notes what it was told to remember."""

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        self.seen = [*getattr(self, "seen", []), memory.numbers]
        yield Request(method="GET", url=account.base_url)
        return Batch(answers={self._number: b"{}"}, memory=Memory(numbers={"A": {"id": "7"}}))


def test_what_a_conversation_learns_is_tried_in_the_next_one() -> None:
    adapter, other = Remembering(), Remembering(number="B")
    talk = Case(carrier="shippo", target="talk", how="test", replies=[Reply(200, b"")], asked=["A"])
    trial.run(talk, adapter)  # type: ignore[arg-type] # see above
    assert adapter.seen == [{}, {"A": {"id": "7"}}]
    with pytest.raises(Finding, match="other numbers than those asked for"):
        trial.run(talk, other)  # type: ignore[arg-type] # see above


def bombs(name: str) -> Sequence[invent.Bomb]:
    """Those that are of the format of a source."""
    return invent.XML_BOMBS if corpus.of(name).responses[0].body.startswith(b"<") else invent.JSON_BOMBS


def bombed(name: str, bomb: invent.Bomb) -> Case:
    """The longest sample of a source, blown up."""
    body = max((response.body for response in corpus.of(name).responses), key=len)
    blown = bomb(Random(1), body)  # noqa: S311 - a search, no secret
    return Case(carrier=name, target="answer", how="bomb", replies=[Reply(200, blown)], index=1)


@pytest.mark.parametrize("name", corpus.names())
def test_a_bomb_ends_as_any_other_body(name: str) -> None:
    """Issue, bad input: deep nesting, huge strings and lists, entities that grow; for every adapter."""
    for bomb in bombs(name):
        trial.run(bombed(name, bomb))


@pytest.mark.parametrize(
    ("name", "bomb"), [("royal_mail", invent.long_list), ("bpost", invent.long_xml), ("sheet", invent.long_string)]
)
def test_a_long_body_takes_no_more_than_the_allowed_memory(name: str, bomb: invent.Bomb) -> None:
    """Issue, bad input: never more memory than the cap, which is a multiple of the body's size."""
    search.warm([name])
    trial.measured(bombed(name, bomb))


def test_found_a_zone_of_ten_thousand_folders_is_no_zone() -> None:
    """Found by the search: it was looked for in folders within folders, until the interpreter gave up."""
    body = "tracking number,time,text,zone\nA,2026-04-20 04:05:00,delivered," + "/".join(["Asia"] * 10_000)
    sheet = registry.get("sheet")
    (cut,) = sheet.split(Response(status=200, body=body.encode()), ()).values()
    assert isinstance(cut, bytes)
    assert sheet.read(cut).events[0].local_time == "2026-04-20T04:05:00"
    assert sheet.read(cut).events[0].time is None


def test_found_an_error_keeps_little_of_what_its_source_says() -> None:
    """Found by the search: codes of five thousand characters, which logs and the database would have kept."""
    with pytest.raises(CarrierError) as failed:
        registry.get("parcels_app").split(Response(status=200, body=b'{"error":"%b"}' % (b"A" * 5000)), ())
    assert len(failed.value.message) <= 400
    assert failed.value.code == "A" * 100


@pytest.mark.parametrize("guess", [TrackingStatus.DELIVERED, TrackingStatus.IN_TRANSIT])
def test_an_adapter_that_guesses_is_found(guess: TrackingStatus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Style 7: what most libraries do with a code that they do not know is found by the short search, without a sample of it."""
    known = Glossary.of
    monkeypatch.setattr(Glossary, "of", lambda *told: (guess, None) if known(*told) == UNKNOWN else known(*told))
    failures = search.sweep(SEED, range(CASES), ["shippo"])
    assert any("no value of the body means" in failure.text for failure in failures)
