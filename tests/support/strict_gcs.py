# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Google Cloud Storage and its token service that is as strict as their documents: cloud.google.com/storage/docs/json_api,
.../resumable-uploads, .../authentication/signatures, developers.google.com/identity/protocols/oauth2/service-account. fake-gcs-server checks
neither tokens nor signatures, and ends a resumable upload when it is asked how far it came; so what needs those is tested here.

It was written from the documents and never compared with the real service."""
import base64
import email.parser
import hashlib
import http.server
import json
import re
import secrets
import subprocess
import threading
import time
import urllib.parse

CHUNK = 256 * 1024


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class StrictGcs:
    account = "ci@project.iam.gserviceaccount.com"

    def __init__(self, folder):
        self.folder = folder
        self._lock = threading.RLock()
        self.objects = {}  # (bucket, name) -> {"bytes", "contentType", "contentEncoding"}
        self.buckets = {"runs"}
        self.sessions = {}
        self.tokens = {}  # token -> end
        self.tokens_given = 0
        self.token_lifetime = 3600
        self.cut_chunk = 0  # the chunk (1, 2, ...) of which half is stored before the connection breaks
        self.forget_session_at = 0  # the chunk at which the session is gone
        self.chunks = 0
        self.sessions_begun = 0
        subprocess.run(["openssl", "genrsa", "-out", folder / "key.pem", "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", folder / "key.pem", "-pubout", "-out", folder / "public.pem"], check=True, capture_output=True)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    with outer._lock:
                        status, headers, content = outer._answer(self.command, self.path, self.headers, body)
                except Refused as refused:
                    status, headers = refused.status, {"Content-Type": "application/json"}
                    content = json.dumps({"error": {"code": refused.status, "message": str(refused)}}).encode()
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.credentials_file = folder / "key.json"
        self.credentials_file.write_text(json.dumps({"type": "service_account", "client_email": self.account, "private_key_id": "k1",
                                                     "private_key": (folder / "key.pem").read_text(), "token_uri": self.url + "/token"}))

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    # --- who asks

    def _verify(self, text, signature):
        (self.folder / "signature").write_bytes(signature)
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.folder / "public.pem", "-signature", self.folder / "signature"], input=text,
                              capture_output=True).returncode == 0

    def _give_token(self):
        token = secrets.token_urlsafe(16)
        self.tokens[token] = time.time() + self.token_lifetime
        self.tokens_given += 1
        return 200, {"Content-Type": "application/json"}, json.dumps(
            {"access_token": token, "expires_in": self.token_lifetime, "token_type": "Bearer"}).encode()

    def _token(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            raise Refused(400, "unsupported_grant_type")
        head, claims, signature = form["assertion"].split(".")
        if not self._verify(f"{head}.{claims}".encode(), unpadded(signature)):
            raise Refused(400, "invalid_grant: Invalid JWT Signature.")
        head, claims = json.loads(unpadded(head)), json.loads(unpadded(claims))
        now = time.time()
        good = (head["alg"] == "RS256" and claims["iss"] == self.account and claims["aud"] == self.url + "/token" and "devstorage" in claims["scope"]
                and now - 300 < claims["iat"] <= now + 60 and claims["iat"] < claims["exp"] <= claims["iat"] + 3600)
        if not good:
            raise Refused(400, f"invalid_grant: {claims}")
        return self._give_token()

    def _check_token(self, headers):
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < time.time():
            raise Refused(401, "Invalid Credentials")

    def _check_signature(self, method, path, query):
        given = dict(query)
        scope = given["X-Goog-Credential"].split("/", 1)[1]
        started = time.mktime(time.strptime(given["X-Goog-Date"], "%Y%m%dT%H%M%SZ")) - time.timezone
        if time.time() > started + int(given["X-Goog-Expires"]):
            raise Refused(400, "ExpiredToken")
        signed = [pair for pair in query if pair[0] != "X-Goog-Signature"]
        line = "&".join(sorted(f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}" for name, value in signed))
        canonical = f"{method}\n{path}\n{line}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = f"GOOG4-RSA-SHA256\n{given['X-Goog-Date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        if not self._verify(text.encode(), bytes.fromhex(given["X-Goog-Signature"])):
            raise Refused(403, "SignatureDoesNotMatch")

    # --- what is asked

    def _answer(self, method, target, headers, body):
        path, _, line = target.partition("?")
        query = urllib.parse.parse_qsl(line, keep_blank_values=True)
        asked = dict(query)
        if path == "/token":
            return self._token(body)
        if path.startswith("/computeMetadata/"):
            if headers.get("Metadata-Flavor") != "Google":
                raise Refused(403, "Missing Metadata-Flavor:Google header.")
            return self._give_token()
        if "X-Goog-Signature" in asked:
            self._check_signature(method, path, query)
            bucket, _, name = urllib.parse.unquote(path[1:]).partition("/")
            return self._media(bucket, name, headers)
        if path.startswith("/session/"):
            return self._session(method, path.rsplit("/", 1)[1], headers, body)  # its address is the proof
        self._check_token(headers)
        match = re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?", path)
        if not match:
            raise Refused(404, f"Not Found: {path}")
        bucket = match.group(2)
        if bucket not in self.buckets:
            raise Refused(404, "The specified bucket does not exist.")
        if match.group(1):
            return self._upload(bucket, asked, headers, body)
        if not match.group(3):
            return self._list(bucket, asked)
        name = urllib.parse.unquote(match.group(3))
        if (bucket, name) not in self.objects:
            raise Refused(404, f"No such object: {bucket}/{name}")
        if method == "DELETE":
            del self.objects[bucket, name]
            return 204, {}, b""
        if asked.get("alt") == "media":
            return self._media(bucket, name, headers)
        return self._json({"size": str(len(self.objects[bucket, name]["bytes"]))})

    @staticmethod
    def _json(value):
        return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def _store(self, bucket, metadata, content):
        if "md5Hash" in metadata and metadata["md5Hash"] != base64.b64encode(hashlib.md5(content).digest()).decode():
            raise Refused(400, "Provided MD5 hash does not match.")
        self.objects[bucket, metadata["name"]] = {**metadata, "bytes": content}
        return self._json({"name": metadata["name"], "size": str(len(content))})

    def _upload(self, bucket, asked, headers, body):
        if asked["uploadType"] == "multipart":
            whole = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
            message = email.parser.BytesParser().parsebytes(whole)
            metadata, media = message.get_payload()
            boundary = message.get_boundary().encode()
            # The parser knows lines, not bytes: it finds the parts, the bytes come from the body.
            content = body.split(b"--" + boundary)[2].split(b"\r\n\r\n", 1)[1][:-2]
            metadata = json.loads(metadata.get_payload())
            assert media.get_content_type() == metadata["contentType"].split(";")[0]
            return self._store(bucket, metadata, content)
        assert asked["uploadType"] == "resumable", asked
        session = secrets.token_urlsafe(12)
        self.sessions_begun += 1
        self.sessions[session] = {"bucket": bucket, "metadata": json.loads(body), "size": int(headers["X-Upload-Content-Length"]), "bytes": b""}
        return 200, {"Location": f"{self.url}/session/{session}"}, b""

    def _session(self, method, key, headers, body):
        session = self.sessions.get(key)
        if session is None:
            raise Refused(410, "The upload session is gone.")
        if method == "DELETE":
            del self.sessions[key]
            return 499, {}, b""
        stored = session["bytes"]
        first, total = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", headers["Content-Range"]).groups()
        if int(total) != session["size"]:
            raise Refused(400, "another size than was announced")
        if first is not None:
            self.chunks += 1
            if self.chunks == self.forget_session_at:
                self.sessions.clear()
                raise Refused(410, "The upload session is gone.")
            if int(first) != len(stored):
                raise Refused(503, f"expected byte {len(stored)}, got {first}")
            last = len(stored) + len(body) == session["size"]
            if not last and len(body) % CHUNK:
                raise Refused(400, "a chunk is no multiple of 256 KiB")
            if self.chunks == self.cut_chunk:
                session["bytes"] = stored + body[:len(body) // 2 // CHUNK * CHUNK]
                return 0, {}, b""
            session["bytes"] = stored = stored + body
        if len(stored) == session["size"]:
            del self.sessions[key]
            return self._store(session["bucket"], session["metadata"], stored)
        return 308, {"Range": f"bytes=0-{len(stored) - 1}"} if stored else {}, b""

    def _media(self, bucket, name, headers):
        content = self.objects[bucket, name]["bytes"]
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range") or "")
        if not match:
            return 200, {"Content-Type": self.objects[bucket, name]["contentType"]}, content
        first, last = int(match.group(1)), int(match.group(2) or len(content) - 1)
        if first >= len(content):
            raise Refused(416, "Requested range not satisfiable")
        return 206, {}, content[first:last + 1]

    def _list(self, bucket, asked):
        names = sorted(name for where, name in self.objects if where == bucket and name.startswith(asked.get("prefix", "")))
        start = int(asked.get("pageToken", "0"))
        count = min(2, int(asked.get("maxResults", "1000")))  # small pages, so that there are several
        answer = {"items": [{"name": name, "size": str(len(self.objects[bucket, name]["bytes"]))} for name in names[start:start + count]]}
        if start + count < len(names):
            answer["nextPageToken"] = str(start + count)
        return self._json(answer)
