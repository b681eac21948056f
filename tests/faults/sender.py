"""A lower institution's program and the web in small: sends referrals. Run as `python -m tests.faults.sender`."""

import json
import sys
import time

import django

django.setup()

from django.test import Client  # noqa: E402


def main(token: str, *letters: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")
    client.get("/healthz/live")  # warm
    answers, seconds = [], []
    for letter in letters:
        began = time.perf_counter()
        answer = client.post(
            f"/api/v1/referrals/{letter}/send/", {}, content_type="application/json",
            headers={"Idempotency-Key": f"send-{letter}"},
        )  # fmt: skip
        seconds.append(time.perf_counter() - began)
        answers.append((answer.status_code, answer.json().get("status")))
    print(json.dumps({"answers": answers, "slowest": max(seconds)}))  # noqa: T201


main(*sys.argv[1:])
