"""A booking by somebody who knows nothing of this hospital but its OpenAPI document. Standard library only.

    TOKEN=… python clients/book_by_document.py http://127.0.0.1:8000/api/v1/schema/ --department 心血管

Finds a free slice, holds it, confirms, moves the booking to the next free slice, cancels it again; prints each step as
one JSON object a line. Addresses, methods, parameters and shapes are read from the document; an answer that it does not
describe ends the run. `--keep` leaves the booking standing.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import date, timedelta

TRIES = 5  # of one act that hears "busy" or "too many"
GONE = {"sold_out", "already_booked", "time_conflict", "past"}  # this slice is not to be had: try the next
WEEKS = 4  # how far ahead to look


class Refused(Exception):
    """A documented no. `code` is what programs branch on."""

    def __init__(self, status: int, body: dict):
        super().__init__(f"{status} {body.get('code')}: {body.get('message')} {body.get('next')}")
        self.status, self.code = status, body.get("code")


class Undocumented(Exception):
    pass


class Api:
    """Calls operations by their operationId, as the document describes them."""

    def __init__(self, address: str, token: str):
        self.token = token
        with urllib.request.urlopen(address, timeout=30) as answer:
            self.document = json.load(answer)
        servers = self.document.get("servers") or [{"url": "/"}]
        self.base = urllib.parse.urljoin(address, servers[0]["url"])
        self.operations = {
            operation["operationId"]: (method.upper(), path, item.get("parameters", []), operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def call(self, name: str, *, body=None, key: str | None = None, **values):
        """The decoded answer. `values` by parameter name; path and query are told apart by the document."""
        method, path, shared, operation = self.operations[name]
        address, headers = self._address(path, [*shared, *operation.get("parameters", [])], values)
        if key:
            headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            self._check(body, operation["requestBody"]["content"]["application/json"]["schema"], where=name)
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(address, data=data, method=method, headers=headers)
        return self._answer(request, operation)

    def _address(self, path: str, parameters: list, values: dict) -> tuple[str, dict]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        query = {}
        places = [each["name"] for each in parameters if each["in"] == "path"]
        if len(places) == 1 and "id" in values:
            path = path.replace("{" + places[0] + "}", str(values.pop("id")))
        known = {each["name"] for each in parameters if each["in"] == "query"}
        for name, value in values.items():
            if name not in known:
                raise Undocumented(f"{path} takes no {name}")
            query[name] = value
        return urllib.parse.urljoin(self.base, path) + (f"?{urllib.parse.urlencode(query)}" if query else ""), headers

    def _answer(self, request, operation):
        for attempt in range(TRIES):
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return self._read(answer.status, answer, operation)
            except urllib.error.HTTPError as problem:
                refused = self._read(problem.code, problem, operation)
                again = problem.headers.get("Retry-After")
                if again is None or attempt == TRIES - 1:
                    raise Refused(problem.code, refused) from None
                time.sleep(int(again))
        raise AssertionError

    def _read(self, status: int, answer, operation):
        described = operation["responses"].get(str(status))
        kind = answer.headers.get_content_type()
        if described is None or kind not in described.get("content", {}):
            raise Undocumented(f"{operation['operationId']}: {status} {kind}")
        body = json.load(answer)
        self._check(body, described["content"][kind]["schema"], where=f"{operation['operationId']} {status}")
        return body

    def _check(self, value, schema: dict, *, where: str) -> None:
        """The part of JSON Schema that this document uses for objects and lists."""
        while "$ref" in schema:
            schema = self._resolve(schema["$ref"])
        missing = [name for name in schema.get("required", []) if isinstance(value, dict) and name not in value]
        if missing:
            raise Undocumented(f"{where}: {', '.join(missing)} missing")
        if isinstance(value, dict):
            for name, inner in schema.get("properties", {}).items():
                if name in value:
                    self._check(value[name], inner, where=f"{where}.{name}")
        if isinstance(value, list):
            for each in value:
                self._check(each, schema.get("items", {}), where=where)

    def _resolve(self, reference: str) -> dict:
        place = self.document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        return place

    def rows(self, name: str, **values):
        """All rows of a list, page by page along `next`."""
        page = self.call(name, **values)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            _method, _path, _shared, operation = self.operations[name]
            headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
            page = self._answer(urllib.request.Request(page["next"], headers=headers), operation)


def free_slices(api: Api, department: dict):
    """(schedule, slice) with something left, the soonest first. What day it is, the hospital says."""
    days = {}
    for _week in range(WEEKS):
        found = api.call("getAvailability", id=department["id"], **days)
        for offer in found["schedules"]:
            if offer["left"]:
                for part in api.call("getSlices", id=offer["schedule"])["slices"]:
                    if part["left"]:
                        yield offer["schedule"], part
        days = {"from": (date.fromisoformat(found["to"]) + timedelta(days=1)).isoformat()}


def tell(step: str, **what) -> None:
    print(json.dumps({"step": step, **what}, ensure_ascii=False), flush=True)


def book(api: Api, slices, patient: int) -> dict:
    """Slice after slice until one is held: another may be quicker."""
    for schedule, part in slices:
        key = str(uuid.uuid4())
        try:
            held = api.call("bookAppointment", id=schedule, key=key, body={"patient": patient, "start": part["start"]})
        except Refused as refusal:
            if refusal.code not in GONE:
                raise
            tell("refused", code=refusal.code)
            continue
        again = api.call("bookAppointment", id=schedule, key=key, body={"patient": patient, "start": part["start"]})
        if again["appointment"] != held["appointment"]:
            raise Undocumented("the same key gave another booking")
        return held
    raise SystemExit("no free slice")


def move(api: Api, slices, appointment: int) -> dict:
    """To the next slice that is still free; on a refusal the booking stays where it is."""
    for schedule, part in slices:
        body = {"schedule": schedule, "start": part["start"]}
        try:
            return api.call("rescheduleAppointment", id=appointment, key=str(uuid.uuid4()), body=body)
        except Refused as refusal:
            if refusal.code not in GONE:
                raise
            tell("refused", code=refusal.code)
    raise SystemExit("no other free slice")


def run(api: Api, *, department: str, keep: bool) -> None:
    found = next(api.rows("listDepartments", q=department), None)
    if found is None:
        raise SystemExit(f"no department like {department}")
    patient = next(api.rows("listPatients"))
    tell("found", department=found["name"], patient=patient["id"])
    slices = free_slices(api, found)
    held = book(api, slices, patient["id"])
    tell("held", **held)
    act = held["appointment"]
    tell("confirmed", status=api.call("confirmAppointment", id=act, key=str(uuid.uuid4()))["status"])
    moved = move(api, slices, act)
    tell("moved", schedule=moved["schedule"]["id"], start=moved["start"], status=moved["status"])
    if not keep:
        cancelled = api.call("cancelAppointment", id=act, key=str(uuid.uuid4()), body={"reason": "trial"})
        tell("cancelled", status=cancelled["status"])
    tell("listed", statuses=[row["status"] for row in api.rows("listAppointments", patient=patient["id"], page_size=1)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", help="address of the OpenAPI document")
    parser.add_argument("--department", default="", help="Chinese name, pinyin or initials")
    parser.add_argument("--keep", action="store_true", help="leave the booking standing")
    asked = parser.parse_args()
    try:
        run(Api(asked.document, os.environ["TOKEN"]), department=asked.department, keep=asked.keep)
    except (Refused, Undocumented) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
