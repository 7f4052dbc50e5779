# SPDX-License-Identifier: Apache-2.0
"""clonerefs, initupload, entrypoint and sidecar as a chain of real processes on real repositories, by the options JSON of Prow's Pods.

What is the same in Prow runs against Prow's own programs too where $BOWSPRIT_PROW_UTILITIES names a folder with them (built by `go build
./cmd/...` in kubernetes-sigs/prow)."""
import base64
import contextlib
import gzip
import http.server
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.server import program  # noqa: E402
from support.stage import stage_folder  # noqa: E402
from support.wait import wait_for  # noqa: E402

NAMES = ("clonerefs", "initupload", "entrypoint", "sidecar")
SECRET = "correct-horse-battery-staple"


class Utilities:
    """The four programs, started by their own names."""

    def __init__(self, folder, ours):
        self.ours = ours
        self.bin = folder / "bin"
        self.bin.mkdir()
        theirs = os.environ.get("BOWSPRIT_PROW_UTILITIES")
        if not ours and not theirs:
            pytest.skip("$BOWSPRIT_PROW_UTILITIES does not name a folder with Prow's own utilities")
        for name in NAMES:
            (self.bin / name).symlink_to(program().resolve() if ours else pathlib.Path(theirs, name).resolve())

    def start(self, name, options, spec=None, words=(), **more):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.bin), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
        env[name.upper() + "_OPTIONS"] = json.dumps(options)
        if spec is not None:
            env["JOB_SPEC"] = json.dumps(spec)
        return subprocess.Popen([self.bin / name, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                errors="replace", **more)

    def run(self, name, options, spec=None, words=(), within=120):
        """The exit code, and what it printed."""
        process = self.start(name, options, spec, words)
        out, err = process.communicate(timeout=within)
        return process.returncode, out + err


@pytest.fixture
def folder():
    path = stage_folder("podutils")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(params=["bowsprit", "prow"])
def utilities(request, folder):
    return Utilities(folder, request.param == "bowsprit")


@pytest.fixture
def ours(folder):
    return Utilities(folder, True)


def git(folder, *words, stamp="1700000000 +0000"):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    return subprocess.run(["git", "-C", folder, *words], env=env, check=True, capture_output=True, text=True).stdout.strip()


class Origin:
    """A repository with a branch, and a change that is some commits behind its tip."""

    def __init__(self, folder):
        self.path = folder / "origin"
        self.path.mkdir()
        git(self.path, "init", "-q", "-b", "main")
        for key, value in (("user.name", "Dev"), ("user.email", "dev@example"), ("uploadpack.allowAnySHA1InWant", "true"), ("uploadpack.allowFilter", "true"),
                           ("http.receivepack", "true")):
            git(self.path, "config", key, value)
        self._commit("first")
        git(self.path, "checkout", "-q", "-b", "change")
        self.change = self._commit("change")
        git(self.path, "update-ref", "refs/changes/42/42/1", self.change)
        git(self.path, "checkout", "-q", "main")
        git(self.path, "branch", "-qD", "change")
        for i in range(5):
            self.base = self._commit(f"more{i}")

    def _commit(self, name):
        (self.path / name).write_text(name)
        git(self.path, "add", name)
        git(self.path, "commit", "-q", "-m", name)
        return git(self.path, "rev-parse", "HEAD")

    def refs(self, **more):
        return {"org": "https://gerrit.example", "repo": "linux", "repo_link": "https://gerrit.example/linux", "base_ref": "main", "base_sha": self.base,
                "clone_uri": f"file://{self.path}", "pulls": [{"number": 42, "author": "dev", "sha": self.change, "ref": "refs/changes/42/42/1"}], **more}


@contextlib.contextmanager
def served(origin, user, password):
    """The repository by git http-backend, for that one account."""
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self):
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            env = {**os.environ, "GIT_PROJECT_ROOT": str(origin.path.parent), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
                   "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)), "REMOTE_USER": user,
                   "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")}
            answer = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=True).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
            status = next((value for key, value in fields if key == "Status"), "200 OK")
            self.send_response(int(status.split()[0]))
            for key, value in fields:
                if key != "Status":
                    self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/origin"
    finally:
        server.shutdown()
        server.server_close()


def spec_of(refs, **more):
    return {"type": "presubmit", "job": "kunit", "buildid": "7", "prowjobid": "uuid", "refs": refs, **more}


def clone_options(folder, *refs, **more):
    return {"src_root": str(folder / "go"), "log": str(folder / "clone.json"), "git_user_name": "ci-robot", "git_user_email": "ci-robot@k8s.io",
            "refs": list(refs), "github_api_endpoints": ["https://api.github.com"], **more}


def wrapper(folder, *args, name="test"):
    return {"args": list(args), "container_name": name, "process_log": str(folder / "process-log.txt"), "marker_file": str(folder / "marker-file.txt"),
            "metadata_file": str(folder / "artifacts/metadata.json")}


def entrypoint_options(folder, *args, **more):
    return {"timeout": 7200 * 10**9, "grace_period": 10 * 10**9, "artifact_dir": str(folder / "artifacts"), **wrapper(folder, *args), **more}


def sidecar_options(folder, *entries, out="out", **more):
    return {"gcs_options": {"items": [str(folder / "artifacts")], "path_strategy": "explicit", "local_output_dir": str(folder / out), "dry_run": False},
            "entries": list(entries), "censoring_options": {}, **more}


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_four_in_a_row_leave_what_prow_leaves(utilities, folder):
    origin = Origin(folder)
    refs = origin.refs()
    code, said = utilities.run("clonerefs", clone_options(folder, refs), words=["--cookiefile=ignored"])
    assert code == 0, said
    work = folder / "go/src/gerrit.example/linux"
    merged = git(work, "rev-parse", "HEAD")
    assert git(work, "log", "-1", "--format=%an %ae %at %ct %P") == f"ci-robot ci-robot@k8s.io 1700000001 1700000001 {origin.base} {origin.change}"
    upload = {"local_output_dir": str(folder / "out"), "path_strategy": "explicit", "dry_run": False}
    code, said = utilities.run("initupload", {**upload, "log": str(folder / "clone.json")}, spec_of(refs))
    assert code == 0, said
    script = "echo out; echo err >&2; echo artifact > $0/artifacts/a.txt; mkdir $0/artifacts/sub; echo '{\"k\":1}' > $0/artifacts/metadata.json; exit 3"
    code, said = utilities.run("entrypoint", entrypoint_options(folder, "sh", "-c", script, str(folder)))
    assert code == 3 and "out\nerr\n" in said
    assert (folder / "marker-file.txt").read_text() == "3"
    code, said = utilities.run("sidecar", sidecar_options(folder, wrapper(folder, "sh")), spec_of(refs))
    assert code == 0, said
    out = folder / "out"
    assert files(out) == ["artifacts/a.txt", "artifacts/metadata.json", "build-log.txt", "clone-log.txt", "clone-records.json", "finished.json",
                          "sidecar-logs.json", "started.json"]
    assert "out\nerr\n" in (out / "build-log.txt").read_text()
    started = json.loads((out / "started.json").read_text())
    assert abs(started.pop("timestamp") - time.time()) < 600
    assert started == {"pull": "42", "repos": {"https://gerrit.example/linux": f"main:{origin.base},42:{origin.change}:refs/changes/42/42/1"},
                       "repo-commit": merged, "repo-version": merged}
    finished = json.loads((out / "finished.json").read_text())
    assert abs(finished.pop("timestamp") - time.time()) < 600
    assert finished == {"passed": False, "result": "FAILURE", "metadata": {"k": 1}, "revision": origin.change}
    records = json.loads((out / "clone-records.json").read_text())
    assert [record.get("final_sha") for record in records] == [None, merged]
    commands = [command["command"].split(" git ")[-1] for command in records[1]["commands"] if " git " in command["command"]]
    assert commands == ["init", "config user.name ci-robot", "config user.email ci-robot@k8s.io", f"fetch {refs['clone_uri']} --tags --prune",
                        f"fetch {refs['clone_uri']} {origin.base}", f"checkout {origin.base}", f"branch --force main {origin.base}", "checkout main",
                        f"fetch {refs['clone_uri']} refs/changes/42/42/1", f"merge --no-ff {origin.change}", "submodule update --init --recursive"]
    assert f"# Cloning https://gerrit.example/linux at main({origin.base})" in (out / "clone-log.txt").read_text()


def test_a_failed_clone_is_the_end_and_says_so(ours, folder):
    refs = Origin(folder).refs()
    refs["pulls"][0]["ref"] = "refs/changes/99/99/1"
    begin = time.monotonic()
    code, said = ours.run("clonerefs", clone_options(folder, refs))
    assert code == 0, "initupload reports it" + said
    assert time.monotonic() - begin < 45, "a ref that is not there was tried again and again"
    code, _ = ours.run("clonerefs", clone_options(folder, refs, fail=True))
    assert code == 1
    code, said = ours.run("initupload", {"local_output_dir": str(folder / "out"), "dry_run": False, "log": str(folder / "clone.json")}, spec_of(refs))
    assert code == 1, said
    finished = json.loads((folder / "out/finished.json").read_text())
    assert (finished["passed"], finished["result"]) == (False, "FAILURE")
    assert "couldn't find remote ref" in (folder / "out/build-log.txt").read_text()


def test_a_shallow_clone_deepens_to_the_same_merge(ours, folder):
    origin = Origin(folder)
    merged = []
    for depth in (0, 1):
        options = clone_options(folder, origin.refs(clone_depth=depth, skip_submodules=True), src_root=str(folder / f"go{depth}"))
        code, said = ours.run("clonerefs", options)
        assert code == 0, said
        records = json.loads((folder / "clone.json").read_text())
        assert not records[1].get("failed"), records
        merged.append(records[1]["final_sha"])
    assert merged[0] == merged[1]


def test_a_token_reaches_the_server_and_nothing_else(ours, folder):
    origin = Origin(folder)
    (folder / "token").write_text(SECRET + "\n")
    with served(origin, SECRET, "x-oauth-basic") as url:
        code, said = ours.run("clonerefs", clone_options(folder, origin.refs(clone_uri=url), oauth_token_file=str(folder / "token")))
        log = (folder / "clone.json").read_text()
        assert code == 0 and not json.loads(log)[1].get("failed"), said + log
        begin = time.monotonic()
        ours.run("clonerefs", clone_options(folder, origin.refs(clone_uri=url), src_root=str(folder / "denied"), log=str(folder / "denied.json")))
        assert json.loads((folder / "denied.json").read_text())[1]["failed"]
        assert time.monotonic() - begin < 45, "a refusal was tried again and again"
    assert SECRET not in said + log
    found = subprocess.run(["grep", "-rl", SECRET, folder / "go"], capture_output=True, text=True, check=False).stdout
    assert found == "", "the token is left in the work tree"


@contextlib.contextmanager
def github_api(organization, token):
    """Just the two calls by which an app gets a token; gives its URL, and the requests as they come."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.command, self.path.partition("?")[0], self.headers.get("Authorization", "")))
            answers = {"/app/installations": [{"id": 1, "account": {"login": "another"}}, {"id": 7, "account": {"login": organization}}],
                       "/app/installations/7/access_tokens": {"token": token}}
            body = json.dumps(answers.get(self.path.partition("?")[0], {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_a_github_app_reads_with_the_token_of_its_installation(ours, folder):
    origin = Origin(folder)
    key = folder / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    with served(origin, "x-access-token", SECRET) as url, github_api("octo", SECRET) as (api, seen):
        options = clone_options(folder, origin.refs(clone_uri=url, org="octo"), github_app_id="12", github_app_private_key_file=str(key), github_api_endpoints=[api])
        code, said = ours.run("clonerefs", options)
    log = (folder / "clone.json").read_text()
    assert code == 0 and not json.loads(log)[1].get("failed"), said + log
    assert SECRET not in said + log
    assert [(method, path) for method, path, _ in seen] == [("GET", "/app/installations"), ("POST", "/app/installations/7/access_tokens")]
    claims = seen[0][2].removeprefix("Bearer ").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"] == "12"


ENDS = [
    # name, program, more options, exit code, marker
    ("success", ["true"], {}, 0, "0"),
    ("failure", ["sh", "-c", "exit 7"], {}, 7, "7"),
    ("absent", ["/no/such/program"], {}, 127, "127"),
    ("killed", ["sh", "-c", "kill -9 $$"], {}, 255, "-1"),
    ("always_zero", ["sh", "-c", "exit 7"], {"always_zero": True}, 0, "7"),
    ("timeout", ["sleep", "600"], {"timeout": 10**9, "grace_period": 10**9}, 127, "127"),
    ("timeout_propagated", ["sh", "-c", "trap 'exit 9' INT; while :; do sleep 0.1; done"], {"timeout": 10**9, "propagate_error_code": True}, 9, "9"),
    ("no_log", ["true"], {"process_log": "/no/such/folder/log"}, 127, "127"),
]


@pytest.mark.parametrize("case", ENDS, ids=[case[0] for case in ENDS])
def test_the_marker_says_how_the_program_ended(utilities, folder, case):
    _, words, more, code, marker = case
    got, said = utilities.run("entrypoint", entrypoint_options(folder, *words, **more))
    assert (got, (folder / "marker-file.txt").read_text()) == (code, marker), said


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_aborts(utilities, folder, which):
    ready = folder / "ready"
    script = f"trap 'echo interrupted; exit 0' INT TERM; touch {ready}; while :; do sleep 0.1; done"
    process = utilities.start("entrypoint", entrypoint_options(folder, "bash", "-c", script))
    wait_for(ready.exists, "the program to start")
    process.send_signal(which)
    process.communicate(timeout=60)
    assert (process.returncode, (folder / "marker-file.txt").read_text()) == (130, "130")
    assert "interrupted" in (folder / "process-log.txt").read_text()


@pytest.mark.parametrize(("previous", "code"), [("0", 0), ("1", 1130 % 256)])
def test_a_step_waits_for_the_one_before(utilities, folder, previous, code):
    before = folder / "previous-marker"
    process = utilities.start("entrypoint", entrypoint_options(folder, "touch", str(folder / "ran"), previous_marker=str(before)))
    wait_for((folder / "process-log.txt").exists, "entrypoint to start")
    (folder / "draft").write_text(previous)
    (folder / "draft").rename(before)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert (folder / "ran").exists() == (previous == "0")
    assert (folder / "marker-file.txt").read_text() == ("0" if previous == "0" else "1130")


def running(word):
    """Processes whose command line has that word."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes():
                found.append(path.parent.name)
    return found


@pytest.mark.parametrize("end", ["exit 0", "sleep 600.6000"])
def test_nothing_of_the_job_outlives_it(ours, folder, end):
    mark = f"{os.getpid()}.{time.monotonic_ns()}"
    script = f"trap '' INT; sleep {mark} & setsid sleep {mark} & (setsid sh -c 'sleep {mark} & sleep {mark}' &); sleep {mark} >/dev/null 2>&1 & {end}"
    options = entrypoint_options(folder, "bash", "-c", script, timeout=3 * 10**9, grace_period=10**9)
    process = ours.start("entrypoint", options)
    wait_for(lambda: len(running(f"sleep\0{mark}")) >= 4 or process.poll() is not None, "the job's children")
    process.communicate(timeout=60)
    assert running(f"sleep\0{mark}") == []


@pytest.mark.parametrize(("words", "more", "end"), [(["sleep", "600"], {"timeout": 10**9, "grace_period": 10**9}, "timed_out"),
                                                    (["/no/such/program"], {}, "not_started"), (["sh", "-c", "kill -9 $$"], {}, "signalled")])
def test_finished_json_tells_the_ends_apart(ours, folder, words, more, end):
    (folder / "artifacts").mkdir()
    (folder / "artifacts/metadata.json").write_text('{"node": "n1"}')
    ours.run("entrypoint", entrypoint_options(folder, *words, **more))
    code, said = ours.run("sidecar", sidecar_options(folder, wrapper(folder), entry_error=True), spec_of(Origin(folder).refs()))
    assert code == 1, said
    metadata = json.loads((folder / "out/finished.json").read_text())["metadata"]
    assert (metadata["node"], metadata["entrypoint"]["end"]) == ("n1", end)
    assert metadata["entrypoint"]["message"]


def mark_done(entry, code="0"):
    draft = pathlib.Path(entry["marker_file"] + ".draft")
    draft.write_text(code)
    draft.rename(entry["marker_file"])


def test_sidecar_uploads_at_once_when_interrupted_and_again_at_the_end(utilities, folder):
    refs = Origin(folder).refs()
    entry = wrapper(folder)
    (folder / "process-log.txt").write_text("first half\n")
    process = utilities.start("sidecar", sidecar_options(folder, entry), spec_of(refs))
    finished = folder / "out/finished.json"
    # A signal before the program listens would end it: it listens once it has started its log or waits for markers.
    wait_for(lambda: "inotify" in str([os.readlink(fd) for fd in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]), "sidecar to wait for markers")
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: finished.exists() and finished.read_text(), "the upload after the signal")
    assert json.loads(finished.read_text())["result"] == "ABORTED"
    with open(folder / "process-log.txt", "a", encoding="utf-8") as log:
        log.write("second half\n")
    mark_done(entry, "130")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert json.loads(finished.read_text())["result"] == "ABORTED"
    assert (folder / "out/build-log.txt").read_text() == "first half\nsecond half\n"


def test_sidecar_ignores_interrupts_where_it_is_told_to(utilities, folder):
    refs = Origin(folder).refs()
    entry = wrapper(folder)
    (folder / "process-log.txt").write_text("log\n")
    process = utilities.start("sidecar", sidecar_options(folder, entry, ignore_interrupts=True), spec_of(refs))
    wait_for(lambda: "inotify" in str([os.readlink(fd) for fd in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]), "sidecar to wait for markers")
    process.send_signal(signal.SIGTERM)
    mark_done(entry)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert json.loads((folder / "out/finished.json").read_text())["result"] == "SUCCESS"


def test_several_containers_have_a_log_each(utilities, folder):
    entries = []
    for name in ("one", "two"):
        (folder / f"{name}-log.txt").write_text(name)
        (folder / f"{name}-marker.txt").write_text("0")
        entries.append({"container_name": name, "process_log": str(folder / f"{name}-log.txt"), "marker_file": str(folder / f"{name}-marker.txt"),
                        "metadata_file": str(folder / "absent")})
    (folder / "artifacts").mkdir()
    code, said = utilities.run("sidecar", sidecar_options(folder, *entries), spec_of(Origin(folder).refs()))
    assert code == 0, said
    assert {"one-build-log.txt", "two-build-log.txt", "finished.json"} <= set(files(folder / "out"))


def packed(folder):
    """Artifacts that hold the secret in every packing, and one that can't be read."""
    artifacts = folder / "artifacts"
    (artifacts / "sub").mkdir(parents=True)
    text = f"before {SECRET} after\n".encode()
    (artifacts / "plain.txt").write_bytes(text)
    (artifacts / "sub/encoded.txt").write_bytes(base64.b64encode(SECRET.encode()))
    for name, mode in (("a.tar", "w"), ("a.tgz", "w:gz"), ("a.txz", "w:xz"), ("a.tbz", "w:bz2")):
        with tarfile.open(artifacts / name, mode) as archive:
            info = tarfile.TarInfo("in/side.txt")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    with zipfile.ZipFile(artifacts / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/side.txt", text)
    (artifacts / "cut.gz.bin").write_bytes(gzip.compress(os.urandom(10000) + text)[:5000])
    return artifacts


def test_secrets_are_not_uploaded_in_any_packing(ours, folder):
    packed(folder)
    (folder / "secrets").mkdir()
    (folder / "secrets/token").write_text(SECRET + "\n")
    (folder / "process-log.txt").write_text(f"log {SECRET}\n")
    (folder / "artifacts/metadata.json").write_text(json.dumps({"token": SECRET}))
    (folder / "marker-file.txt").write_text("0")
    options = sidecar_options(folder, wrapper(folder), censoring_options={"secret_directories": [str(folder / "secrets")]})
    code, said = ours.run("sidecar", options, spec_of(Origin(folder).refs()))
    assert code == 0, said
    out = folder / "out"
    covered = "before " + "X" * len(SECRET) + " after\n"
    assert (out / "artifacts/plain.txt").read_text() == covered
    assert (out / "build-log.txt").read_text() == "log " + "X" * len(SECRET) + "\n"
    for name in ("a.tar", "a.tgz", "a.txz", "a.tbz"):
        with tarfile.open(out / "artifacts" / name) as archive:
            assert archive.extractfile("in/side.txt").read().decode() == covered, name
    with zipfile.ZipFile(out / "artifacts/a.zip") as archive:
        assert archive.read("in/side.txt").decode() == covered
    for path in out.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes() and base64.b64encode(SECRET.encode()) not in path.read_bytes(), path
    assert "artifacts/cut.gz.bin" not in files(out), "what can't be read must not be uploaded"
    withheld = json.loads((out / "finished.json").read_text())["metadata"]["sidecar-withheld"]
    assert len(withheld) == 1 and withheld[0].startswith("cut.gz.bin: ")
    assert SECRET in (folder / "artifacts/plain.txt").read_text(), "the job's own files stay as they are"


def test_secrets_that_cant_be_read_withhold_everything(ours, folder):
    (folder / "artifacts").mkdir()
    (folder / "artifacts/a.txt").write_text("a")
    (folder / "process-log.txt").write_text("log")
    (folder / "marker-file.txt").write_text("0")
    options = sidecar_options(folder, wrapper(folder), censoring_options={"secret_directories": [str(folder / "missing")]})
    code, said = ours.run("sidecar", options, spec_of(Origin(folder).refs()))
    assert code == 0, said
    assert "artifacts/a.txt" not in files(folder / "out")
    assert "log" != (folder / "out/build-log.txt").read_text()


def test_a_bucket_has_the_tree_that_readers_know(utilities, folder):
    refs = Origin(folder).refs()
    (folder / "artifacts").mkdir()
    (folder / "artifacts/a.txt").write_text("a")
    (folder / "process-log.txt").write_text("log")
    (folder / "marker-file.txt").write_text("0")
    bucket = f"file://{folder}/bucket"
    options = sidecar_options(folder, wrapper(folder))
    options["gcs_options"] = {"items": [str(folder / "artifacts")], "bucket": bucket, "path_strategy": "explicit", "dry_run": False}
    code, said = utilities.run("sidecar", options, spec_of(refs))
    assert code == 0, said
    run = "pr-logs/pull/gerrit.example_linux/42/kunit/7"
    assert files(folder / "bucket") == sorted([
        "pr-logs/directory/kunit/7.txt", "pr-logs/directory/kunit/latest-build.txt", "pr-logs/pull/gerrit.example_linux/42/kunit/latest-build.txt",
        f"{run}/artifacts/a.txt", f"{run}/build-log.txt", f"{run}/finished.json", f"{run}/sidecar-logs.json"])
    assert (folder / "bucket/pr-logs/directory/kunit/7.txt").read_text() == f"{bucket}/{run}"
    assert (folder / "bucket/pr-logs/directory/kunit/latest-build.txt").read_text() == "7"


def test_entrypoint_places_itself_for_images_without_our_libraries(ours, folder):
    placed = folder / "tools/entrypoint"
    subprocess.run([ours.bin / "entrypoint", "--copy-mode-only", f"--copy-destination={placed}"], check=True, timeout=60)
    done = subprocess.run([placed], env={"ENTRYPOINT_OPTIONS": json.dumps(entrypoint_options(folder, "/bin/sh", "-c", "exit 5"))}, timeout=60, check=False)
    assert done.returncode == 5
    assert (folder / "marker-file.txt").read_text() == "5"


@pytest.mark.parametrize("name", NAMES)
def test_wrong_options_are_named(ours, name):
    process = ours.start(name, {}, spec={"type": "presubmit"})
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith(f"{name}: options: expected "), err
