"""Where Prometheus finds the numbers: a text file for the textfile collector, an endpoint that only this machine can reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from tracker.config.settings import MetricsSettings


class _Latest(Collector):
    """The newest count. A scrape never touches the database, so that a busy Prometheus cannot slow the work."""

    def __init__(self) -> None:
        self.families: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        return self.families


class Publisher:
    """Tells the newest numbers in every configured way."""

    def __init__(self, settings: MetricsSettings) -> None:
        """Raises OSError where the endpoint's port is taken."""
        self._file = settings.file
        self._latest = _Latest()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._latest)
        self._server: tuple[WSGIServer, Thread] | None = None
        if settings.listen is not None:
            host, port = settings.listen
            self._server = start_http_server(port, addr=host, registry=self._registry)

    @property
    def port(self) -> int | None:
        """Where the endpoint listens; None without one."""
        return None if self._server is None else self._server[0].server_port

    def publish(self, families: Iterable[Metric]) -> None:
        """These are the newest. Raises OSError where the file cannot be written."""
        self._latest.families = tuple(families)
        if self._file is not None:
            write_to_textfile(str(self._file), self._registry)

    def close(self) -> None:
        """Let the port go. The file stays: its age tells that nobody counts any more."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None
