# SPDX-License-Identifier: Apache-2.0
"""A real `bowsprit serve` for tests, demo and benchmarks.

    server = Server(program(), folder, gerrit="http://127.0.0.1:8080", repo="linux", user="ci", password="secret")
    server.start(); server.get("/healthz"); server.kill(); server.start(); server.stop()

The state folder outlives a stop or a kill, as it does for an operator, so the warm tree in it is built once."""
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

from .kernel import ROOT
from .wait import wait_for


def program():
    """The bowsprit under test: $BOWSPRIT, else the newest build here."""
    if os.environ.get("BOWSPRIT"):
        return pathlib.Path(os.environ["BOWSPRIT"])
    built = [path for path in (ROOT / "build/dev/bowsprit", ROOT / "build/release/bowsprit") if path.exists()]
    if not built:
        raise FileNotFoundError("no bowsprit is built; run ./dev build")
    return max(built, key=lambda path: path.stat().st_mtime)


class Server:
    def __init__(self, executable, folder, gerrit, repo, user, password, ssh=None, ssh_key=None, known_hosts=None):
        self._executable = executable
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.log = self.folder / "serve.log"
        self._port_file = self.folder / "port"
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        self._base = ["--gerrit", gerrit, "--repo", repo, "--user", user, "--password-file", str(password_file)]
        if ssh:
            self._base += ["--ssh", ssh, "--ssh-key", str(ssh_key), "--ssh-known-hosts", str(known_hosts)]
        self._process = None
        self.options = []

    def start(self, *options, within=60):
        """Starts it with these options in addition to the usual ones, and waits until it answers."""
        assert self._process is None, "already running"
        self.options = list(options)
        self._port_file.unlink(missing_ok=True)
        words = [str(self._executable), "serve", *self._base, "--state", str(self.state), "--listen", "127.0.0.1:0", "--port-file", str(self._port_file),
                 *map(str, options)]
        with open(self.log, "ab") as log:
            log.write(f"--- {' '.join(words)}\n".encode())
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self._answers, f"bowsprit serve to answer (log: {self.log})", within)
        return self

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"bowsprit serve ended with {self._process.returncode}:\n{self.log_tail()}")
        return self._port_file.exists() and self._port_file.read_text().strip() and self.get("/healthz")

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port_file.read_text().strip().rsplit(':', 1)[-1]}"

    def get(self, path):
        """Body of GET, text. @raises OSError (urllib.error.URLError)"""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def get_json(self, path):
        return json.loads(self.get(path))

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        """As a crash: KILL to the server alone; what it started is left behind."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self, within=60):
        """As an operator: TERM, and an end in good order."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            raise TimeoutError(f"bowsprit serve did not end within {within} s of TERM:\n{self.log_tail()}") from None
        finally:
            self._process = None

    def restart(self, *options):
        self.stop()
        return self.start(*options)

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
