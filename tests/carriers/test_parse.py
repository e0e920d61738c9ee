"""The contract of `tracker carriers parse NAME FILE --json` (DESIGN, Commands)."""

from __future__ import annotations

import msgspec
import pytest

from carriers import registry
from carriers.base import Response
from carriers.parse import parse
from tests.carriers import cases

RESULT = ["tracking_number", "status", "reason", "raw_status", "raw_sub_status", "last_event_time", "events", "error"]
EVENT = ["time", "local_time", "status", "reason", "raw_code", "description", "location"]


@pytest.mark.parametrize("sample", cases.all_own(), ids=cases.name_of)
def test_the_document_has_exactly_the_keys_of_the_contract(sample: cases.Sample) -> None:
    told = msgspec.json.decode(msgspec.json.encode(parse(sample.carrier, sample.response)))
    assert list(told) == ["carrier", "results", "error"]
    assert told["carrier"] == sample.carrier
    for result in told["results"]:
        assert list(result) == RESULT
        assert all(list(event) == EVENT for event in result["events"])
        assert result["error"] is None or list(result["error"]) == ["kind", "message"]
        times = [event["time"] for event in result["events"] if event["time"]]
        assert all(time.endswith("Z") for time in times)


def test_a_failed_request_gives_no_results_and_the_error_on_top() -> None:
    told = parse("correios", Response(status=429, body=b""))
    assert told.results == ()
    assert told.error is not None
    assert (told.error.kind, told.error.message) == ("rate_limited", "HTTP 429")


def test_a_body_that_names_no_number_gives_one_result_without_a_number() -> None:
    told = parse("seventeen_track", Response(status=200, body=b'{"code":0,"data":{"accepted":[],"rejected":[]}}'))
    assert [(result.tracking_number, result.status) for result in told.results] == [(None, "unknown")]
    assert told.results[0].error is not None
    assert told.error is None


def test_a_slice_whose_events_have_drifted_is_an_error_of_that_number() -> None:
    body = b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"tracking":{"providers":[{"events":[7]}]}}}]}}'
    told = parse("seventeen_track", Response(status=200, body=body)).results
    assert [(result.tracking_number, result.status) for result in told] == [("A", "unknown")]
    assert told[0].error is not None
    assert told[0].error.kind == "bad_response"


def test_an_unknown_name_is_the_callers_mistake() -> None:
    with pytest.raises(registry.UnknownCarrierError):
        parse("nobody", Response(status=200, body=b""))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}".encode("utf-16"), "UTF-16 instead of UTF-8: perhaps a shell of Windows stored it"),
        (b'<?xml version="1.0"?><a/>', "XML instead of JSON"),
        (b"<html></html>", "an HTML page instead of data"),
        (b"\xef\xbb\xbf", "an empty body"),
        (b'{"a": ', "not readable as JSON, perhaps cut off"),
    ],
)
def test_a_body_of_another_kind_is_called_by_its_name(body: bytes, said: str) -> None:
    told = parse("yanwen", Response(status=200, body=body))
    assert told.error is not None
    assert (told.error.kind, told.error.message) == ("bad_response", said)


def test_a_mark_of_utf_8_before_the_answer_does_no_harm() -> None:
    """Windows stores files so, and some servers answer so: no parcel is lost for three bytes."""
    (sample,) = (each for each in cases.all_own() if cases.name_of(each) == "correios-delivered")
    marked = Response(status=200, body=b"\xef\xbb\xbf" + sample.response.body)
    assert parse("correios", marked) == parse("correios", sample.response)
