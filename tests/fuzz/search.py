"""Cases by seed and number, in one process or over all cores."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import msgspec

from carriers import registry
from tests.fuzz import corpus, invent, mutate
from tests.fuzz.trial import Case, Reply, measured, run

MEASURED_EVERY = 50
"""One case in so many has its memory measured, which slows it down."""

_CHUNK = 2000
_STRIDE = 1 << 40


class Failure(msgspec.Struct, frozen=True):
    """A case that failed, and how."""

    case: Case
    text: str


def make(seed: int, index: int, names: Sequence[str]) -> Case:
    """Case number `index` of `seed`: always the same, for the same samples."""
    rng = Random(seed * _STRIDE + index)  # noqa: S311 - a search, no secret
    name = names[index % len(names)]
    known = corpus.of(name)
    how, target, bodies = _draw(rng, name, known, names)
    return Case(
        carrier=name,
        target=target,
        how=how,
        replies=[Reply(_status(rng, known), body) for body in bodies],
        asked=_asked(rng, known, target),
        seed=seed,
        index=index,
    )


def _draw(rng: Random, name: str, known: corpus.Corpus, names: Sequence[str]) -> tuple[str, str, list[bytes]]:
    chance = rng.random()
    if chance < 0.12 and known.slices:
        return "slice", "slice", [_mutated(rng.choice(known.slices), rng, known)]
    if chance < 0.24:
        return "talk", "talk", [_any_body(rng, known) for _ in range(rng.randint(1, 6))]
    if chance < 0.26:
        return "push", rng.choice(("push", "signed")), [_any_body(rng, known)]
    if chance < 0.34:
        return "invented", "answer", [(invent.random_xml if rng.random() < 0.3 else invent.random_json)(rng, known)]
    if chance < 0.38:
        return "reencoded", "answer", [invent.reencoded(rng.choice(known.responses).body, rng)]
    if chance < 0.41:
        return "foreign", "answer", [rng.choice(corpus.of(rng.choice(names)).responses).body]
    if chance < 0.415:
        return "bomb", "answer", [rng.choice(invent.BOMBS)(rng, rng.choice(known.responses).body)]
    return "mutated", "answer", [_any_body(rng, known)]


def _any_body(rng: Random, known: corpus.Corpus) -> bytes:
    return _mutated(rng.choice(known.responses).body, rng, known)


def _mutated(body: bytes, rng: Random, known: corpus.Corpus) -> bytes:
    return (mutate.tree if rng.random() < 0.65 else mutate.bytewise)(body, rng, known)


def _status(rng: Random, known: corpus.Corpus) -> int:
    return 200 if rng.random() < 0.85 else rng.choice((0, 201, 204, 207, 301, 400, 401, 404, 422, 429, 500, 503, 999))


def _asked(rng: Random, known: corpus.Corpus, target: str) -> list[str]:
    numbers = list(known.numbers) or ["A"]
    if target == "talk":
        return rng.choices(numbers, k=rng.randint(1, 3))
    return [] if rng.random() < 0.6 else [*rng.choices(numbers, k=rng.randint(1, 4)), "ZZ000000000ZZ"][: rng.randint(1, 5)]


def warm(names: Iterable[str]) -> None:
    """Read every sample once, so that what is loaded once does not count as the memory of a case."""
    for name in names:
        registry.get(name)
        for response in corpus.of(name).responses:
            attempt(Case(carrier=name, target="answer", how="sample", replies=[Reply(response.status, response.body)]))


def attempt(case: Case, *, measure: bool = False) -> Failure | None:
    """Try a case; what it shows, if it shows something."""
    try:
        if measure:
            measured(case)
        else:
            run(case)
    except Exception:  # noqa: BLE001 - whatever it is, it must not be
        return Failure(case, traceback.format_exc())
    return None


def sweep(seed: int, indices: Iterable[int], names: Sequence[str]) -> list[Failure]:
    """Try the cases `indices` of `seed`; those that failed."""
    cases = (make(seed, index, names) for index in indices)
    found = (attempt(case, measure=case.index // len(names) % MEASURED_EVERY == 0) for case in cases)
    return [failure for failure in found if failure is not None]


def all_cores(seed: int, cases: int, names: Sequence[str], workers: int | None = None) -> Iterator[tuple[int, list[Failure]]]:
    """The cases 0 to `cases`, in chunks: so many were tried, and these failed."""
    chunks = [range(start, min(start + _CHUNK, cases)) for start in range(0, cases, _CHUNK)]
    with ProcessPoolExecutor(workers or os.cpu_count(), initializer=warm, initargs=(names,)) as pool:
        for chunk, failures in zip(chunks, pool.map(sweep, [seed] * len(chunks), chunks, [names] * len(chunks)), strict=True):
            yield len(chunk), failures


def save(failure: Failure, folder: Path) -> Path:
    """Write the case beside its bodies, for `--replay`."""
    folder.mkdir(parents=True, exist_ok=True)
    case = failure.case
    path = folder / f"{case.carrier}-{case.seed}-{case.index}.json"
    path.write_bytes(msgspec.json.encode(case))
    path.with_suffix(".txt").write_text(failure.text, encoding="utf-8", errors="replace")
    for at, reply in enumerate(case.replies):
        path.with_suffix(f".{at}.body").write_bytes(reply.body)
    return path


def load(path: Path) -> Case:
    """A saved case."""
    return msgspec.json.decode(path.read_bytes(), type=Case)
