"""Loopback stand-ins that speak AliExpress and Taobao: they verify the signature, keep state, count every extension.

Real HTTP on 127.0.0.1, in a thread of its own, so that a killed child process finds the world as it left it. `script` plays
outcomes for the next calls of a method, by its last word: "drop" (does it, then breaks the connection off), "lose" (breaks it off
before anything is done), or an error's code.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

FORM = "%Y-%m-%d %H:%M:%S"
APP_KEY, SECRET = "123456", "kanarie-secret"


class DroppedError(Exception):
    """Break the connection off without an answer."""


class StandIn:
    """The gateway both share; a platform fills in `answer`."""

    path = "/sync"
    status = "WAIT_BUYER_ACCEPT_GOODS"

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.cases: list[dict[str, Any]] = []
        self.token = "kanarie-token-1"
        self.most_days = 15
        self.script: dict[str, list[str]] = defaultdict(list)
        self.calls: Counter[str] = Counter()
        self.extended: Counter[tuple[str, str]] = Counter()
        """(order, the end it moved) -> how often."""
        self.asked_days: list[int] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    said = json.dumps(stand_in.handle(self.path, dict(parse_qsl(body.decode(), keep_blank_values=True)))).encode()
                except DroppedError:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def order(self, number: str, end: str, **facts: Any) -> None:
        """An order whose window ends then, in the platform's own time."""
        self.orders[number] = {"end": end, "status": self.status, **facts}

    def ends(self, number: str) -> str:
        """When its window ends now."""
        return str(self.orders[number]["end"])

    def handle(self, path: str, given: dict[str, str]) -> dict[str, Any]:
        method = given.get("method", path)
        word = method.rpartition(".")[2].rpartition("/")[2]
        self.calls[word] += 1
        if given.get("sign") != self.sign(path, given):
            return self.error("IncompleteSignature", "25")
        planned = self.script[word].pop(0) if self.script[word] else ""
        if planned == "lose":
            raise DroppedError
        if planned not in {"", "drop"}:
            return self.refusal(method, planned)
        if word != "refresh" and given.get("session") != self.token:
            return self.error("IllegalAccessToken", "27")
        said = self.answers()[word](given)
        if planned == "drop":
            raise DroppedError
        return {f"{method.removeprefix('taobao.').replace('.', '_')}_response": said} if word != "refresh" else said

    def move(self, number: str, days: int) -> None:
        """Extend for real, and count it under the end that it moved."""
        before = self.ends(number)
        self.extended[number, before] += 1
        self.orders[number]["end"] = (datetime.strptime(before, FORM) + timedelta(days=days)).strftime(FORM)  # noqa: DTZ007 - the platform's own time

    def error(self, code: str, number: str, **more: str) -> dict[str, Any]:
        return {"error_response": {"type": "ISV", "code": code, "msg": more.get("msg", code), "request_id": "e1"}}

    def sign(self, path: str, given: dict[str, str]) -> str:
        raise AssertionError

    def refusal(self, method: str, code: str) -> dict[str, Any]:
        raise AssertionError

    def answers(self) -> dict[str, Callable[[dict[str, str]], dict[str, Any]]]:
        raise AssertionError


def pairs(given: dict[str, str]) -> str:
    return "".join(f"{key}{given[key]}" for key in sorted(given) if key != "sign")


class AliExpressStandIn(StandIn):
    """The IOP gateway. Times are US Pacific."""

    def sign(self, path: str, given: dict[str, str]) -> str:
        text = (path.removeprefix("/rest") if path.startswith("/rest") else "") + pairs(given)
        return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest().upper()

    def refusal(self, method: str, code: str) -> dict[str, Any]:
        if code.isdigit():
            name = f"{method.replace('.', '_')}_response"
            return {name: {"is_success": False, "memo": f"refused {code}", "sub_error_code": int(code), "request_id": "x"}}
        return self.error(code, "", msg="This ban will last 7 more seconds" if code == "ApiCallLimit" else code)

    def answers(self) -> dict[str, Callable[[dict[str, str]], dict[str, Any]]]:
        return {
            "findorderbyid": self._find,
            "extendsbuyeracceptgoodstime": self._extend,
            "get": self._issues,
            "refresh": self._refresh,
        }

    def _find(self, given: dict[str, str]) -> dict[str, Any]:
        number = str(json.loads(given["param1"])["order_id"])
        known = self.orders.get(number)
        if known is None:
            return {"target": None, "request_id": "f0"}
        issue = known.get("issue", "NO_ISSUE")
        target = {
            "id": int(number),
            "order_status": known["status"],
            "over_time_left": known["end"],
            "frozen_status": known.get("frozen", "NO_FROZEN"),
            "issue_status": issue,
            "issue_info": {"issue_status": issue},
            "order_msg_list": {},
        }
        return {"target": target, "request_id": f"f{self.calls['findorderbyid']}"}

    def _extend(self, given: dict[str, str]) -> dict[str, Any]:
        number, days = given["param0"], int(given["param1"])
        self.asked_days.append(days)
        known = self.orders[number]
        if known["status"] != self.status or known.get("issue") == "IN_ISSUE":
            return {"is_success": False, "memo": "not possible in this state", "sub_error_code": 210, "request_id": "x"}
        if days > self.most_days:
            return {"is_success": False, "memo": "longer than allowed", "sub_error_code": 201, "request_id": "x"}
        self.move(number, days)
        return {
            "is_success": True,
            "memo": None,
            "sub_error_code": None,
            "request_id": f"x{self.calls['extendsbuyeracceptgoodstime']}",
        }

    def _issues(self, given: dict[str, str]) -> dict[str, Any]:
        query = json.loads(given["query_dto"])
        begin = (query["current_page"] - 1) * query["page_size"]
        page = self.cases[begin : begin + query["page_size"]]
        listed = {"issue_api_issue_dto": page} if page else {}
        return {"current_page": query["current_page"], "total_item": len(self.cases), "data_list": listed, "request_id": "i1"}

    def _refresh(self, given: dict[str, str]) -> dict[str, Any]:
        if given["refresh_token"] != "kanarie-refresh-1":
            return self.error("IllegalRefreshToken", "")
        self.token = "kanarie-token-2"
        return {"access_token": self.token, "refresh_token": "kanarie-refresh-2", "expires_in": 31536000, "request_id": "t1"}


class TaobaoStandIn(StandIn):
    """TOP. Times are UTC+8."""

    status = "WAIT_BUYER_CONFIRM_GOODS"

    def sign(self, path: str, given: dict[str, str]) -> str:
        assert given["sign_method"] == "md5"
        return hashlib.md5(f"{SECRET}{pairs(given)}{SECRET}".encode()).hexdigest().upper()  # noqa: S324 - the platform's own signature

    def error(self, code: str, number: str, **more: str) -> dict[str, Any]:
        return {"error_response": {"code": int(number), "msg": code, "request_id": "e1"}}

    def refusal(self, method: str, code: str) -> dict[str, Any]:
        said = {"code": 15, "msg": "Remote service error", "sub_code": code, "sub_msg": code, "request_id": "e2"}
        return {"error_response": said}

    def answers(self) -> dict[str, Callable[[dict[str, str]], dict[str, Any]]]:
        return {"get": self._get, "delay": self._delay}

    def _get(self, given: dict[str, str]) -> dict[str, Any]:
        if given["method"] == "taobao.trade.fullinfo.get":
            known = self.orders[given["tid"]]
            lines = {"order": [{"refund_status": known.get("issue", "NO_REFUND")}]}
            trade = {"tid": int(given["tid"]), "status": known["status"], "timeout_action_time": known["end"], "orders": lines}
            return {"trade": trade, "request_id": "f1"}
        if given["method"] == "taobao.refund.get":
            return {"refund": next(each for each in self.cases if str(each["refund_id"]) == given["refund_id"])}
        listed = [{key: value for key, value in each.items() if key != "refund_remind_timeout"} for each in self.cases]
        return {"refunds": {"refund": listed}, "has_next": False}

    def _delay(self, given: dict[str, str]) -> dict[str, Any]:
        days = int(given["days"])
        self.asked_days.append(days)
        assert days in {3, 5, 7, 10}
        self.move(given["tid"], days)
        return {"trade": {"tid": int(given["tid"]), "modified": "2026-10-01 10:00:00"}, "request_id": "d1"}
