"""The other system's end, a process of its own: takes events, checks them with the document's verify.py, notes each.

Run as `receiver.py port folder secret [certificate]`. `folder/behaviour.json` says how to answer each request:
{"status": 200, "delay": 0, "drip": false, "location": "", "first": 0}; `first`: so many requests get 500 before.
`folder/heard.jsonl` gets a line for each request.
"""

import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

port, folder, secret = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
sys.path.insert(0, str(folder))
from verify import is_genuine  # noqa: E402

lock = Lock()
count = 0


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        how = json.loads((folder / "behaviour.json").read_text())
        with lock:
            count += 1
            status = 500 if count <= how.get("first", 0) else how.get("status", 200)
            note = {
                "path": self.path,
                "headers": dict(self.headers),
                "body": body.decode(),
                "genuine": is_genuine(secret, self.headers, body),
                "answered": status,
            }
            with (folder / "heard.jsonl").open("a") as heard:
                heard.write(json.dumps(note) + "\n")
        time.sleep(how.get("delay", 0))
        if how.get("drip"):
            for letter in f"HTTP/1.1 {status} OK\r\n" + "X-Slow: 1\r\n" * 50:
                self.wfile.write(letter.encode())
                self.wfile.flush()
                time.sleep(0.1)
            return
        self.send_response(status)
        if how.get("location"):
            self.send_header("Location", how["location"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
