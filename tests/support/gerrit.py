# SPDX-License-Identifier: Apache-2.0
"""A real Gerrit for tests, demo and benchmarks; Python's standard library only.

    with Gerrit(folder, repositories={"linux": kernel_repository()}) as gerrit:      # boots in about ten seconds
        author = Author(gerrit.repository("linux"), folder)
        number = author.push(author.commit({"a": "b\n"}, "Add a"), gerrit.git_url("alice", "linux"))
        gerrit.call("ci", "POST", f"/changes/{number}/revisions/current/review", {"message": "hello"})
        print(gerrit.messages(number), gerrit.votes(number, "Verified"))

or from a shell, as somebody who wants a Gerrit to play with (in the folder tests/):

    python3 -m support.gerrit start --folder /tmp/g --repository linux=/path/to/bare.git      # prints JSON: url, ssh, accounts
    python3 -m support.gerrit stop --folder /tmp/g

Accounts: `admin`, `ci` (in Service Users, so that it may stream events and vote Verified -1..+1), `alice` and `bob` (developers); see PASSWORDS.
Each project that is made or brought here has a label Verified. `stop()` and `start()` keep the site, its ports and its accounts.

Gerrit's release is not on Maven as a war, yet two of its jars together hold the whole server (without the web interface): the plugin API and the
acceptance framework of one version. Versions that exist as both: 3.10.2 (Java 17, Debian's), 3.13.0 (Java 21 or newer).
Environment: BOWSPRIT_GERRIT_VERSION (3.10.2), BOWSPRIT_JAVA (a java program; else searched), BOWSPRIT_CACHE (~/.cache/bowsprit; the jars, 94 MB,
and a site as `init` leaves it). Debian packages: openjdk-17-jdk-headless, maven, git, openssh-client."""
import argparse
import base64
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from .wait import wait_for

DEFAULT_VERSION = "3.10.2"
JAVA_OF = {"3.10.2": (17, 17), "3.13.0": (21, 99)}  # oldest and newest Java that it runs on
BOUNCY_CASTLE = "1.79"
PASSWORDS = {"admin": "secret", "ci": "ci-password", "alice": "alice-password", "bob": "bob-password"}
LABEL = {
    "values": {"-1": "Fails", " 0": "No score", "+1": "Verified"}, "default_value": 0, "function": "NoBlock",
    "copy_condition": "changekind:NO_CODE_CHANGE",
}
LAUNCHER = """import com.google.gerrit.launcher.GerritLauncher;
public class Start {
  public static void main(String[] words) throws Exception {
    System.exit(GerritLauncher.invokeProgram(Start.class.getClassLoader(), words));
  }
}
"""
JVM = [
    "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
    "-Dflogger.backend_factory=com.google.common.flogger.backend.log4j.Log4jBackendFactory#getInstance",
    "-Dflogger.logging_context=com.google.gerrit.server.logging.LoggingContext#getInstance",
]
XSSI = b")]}'\n"


class GerritError(Exception):
    """An answer that is not 2xx: `status`, and Gerrit's own text."""

    def __init__(self, status, text):
        super().__init__(f"HTTP {status}: {text.strip()}")
        self.status = status
        self.text = text


def cache():
    return pathlib.Path(os.environ.get("BOWSPRIT_CACHE") or pathlib.Path.home() / ".cache/bowsprit") / "gerrit"


@functools.lru_cache
def java_versions():
    """{major version: java program} of this machine."""
    found = {}
    homes = sorted(pathlib.Path("/usr/lib/jvm").glob("*/bin/java"))
    for program in [os.environ.get("BOWSPRIT_JAVA"), shutil.which("java"), *homes]:
        if program and pathlib.Path(program).exists():
            text = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
            if match := re.search(r'version "(\d+)', text):
                found.setdefault(int(match.group(1)), pathlib.Path(program).resolve())
    return found


def java_for(version):
    """The java program that this Gerrit runs on, or None."""
    oldest, newest = JAVA_OF.get(version, (21, 99))
    fitting = {major: program for major, program in java_versions().items() if oldest <= major <= newest}
    return fitting[min(fitting)] if fitting else None


def usable_versions():
    """Gerrit versions that can run here, oldest first."""
    return [version for version in JAVA_OF if java_for(version)]


@contextlib.contextmanager
def locked(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(words, **how):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **how)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words[:6]))} ...: exit code {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def fetch_jars(version):
    """Folder of the jars, from the cache or by Maven."""
    lib = cache() / version / "lib"
    with locked(cache() / version):
        if (lib / "complete").exists():
            return lib
        shutil.rmtree(lib, ignore_errors=True)
        lib.mkdir()
        wanted = [("com.google.gerrit", f"gerrit-{name}", version) for name in ("plugin-api", "acceptance-framework")]
        wanted += [("org.bouncycastle", f"{name}-jdk18on", BOUNCY_CASTLE) for name in ("bcprov", "bcpkix", "bcutil", "bcpg")]
        for group, artifact, release in wanted:
            # dependency:get + copy in one; transitive jars are inside the two big ones already
            run(["mvn", "-q", "-B", "-ntp", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
                 f"-Dartifact={group}:{artifact}:{release}", f"-DoutputDirectory={lib}", "-Dmdep.useBaseVersion=true"], cwd=lib)
        build = lib / "build"
        build.mkdir()
        (build / "Start.java").write_text(LAUNCHER)
        tools = java_for(version).parent
        run([tools / "javac", "-cp", f"{lib}/*", "-d", build, build / "Start.java"])
        run([tools / "jar", "cf", lib / "start.jar", "-C", build, "Start.class"])  # a jar: class data archives refuse folders
        shutil.rmtree(build)
        (lib / "complete").touch()
    return lib


def java_command(version):
    java = java_for(version)
    if java is None:
        oldest, newest = JAVA_OF.get(version, (21, 99))
        raise RuntimeError(f"Gerrit {version} needs Java {oldest}{'' if newest == oldest else ' or newer'}; found {sorted(java_versions()) or 'none'}")
    jars = fetch_jars(version)
    class_path = ":".join(str(jar) for jar in sorted(jars.glob("gerrit-plugin-api*.jar")) + sorted(jars.glob("gerrit-acc*.jar")) +
                          sorted(jars.glob("bc*.jar")) + [jars / "start.jar"])
    return [str(java), *JVM, "-cp", class_path, "Start"]


def fresh_site(version):
    """A site as `init` leaves it, made once per version; copied for each server."""
    command = java_command(version)
    site = cache() / version / "site"
    with locked(cache() / version):
        if not (site / "complete").exists():
            shutil.rmtree(site, ignore_errors=True)
            run([*command, "init", "--batch", "--dev", "--no-auto-start", "--skip-plugins", "--skip-all-downloads", "-d", site])
            (site / "complete").touch()
    return site


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Gerrit:
    """One server in `folder`. `repositories`: {project: bare repository} that it has from its first start, however large."""

    def __init__(self, folder, version=None, repositories=None):
        self.folder = pathlib.Path(folder).resolve()
        self.site = self.folder / "site"
        self.log = self.folder / "gerrit.log"
        self.ssh_key = self.folder / "id_ci"
        self.known_hosts = self.folder / "known_hosts"
        self._state_file = self.folder / "gerrit.json"
        self._repositories = dict(repositories or {})
        state = json.loads(self._state_file.read_text()) if self._state_file.exists() else {}
        self.version = state.get("version") or version or os.environ.get("BOWSPRIT_GERRIT_VERSION") or DEFAULT_VERSION
        self.http_port = state.get("http_port", 0)
        self.ssh_port = state.get("ssh_port", 0)
        self._pid = state.get("pid", 0)
        self._process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- life

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ssh(self):
        """Where the account ci streams events: user@host:port."""
        return f"ci@127.0.0.1:{self.ssh_port}"

    def start(self, within=180, outlive_us=False):
        """Boots it and waits until it answers. Unless `outlive_us`, it ends with this process, however that ends."""
        first = not self._state_file.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        if first:
            self._make_site()
        for attempt in range(5):
            if first:  # a port that is free now may be taken while Gerrit boots
                self.http_port, self.ssh_port = free_ports(2)
            self._configure()
            self._spawn(outlive_us)
            try:
                wait_for(self._answers, f"Gerrit {self.version} to answer (log: {self.log})", within, every=0.2)
                break
            except (RuntimeError, TimeoutError):
                self.stop()
                if not first or attempt == 4 or "Address already in use" not in self.log.read_text(errors="replace"):
                    raise
        self._save_state()
        if first:
            self._make_accounts()
            for project in self._repositories:
                self.configure_project(project)
        return self

    def stop(self):
        """TERM, and the end awaited; the site stays for the next start()."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        elif self._pid and self._is_ours():
            os.kill(self._pid, signal.SIGTERM)
            wait_for(lambda: not self._is_ours(), f"Gerrit (process {self._pid}) to end", 60)
        self._pid = 0
        if self._state_file.exists():
            self._save_state()

    def kill(self):
        """As a crash of the server."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def _is_ours(self):
        try:
            return str(self.site).encode() in pathlib.Path(f"/proc/{self._pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False

    def _make_site(self):
        template = fresh_site(self.version)
        shutil.rmtree(self.site, ignore_errors=True)
        shutil.copytree(template, self.site, symlinks=True, ignore=shutil.ignore_patterns("complete", "*.pid"))
        for project, bare in self._repositories.items():
            run(["git", "clone", "-q", "--bare", bare, self.repository(project)])
        if not self.ssh_key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", self.ssh_key])

    def _configure(self):
        settings = {
            "httpd.listenUrl": f"{self.url}/", "gerrit.canonicalWebUrl": f"{self.url}/", "sshd.listenAddress": f"127.0.0.1:{self.ssh_port}",
            "gerrit.instanceName": "test", "sendemail.enable": "false", "plugins.allowRemoteAdmin": "true",
            "plugins.jsLoadTimeout": "5s", "plugins.checkFrequency": "1s",
        }
        for key, value in settings.items():
            run(["git", "config", "-f", self.site / "etc/gerrit.config", key, value])

    def _spawn(self, outlive_us):
        java, *rest = java_command(self.version)
        command = [java, *rest, "daemon", "-d", str(self.site), "--console-log"]
        if not outlive_us:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self._pid = self._process.pid

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"Gerrit ended with {self._process.returncode}:\n{self.log.read_text(errors='replace')[-4000:]}")
        with urllib.request.urlopen(f"{self.url}/config/server/version", timeout=5) as answer:
            return answer.status == 200

    def _save_state(self):
        self._state_file.write_text(json.dumps(self.describe() | {"pid": self._pid}, indent=2) + "\n")

    def describe(self):
        """What a person or a script needs to use it, as JSON-able values."""
        return {
            "url": self.url, "version": self.version, "http_port": self.http_port, "ssh_port": self.ssh_port, "ssh": self.ssh,
            "ssh_key": str(self.ssh_key), "known_hosts": str(self.known_hosts), "accounts": PASSWORDS, "site": str(self.site),
        }

    def _make_accounts(self):
        people = {"ci": ("KUnit CI", ["Service Users"]), "alice": ("Alice Dev", []), "bob": ("Bob Dev", [])}
        for user, (name, groups) in people.items():
            self.call("admin", "PUT", f"/accounts/{user}", {
                "name": name, "email": f"{user}@example.com", "http_password": PASSWORDS[user], "groups": groups})
        self.call("admin", "POST", "/accounts/ci/sshkeys", self.ssh_key.with_suffix(".pub").read_bytes())
        keys = wait_for(lambda: run(["ssh-keyscan", "-p", self.ssh_port, "127.0.0.1"]), "Gerrit's ssh port to answer", 30)
        self.known_hosts.write_text(keys)

    # --- REST

    def request(self, user, method, path, body=None):
        """Status, headers, body as Gerrit sends them; `user` None: anonymous."""
        data, kind = None, "application/json; charset=UTF-8"
        if isinstance(body, bytes):
            data, kind = body, "text/plain"
        elif body is not None:
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + ("/a" if user else "") + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", kind)
        if user:
            request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def call(self, user, method, path, body=None):
        """The answer's JSON, or its text where it is none. @raises GerritError"""
        status, _, raw = self.request(user, method, path, body)
        if status >= 300:
            raise GerritError(status, raw.decode(errors="replace"))
        return json.loads(raw[len(XSSI):]) if raw.startswith(XSSI) else raw.decode(errors="replace")

    def get(self, path, user="admin"):
        return self.call(user, "GET", path)

    # --- projects

    def repository(self, project):
        """The server's own bare repository; good to clone from, not to write to."""
        return self.site / "git" / f"{project}.git"

    def git_url(self, user, project):
        return f"http://{user}:{PASSWORDS[user]}@127.0.0.1:{self.http_port}/a/{project}"

    def create_project(self, project, label="Verified"):
        """An empty project with a branch master; `label` that ci may vote on, or None."""
        self.call("admin", "PUT", f"/projects/{quote(project)}", {"create_empty_commit": True, "branches": ["master"]})
        self.configure_project(project, label)
        return project

    def configure_project(self, project, label="Verified"):
        self.set_access(project, "add", {"push": {"rules": {"Administrators": {"action": "ALLOW"}}}})  # 3.13 does not let them any more
        if label:
            self.call("admin", "PUT", f"/projects/{quote(project)}/labels/{quote(label)}", LABEL)
            self.allow_vote(project, label)

    def allow_vote(self, project, label, groups=("Service Users", "Administrators"), low=-1, high=1):
        self.set_access(project, "add", {f"label-{label}": {
            "label": label, "rules": {group: {"action": "ALLOW", "min": low, "max": high} for group in groups}}})

    def forbid_vote(self, project, label):
        # With "rules" left out, Gerrit takes the whole section away, and every other permission with it.
        self.set_access(project, "remove", {f"label-{label}": {"rules": {}}})

    def set_access(self, project, verb, permissions, ref="refs/heads/*"):
        self.call("admin", "POST", f"/projects/{quote(project)}/access", {verb: {ref: {"permissions": permissions}}})

    # --- changes

    def change(self, number):
        """The change in full, as ChangeInfo."""
        options = "&".join(f"o={name}" for name in ("CURRENT_REVISION", "CURRENT_COMMIT", "CURRENT_FILES", "MESSAGES", "DETAILED_LABELS",
                                                    "DETAILED_ACCOUNTS", "SUBMITTABLE"))
        return self.get(f"/changes/{number}?{options}")

    def messages(self, number, user=None):
        """Texts of the change's messages, oldest first; of one user only where it is named."""
        found = self.change(number).get("messages", [])
        return [one["message"] for one in found if user is None or one.get("author", {}).get("username") == user]

    def votes(self, number, label="Verified"):
        """{username: value} of the current patch set, zeros left out."""
        votes = self.change(number).get("labels", {}).get(label, {}).get("all", [])
        return {vote["username"]: vote["value"] for vote in votes if vote.get("value")}

    def comments(self, number):
        """{file: [CommentInfo]}, /PATCHSET_LEVEL too."""
        return self.get(f"/changes/{number}/comments")

    def comment(self, user, number, text):
        self.call(user, "POST", f"/changes/{number}/revisions/current/review", {"message": text})


def quote(name):
    return urllib.parse.quote(name, safe="")


def main():
    parser = argparse.ArgumentParser(prog="support.gerrit", description="A real Gerrit for trying things out.")
    parser.add_argument("verb", choices=["start", "stop"])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--version", help=f"one of {', '.join(JAVA_OF)}")
    parser.add_argument("--repository", action="append", default=[], metavar="PROJECT=BARE", help="a bare repository as a project")
    words = parser.parse_args()
    gerrit = Gerrit(words.folder, words.version, dict(one.split("=", 1) for one in words.repository))
    if words.verb == "stop":
        gerrit.stop()
        return
    begin = time.monotonic()
    gerrit.start(outlive_us=True)
    print(json.dumps(gerrit.describe(), indent=2))
    print(f"ready in {time.monotonic() - begin:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
