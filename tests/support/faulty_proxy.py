# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy in front of a real server that fails where a test wants it.

    proxy = FaultyProxy("127.0.0.1:8333")
    proxy.fail("PUT", "partNumber=2", times=2)            # answers 503 in the server's stead
    proxy.lose_answer("POST", "uploadId")                  # the server does it, the client never hears of it"""
import http.client
import http.server
import threading


class FaultyProxy:
    def __init__(self, target):
        self._target = target
        self._faults = []  # [method, part of the target, how, times left]
        self._lock = threading.Lock()
        self.seen = []  # "METHOD target" of every request
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                outer._handle(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def fail(self, method, part, times=1):
        self._faults.append([method, part, "fail", times])

    def lose_answer(self, method, part, times=1):
        self._faults.append([method, part, "lose", times])

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _fault_for(self, request):
        with self._lock:
            self.seen.append(f"{request.command} {request.path}")
            for fault in self._faults:
                if fault[0] == request.command and fault[1] in request.path and fault[3] > 0:
                    fault[3] -= 1
                    return fault[2]
        return None

    def _handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        how = self._fault_for(request)
        if how == "fail":
            request.send_response(503)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        server = http.client.HTTPConnection(self._target, timeout=30)
        server.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            server.putheader(name, value)  # the host too: it is signed
        server.endheaders(body)
        answer = server.getresponse()
        content = answer.read()
        if how == "lose":
            request.close_connection = True
            return
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server", "content-length"):
                request.send_header(name, value)
        request.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        server.close()
