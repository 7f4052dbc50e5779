# SPDX-License-Identifier: Apache-2.0
"""Artifacts in buckets: on a real SeaweedFS (S3), on fake-gcs-server and a strict stand-in (GCS); through a proxy that loses answers; the
server with its store killed in between.

The stores are called through build/dev/store_probe (src/artifact/probe.cpp), through sidecar, and by a server that judges a change."""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.faulty_proxy import FaultyProxy  # noqa: E402
from support.object_stores import FakeGcs, SeaweedFS  # noqa: E402
from support.server import program  # noqa: E402
from support.stage import PROJECT, stage_folder  # noqa: E402
from support.strict_gcs import StrictGcs  # noqa: E402
from support.wait import wait_for  # noqa: E402

PROBE = program().parent / "store_probe"
BIG = 40 << 20  # five parts
ODD = "a b/ü+~%&=#?;,'\"<$>/name (1).txt"


@pytest.fixture(scope="module")
def folder():
    path = stage_folder("stores")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def weed(folder):
    store = SeaweedFS(folder / "weed").start()
    store.make_bucket("runs")
    yield store
    store.kill()


@pytest.fixture(scope="module")
def big(folder):
    """A file of several parts, and its hash."""
    path = folder / "big.bin"
    content = os.urandom(1 << 20) * (BIG >> 20)
    path.write_bytes(content[:-7])
    return path, hashlib.sha256(content[:-7]).hexdigest()


@pytest.fixture
def strict(tmp_path):
    store = StrictGcs(tmp_path)
    yield store
    store.close()


def probe(store, *calls, env=None, **settings):
    """Outcomes of these calls on one open store."""
    asked = {"store": store, **{name: str(value) for name, value in settings.items()}, "calls": list(calls)}
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(env or {})}
    done = subprocess.run([PROBE], input=json.dumps(asked), capture_output=True, text=True, timeout=120, env=clean, check=True)
    return json.loads(done.stdout)


def call(what, name="", **more):
    return {"call": what, "name": name, **more}


# --- S3


def test_s3_does_all_that_a_store_does(weed, big):
    path, digest = big
    outcomes = probe("s3://runs/pre/fix",
                     call("put", "r/a.json", text="{}"), call("put", ODD, text="odd"), call("put", "r/empty", text=""),
                     call("put_file", "r/big", file=str(path)), call("stat", "r/big"), call("get", "r/big"), call("get", "r/big", offset=BIG - 17, length=100),
                     call("get", ODD), call("get", "r/a.json", offset=99), call("list", "r/"), call("list", "", limit=2), call("remove", "r/a.json"),
                     call("stat", "r/a.json"), call("remove", "r/a.json"), call("get", "r/empty"), credentials_file=weed.credentials_file)
    size = BIG - 7
    assert outcomes[:4] == [True] * 4
    assert outcomes[4] == size and outcomes[5]["sha256"] == digest
    assert outcomes[6]["size"] == 10
    assert outcomes[7]["text"] == "odd"
    assert outcomes[8]["size"] == 0
    assert outcomes[9] == [["r/a.json", 2], ["r/big", size], ["r/empty", 0]]
    assert len(outcomes[10]) == 2
    assert outcomes[11] is True and outcomes[13] is True
    assert outcomes[12]["error"]["kind"] == "not_found"
    assert outcomes[14]["size"] == 0
    headers, content = weed.get("runs", "pre/fix/" + ODD)
    assert content == b"odd" and headers["Content-Type"] == "text/plain; charset=utf-8"
    assert weed.get("runs", "pre/fix/r/big")[0]["Content-Type"] == "application/octet-stream"


def test_s3_upload_needs_memory_for_one_part_only(weed, big):
    peak = probe("s3://runs", call("put_file", "peak", file=str(big[0])), credentials_file=weed.credentials_file)[-1]["peak_kib"]
    small = probe("s3://runs", call("put", "small", text="x"), credentials_file=weed.credentials_file)[-1]["peak_kib"]
    assert peak - small < 24 << 10, f"{peak} KiB for {BIG >> 10} KiB, {small} for nothing"


def test_s3_signed_url_lets_readers_in_until_it_ends(weed):
    _, url, short, _ = probe("s3://runs", call("put", "signed/" + ODD, text="for all"), call("url", "signed/" + ODD), call("url", "signed/" + ODD, lifetime=1),
                             credentials_file=weed.credentials_file)
    assert urllib.request.urlopen(url, timeout=10).read() == b"for all"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.split("?")[0], timeout=10)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=10)

    def is_refused():
        try:
            urllib.request.urlopen(short, timeout=10).close()
        except urllib.error.HTTPError as error:
            return error.code == 403
        return False
    wait_for(is_refused, "the end of the URL's second", 20)


def test_s3_says_whose_fault_it_is(weed, tmp_path):
    wrong = json.loads(weed.credentials_file.read_text())
    (tmp_path / "wrong.json").write_text(json.dumps({**wrong, "secret_key": "other"}))
    (tmp_path / "away.json").write_text(json.dumps({**wrong, "endpoint": "http://127.0.0.1:9"}))
    denied = probe("s3://runs", call("put", "x", text="x"), credentials_file=tmp_path / "wrong.json")[0]["error"]
    assert denied["kind"] == "denied" and "SignatureDoesNotMatch" in denied["text"], denied
    away = probe("s3://runs", call("put", "x", text="x"), credentials_file=tmp_path / "away.json")[0]["error"]
    assert away["kind"] == "unavailable" and "127.0.0.1:9" in away["text"], away
    bucket = probe("s3://absent-bucket", call("list"), credentials_file=weed.credentials_file)[0]["error"]
    assert bucket["kind"] == "bad_config" and "NoSuchBucket" in bucket["text"], bucket
    assert "no S3 credentials" in probe("s3://runs", call("list"))["error"]["text"]


@pytest.fixture
def proxied(weed, tmp_path):
    """Settings for the probe, and the proxy in between."""
    proxy = FaultyProxy(weed.url.removeprefix("http://"))
    yield {"credentials_file": weed.credentials_file, "endpoint": proxy.url}, proxy
    proxy.close()


def test_s3_part_that_fails_is_tried_again(proxied, big):
    settings, proxy = proxied
    proxy.fail("PUT", "partNumber=2", times=2)
    proxy.lose_answer("PUT", "partNumber=4")
    proxy.lose_answer("POST", "uploadId=")
    done, got, _ = probe("s3://runs", call("put_file", "again", file=str(big[0])), call("get", "again"), **settings)
    assert done is True, done
    assert got["sha256"] == big[1]


def test_s3_upload_that_fails_for_good_leaves_nothing(proxied, big, weed):
    settings, proxy = proxied
    proxy.fail("PUT", "partNumber=3", times=99)
    done, there, _ = probe("s3://runs", call("put_file", "half", file=str(big[0])), call("stat", "half"), **settings)
    assert done["error"]["kind"] == "unavailable" and "503" in done["error"]["text"], done
    assert there["error"]["kind"] == "not_found"
    assert any(line.startswith("DELETE /runs/half?uploadId=") for line in proxy.seen)
    assert "half" not in weed.uploads("runs")


# --- GCS


def test_gcs_does_all_that_a_store_does(folder, big):
    path, digest = big
    fake = FakeGcs(folder / "fake-gcs").start()
    try:
        fake.make_bucket("runs")
        outcomes = probe("gs://runs/pre", call("put", "r/a.json", text="{}"), call("put", ODD, text="odd"), call("put_file", "r/big", file=str(path)),
                         call("stat", "r/big"), call("get", "r/big"), call("get", "r/big", offset=BIG - 17, length=100), call("get", ODD), call("list", "r/"),
                         call("remove", "r/a.json"), call("stat", "r/a.json"), env={"STORAGE_EMULATOR_HOST": fake.host})
    finally:
        fake.kill()
    assert outcomes[:3] == [True] * 3, outcomes
    assert outcomes[3] == BIG - 7 and outcomes[4]["sha256"] == digest
    assert outcomes[5]["size"] == 10 and outcomes[6]["text"] == "odd"
    assert outcomes[7] == [["r/a.json", 2], ["r/big", BIG - 7]]
    assert outcomes[8] is True and outcomes[9]["error"]["kind"] == "not_found"


def gcs(strict, *calls, **settings):
    return probe("gs://runs/pre", *calls, **{"endpoint": strict.url, "credentials_file": strict.credentials_file, **settings})


def test_gcs_service_account_proves_itself_and_uploads(strict, big):
    names = [f"n{i}" for i in range(5)]
    outcomes = gcs(strict, *[call("put", name, text=name * 3) for name in names], call("put", "x/" + ODD, text="odd", type="text/css", encoding="br"),
                   call("put_file", "big", file=str(big[0])), call("get", "big"), call("list", "n"), call("get", "n1", offset=2, length=3),
                   call("get", "n1", offset=6), call("remove", "n0"), call("stat", "n0"))
    assert outcomes[:7] == [True] * 7, outcomes
    assert outcomes[7]["sha256"] == big[1]
    assert outcomes[8] == [[name, 6] for name in names], "through pages of two"
    assert outcomes[9]["text"] == "n1n1n1"[2:5] and outcomes[10]["size"] == 0
    assert outcomes[11] is True and outcomes[12]["error"]["kind"] == "not_found"
    odd = strict.objects["runs", "pre/x/" + ODD]
    assert (odd["contentType"], odd["contentEncoding"], odd["bytes"]) == ("text/css", "br", b"odd")
    assert strict.tokens_given == 1, "one token does for an hour"


def test_gcs_upload_goes_on_where_the_connection_broke(strict, big):
    strict.cut_chunk = 3
    done, got, _ = gcs(strict, call("put_file", "big", file=str(big[0])), call("get", "big"))
    assert done is True, done
    assert got["sha256"] == big[1]
    assert strict.sessions_begun == 1
    assert strict.chunks >= 6, "five parts, of which the third was sent in two pieces"


def test_gcs_upload_begins_anew_when_its_session_is_gone(strict, big):
    strict.forget_session_at = 3
    done, got, _ = gcs(strict, call("put_file", "big", file=str(big[0])), call("get", "big"))
    assert done is True, done
    assert got["sha256"] == big[1]
    assert (strict.sessions_begun, strict.chunks) == (2, 3 + 5)


def test_gcs_token_that_is_refused_is_renewed_once(strict, tmp_path):
    strict.token_lifetime = 0  # over before it is used
    refused, _ = gcs(strict, call("put", "a", text="a"))
    assert refused["error"]["kind"] == "denied" and "Invalid Credentials" in refused["error"]["text"]
    assert strict.tokens_given == 2
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "other.pem", "2048"], check=True, capture_output=True)
    other = {**json.loads(strict.credentials_file.read_text()), "private_key": (tmp_path / "other.pem").read_text()}
    (tmp_path / "other.json").write_text(json.dumps(other))
    refused, _ = gcs(strict, call("put", "a", text="a"), credentials_file=tmp_path / "other.json")
    assert refused["error"]["kind"] == "denied" and "Invalid JWT Signature" in refused["error"]["text"], refused


def test_gcs_token_of_the_metadata_server(strict):
    done, _ = probe("gs://runs", call("put", "a", text="a"), endpoint=strict.url, env={"GCE_METADATA_HOST": strict.host})
    assert done is True, done


def test_gcs_signed_url_lets_readers_in(strict):
    _, url, _ = gcs(strict, call("put", ODD, text="for all"), call("url", ODD))
    assert urllib.request.urlopen(url, timeout=10).read() == b"for all"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("X-Goog-Expires=60", "X-Goog-Expires=61"), timeout=10)


def test_gcs_bucket_that_is_not_there_is_a_configuration_error(strict):
    outcome, _ = probe("gs://other", call("put", "a", text="a"), endpoint=strict.url, credentials_file=strict.credentials_file)
    assert outcome["error"]["kind"] == "bad_config" and "bucket does not exist" in outcome["error"]["text"]


# --- pod utilities


def sidecar(folder, bucket, **options):
    """Runs sidecar on a finished job with a packed, a long, and a short artifact."""
    (folder / "artifacts").mkdir()
    (folder / "artifacts/packed.log.gz").write_bytes(gzip.compress(b"inside\n"))
    (folder / "artifacts/long.log").write_text("line\n" * 1000)
    (folder / "artifacts/page.kunit").write_text("<b>")
    (folder / "process-log.txt").write_text("log\n")
    (folder / "marker").write_text("0")
    upload = {"items": [str(folder / "artifacts")], "bucket": bucket, "path_strategy": "explicit", "mediaTypes": {"kunit": "text/x-kunit"},
              "compress_file_types": ["log"], **options}
    entry = {"process_log": str(folder / "process-log.txt"), "marker_file": str(folder / "marker"), "metadata_file": str(folder / "none")}
    spec = {"type": "presubmit", "job": "kunit", "buildid": "7", "prowjobid": "x",
            "refs": {"org": "https://g", "repo": "linux", "base_ref": "main", "pulls": [{"number": 4, "author": "a", "sha": "b" * 40}]}}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "JOB_SPEC": json.dumps(spec),
           "SIDECAR_OPTIONS": json.dumps({"gcs_options": upload, "entries": [entry]})}
    return subprocess.run([program(), "sidecar"], env=env, capture_output=True, text=True, timeout=120)


def test_sidecar_uploads_to_s3_as_prow_does(weed, tmp_path):
    done = sidecar(tmp_path, "s3://runs", s3_credentials_file=str(weed.credentials_file))
    assert done.returncode == 0, done.stderr
    run = "pr-logs/pull/g_linux/4/kunit/7"
    assert {f"{run}/artifacts/packed.log", f"{run}/artifacts/long.log", f"{run}/finished.json", f"{run}/build-log.txt"} <= set(weed.keys("runs", run))
    assert weed.get("runs", "pr-logs/directory/kunit/7.txt")[1].decode() == f"s3://runs/{run}"
    headers, content = weed.get("runs", f"{run}/artifacts/long.log")
    assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"] == "text/plain; charset=utf-8" and len(content) < 500
    assert weed.get("runs", f"{run}/artifacts/packed.log")[0]["Content-Encoding"] == "gzip"
    assert weed.get("runs", f"{run}/artifacts/page.kunit")[0]["Content-Type"] == "text/x-kunit"
    text, _ = probe("s3://runs", call("get", f"{run}/artifacts/long.log"), credentials_file=weed.credentials_file)
    assert text["size"] == 5000, "readers get it unpacked"


def test_sidecar_says_what_it_needs_for_a_bucket(tmp_path):
    done = sidecar(tmp_path, "s3://runs", s3_credentials_file=str(tmp_path / "absent.json"))
    assert "absent.json" in done.stderr


# --- the server

# Does something for changes that have the file, so that making the warm tree costs nothing.
JOB = "test -f store-note.txt || exit 0; echo running; for i in $(seq 50); do echo tick $i; sleep 0.1; done; echo kept >$ARTIFACTS/note.log"


def waiting_objects(server):
    line = next(line for line in server.get("/metrics").splitlines() if line.startswith("bowsprit_spool_objects"))
    return float(line.split()[-1])


def test_server_loses_nothing_while_its_store_is_away(session_stage, weed):
    stage, server = session_stage, session_stage.server
    store = f"{{store: 's3://verdicts/ci', endpoint: '{weed.url}', credentials_file: {weed.credentials_file}, signed_urls: 10m, cache: 1Ki}}"
    weed.make_bucket("verdicts")
    stage.start_server_with_jobs(stage.job("stored", JOB), more=f"artifacts: {store}\n")
    try:
        change = stage.push({"store-note.txt": f"{time.time_ns()}\n"}, "kunit: a note for the store")
        wait_for(lambda: any("tick" in stage.log_of(run) and run["state"] == "pending" for run in stage.runs_of(change)), "the log of a job that runs", 300)
        weed.kill()
        report = stage.report_of(change)
        assert stage.vote_of(change) == 1, report
        [run] = stage.runs_of(change)
        assert "artifacts/note.log" in server.get(f"/run/{run['id']}"), "its files are on the page while the store is away"
        waiting = waiting_objects(server)
        assert waiting >= 5
        server.kill()
        server.start(*server.options)
        assert waiting_objects(server) == waiting
        assert server.get(f"/run/{run['id']}/artifacts/note.log") == "kept\n"
        weed.start()
        wait_for(lambda: waiting_objects(server) == 0, "the store to get all", 90)
        prefix = f"ci/pr-logs/pull/{stage.gerrit_url.removeprefix('http://')}_{PROJECT}/{change}/stored/{run['id']}"
        wanted = ("started.json", "finished.json", "build-log.txt", "prowjob.json", "artifacts/result.json", "artifacts/note.log")
        assert {f"{prefix}/{name}" for name in wanted} <= set(weed.keys("verdicts", "ci/"))
        assert weed.get("verdicts", f"ci/pr-logs/directory/stored/{run['id']}.txt")[1].decode() == f"s3://verdicts/{prefix}"
        assert not list((server.state / "spool/objects").rglob("build-log.txt")), "what went stays on disk up to the cache's limit only"
        assert "tick 50" in stage.log_of(run), "read from the store"
        with urllib.request.urlopen(f"{server.url}/run/{run['id']}/artifacts/note.log", timeout=10) as answer:
            assert answer.url.startswith(weed.url) and answer.read() == b"kept\n", "the store itself serves it"
    finally:
        server.stop()
