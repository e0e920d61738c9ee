"""The drop folder: only finished, regular files of the folder itself are read (faults 31)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carriers.base import Request
from carriers.drop import LISTING, DropTransport, unpack
from carriers.errors import CarrierError, ErrorKind


async def ask(root: Path, url: str, max_bytes: int = 1000, max_files: int = 200) -> tuple[int, bytes, list[str]]:
    transport = DropTransport(root, max_bytes=max_bytes, max_files=max_files)
    response = await transport.send(Request(method="GET", url=url))
    await transport.close()
    names = [file.name for file in unpack(response)] if response.headers.get("content-type") == LISTING else []
    return response.status, response.body, names


async def test_one_file_is_answered_with_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_bytes(b"{}")
    assert await ask(tmp_path, "drop:script.json") == (200, b"{}", [])


async def test_a_file_that_is_not_there_is_a_404(tmp_path: Path) -> None:
    assert (await ask(tmp_path, "drop:script.json"))[0] == 404


async def test_the_listing_has_the_newest_file_first_and_leaves_out_what_is_unfinished_or_no_file(tmp_path: Path) -> None:
    for at, name in enumerate(["old.csv", "new.csv", ".hidden", "half.csv.part", "half.tmp", "~$open.xlsx", "backup~"]):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.csv")
    assert (await ask(tmp_path, "drop:*"))[2] == ["new.csv", "old.csv"]


async def test_only_the_newest_files_are_read(tmp_path: Path) -> None:
    for at in range(5):
        (tmp_path / f"{at}.csv").write_bytes(b"x")
        os.utime(tmp_path / f"{at}.csv", (at, at))
    assert (await ask(tmp_path, "drop:*", max_files=2))[2] == ["4.csv", "3.csv"]


async def test_a_file_beyond_the_cap_is_named_as_a_problem(tmp_path: Path) -> None:
    (tmp_path / "huge.csv").write_bytes(b"x" * 1001)
    response = await DropTransport(tmp_path, max_bytes=1000).send(Request(method="GET", url="drop:*"))
    assert [(file.name, file.body, file.problem) for file in unpack(response)] == [("huge.csv", b"", "larger than 1000 bytes")]
    with pytest.raises(CarrierError, match=r"huge\.csv: larger than 1000 bytes"):
        await ask(tmp_path, "drop:huge.csv")


@pytest.mark.parametrize(
    "url", ["drop:../secret", "drop:a/b", "drop:..", "drop:a\\b", "drop:.env", "drop:a\0", "https://x/y", "file:x"]
)
async def test_no_name_leads_out_of_the_folder(tmp_path: Path, url: str) -> None:
    root = tmp_path / "drop"
    root.mkdir()
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    with pytest.raises(CarrierError) as refused:
        await ask(root, url)
    assert refused.value.kind is ErrorKind.INVALID_REQUEST


async def test_a_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "script.json").symlink_to("/etc/hostname")
    assert (await ask(tmp_path, "drop:script.json"))[0] == 404


async def test_a_file_that_vanishes_while_it_is_listed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here.csv").write_bytes(b"x")
    monkeypatch.setattr(os, "listdir", lambda _: ["gone.csv", "here.csv"])
    assert (await ask(tmp_path, "drop:*"))[2] == ["here.csv"]


async def test_a_missing_folder_is_an_unavailable_source(tmp_path: Path) -> None:
    """A folder that is not mounted today says nothing about the parcels in it."""
    with pytest.raises(CarrierError, match="cannot be read") as refused:
        await ask(tmp_path / "nowhere", "drop:*")
    assert refused.value.kind is ErrorKind.UNAVAILABLE
