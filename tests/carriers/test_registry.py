"""The registry: names, descriptions, lazy imports; and the code tables that adapters read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from carriers import codes, registry

TABLES = ["seventeen_track_status", "seventeen_track_stages", "correios_texts", "sheet_words", "upu_emsevt"]


def test_names_are_those_of_the_house_and_occur_once() -> None:
    assert {"seventeen_track", "correios", "sheet", "fake"} <= set(registry.names())
    assert len(set(registry.names())) == len(registry.names())


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(registry.UnknownCarrierError, match=rf"'pigeon'; there are: {', '.join(registry.names())}"):
        registry.get("pigeon")
    with pytest.raises(registry.UnknownCarrierError, match=r"'17track', did you mean 'seventeen_track'\? there are: "):
        registry.get("17track")
    with pytest.raises(registry.UnknownCarrierError):
        registry.describe("")


def test_listing_and_importing_carriers_import_no_adapter_and_no_http_client() -> None:
    """Design: carriers/__init__ imports nothing; adapters are imported lazily."""
    program = (
        "import sys, carriers; assert not [m for m in sys.modules if m.startswith('carriers.')]\n"
        "from carriers import registry; [registry.describe(n) for n in registry.names()]\n"
        "print(sorted({'httpx', 'carriers.correios', 'carriers.seventeen_track', 'defusedxml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_code_table_speaks_our_words(name: str) -> None:
    assert all(codes.meaning(row) for row in codes.rows(name))


def test_correios_rows_speak_our_words_or_void_the_event_before() -> None:
    for row in codes.rows("correios_sro"):
        assert row["status"] == "void_previous" or codes.meaning(row)


def test_a_table_that_does_not_exist_says_so() -> None:
    with pytest.raises(FileNotFoundError):
        codes.rows("no_such_table")


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("Correios", "correios"),
        ("corrreios", "correios"),
        ("17TRACK", "seventeen_track"),
        ("russian-post", "russian_post"),
        ("dhl", "dhl_unified"),
        ("4px", "fourpx"),
        ("", None),
        ("pigeon", None),
    ],
)
def test_a_slip_finds_the_adapter_that_was_meant(slip: str, meant: str | None) -> None:
    assert registry.likely(slip) == meant


CARRIERS = Path(registry.__file__).parent
READS = re.compile(r"""options(?:\.get\(|\[)"(\w+)\"""")
OPTS_IN = re.compile(r"\bopted_in\(account\)")


@pytest.mark.parametrize("name", registry.names())
def test_the_registry_names_the_options_that_an_adapter_reads(name: str) -> None:
    """`config check` refuses any other: one that is forgotten here could not be set."""
    folder = CARRIERS / name
    files = folder.glob("*.py") if folder.is_dir() else [CARRIERS / f"{name}.py"]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    read = {*READS.findall(code), *([registry.PUBLIC_PAGE] if OPTS_IN.search(code) else ())}
    assert read == set(registry.describe(name).options)
