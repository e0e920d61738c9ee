"""Certificates for servers on loopback, made for one run: good, expired, of another name."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

_CA = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


class Certificates:
    """An authority of its own in `folder`, which `trusting` trusts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01")
        (folder / "ca.cnf").write_text(_CA.format(folder=folder))
        self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")

    def trusting(self) -> ssl.SSLContext:
        """A client's context that knows this authority alone."""
        return ssl.create_default_context(cafile=str(self._folder / "ca.crt"))

    def server(self, name: str, *, until: str = "20991231235959Z", signed: bool = True) -> ssl.SSLContext:
        """A server's context for `name`, good until `until`; not `signed`: by nobody but itself."""
        file = f"{name}-{until}-{signed}"
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{file}.key")
        if signed:
            self._openssl("req", "-new", *_KEY, *subject, "-out", f"{file}.csr")
            authority = ("-config", "ca.cnf", "-batch", "-notext", "-cert", "ca.crt", "-keyfile", "ca.key")
            self._openssl(
                "ca", *authority, "-startdate", "20200101000000Z", "-enddate", until, "-in", f"{file}.csr", "-out", f"{file}.crt"
            )
        else:
            self._openssl("req", "-x509", *_KEY, "-days", "2", *subject, "-out", f"{file}.crt")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        return context

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self._folder, check=True, capture_output=True)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def made(folder: Path) -> Certificates:
    """Skips where the machine has no openssl."""
    try:
        return Certificates(folder)
    except FileNotFoundError:
        pytest.skip("needs openssl for certificates")
