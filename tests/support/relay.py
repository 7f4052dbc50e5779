# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of a real server, for the failures of a network that the server itself cannot show: an answer that never arrives.

    relay = Relay("127.0.0.1", 8080); client.connect(relay.url)
    lost = relay.lose_answer_to(b"/review")     # the next such request reaches the server; its answer reaches nobody
    lost.wait(60)"""
import contextlib
import socket
import threading


class Relay:
    def __init__(self, host, port, port_file=None):
        """`port_file` keeps the relay's own port from session to session: a warm tree belongs to its repository's address."""
        self._target = (host, port)
        self._lose = None  # (bytes in a request, event)
        kept = int(port_file.read_text()) if port_file and port_file.exists() else 0
        self._listener = socket.create_server(("127.0.0.1", kept))
        if port_file:
            port_file.write_text(str(self._listener.getsockname()[1]))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def lose_answer_to(self, marker):
        """Swallows the answer to the next request that contains `marker`; the event is set when the server has answered."""
        event = threading.Event()
        self._lose = (marker, event)
        return event

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(self._target, timeout=10)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        swallowed = []  # the event, once this connection's answers are lost
        threading.Thread(target=self._pump, args=(client, server, lambda data: self._look(data, swallowed)), daemon=True).start()
        self._pump(server, client, lambda data: self._swallow(swallowed))

    def _look(self, data, swallowed):
        if self._lose and self._lose[0] in data:
            swallowed.append(self._lose[1])
            self._lose = None
        return True

    @staticmethod
    def _swallow(swallowed):
        for event in swallowed:
            event.set()
        return not swallowed

    @staticmethod
    def _pump(source, sink, passes):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if passes(data):
                    sink.sendall(data)
        for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                end.shutdown(how)
