"""The national interface's words, and the file that says where it is: without a database of ours."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.gateways import insurance, links
from billing.gateways.beside import Unfit
from billing.gateways.ports import Away, Insured, Refuses
from simulators.insurance.rules import KINDS, borne

ME = Insured("id_card", "110101199003070012", "employee", "P1")
GOOD = {"infcode": "0", "output": {"setlinfo": {"setl_id": "A1", "medfee_sumamt": 10, "fund_pay_sumamt": 7,
        "acct_pay": 1.5, "psn_cash_pay": "1.50"}}}  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """What would go over the line, and what comes back."""
    there = {"answers": [], "calls": []}

    def ask(method, url, *, headers, body, seconds):
        there["calls"].append((url, headers, json.loads(body)))
        status, text = there["answers"].pop(0)
        return insurance.lines.Answer(status, None, text if isinstance(text, bytes) else json.dumps(text).encode())

    monkeypatch.setattr(insurance.lines, "ask", ask)
    return there


def port():
    return insurance.NationalInterface(insurance.Link("https://a/fsi/api", "H1", area="110108", paasid="p", token="t"))


def settle():
    return port().settle(message="m1", person=ME, visit="S1", total=Decimal(10), use_account=False)


def test_a_settlement_in_the_interfaces_words(asked):
    asked["answers"] = [(200, GOOD)]
    answer = settle()
    assert (answer.fund, answer.account, answer.cash, answer.numbers) == (
        7,
        Decimal("1.5"),
        Decimal("1.5"),
        {"setl_id": "A1"},
    )
    [(url, headers, said)] = asked["calls"]
    data = said["input"]["data"]
    assert (url, said["infno"], said["msgid"], said["fixmedins_code"]) == ("https://a/fsi/api/2207", "2207", "m1", "H1")
    assert (data["psn_no"], data["mdtrt_id"], data["insutype"], data["acct_used_flag"]) == ("P1", "S1", "310", "0")
    assert (data["medfee_sumamt"], data["mdtrt_cert_type"]) == ("10", "02")
    assert len(headers["x-tif-signature"]) == 64


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (504, {}),
        (200, b"<html>"),
        (200, b""),
        (200, b"[]"),
        (200, {"infcode": "0", "output": {}}),
        (200, {"infcode": "0", "output": {"setlinfo": GOOD["output"]["setlinfo"] | {"acct_pay": "much"}}}),
        (200, json.dumps(GOOD).encode() + json.dumps({"infcode": "0", "output": {"setlinfo": {}}}).encode()),
    ],
)
def test_what_can_not_be_read_is_no_answer(asked, status, text):
    asked["answers"] = [(status, text)]
    with pytest.raises(Away):
        settle()


@pytest.mark.parametrize(("text", "code"), [("[S3001]已结算，张三", "S3001"), ("张三没有参保", "-1")])
def test_a_refusal_is_a_code_and_never_its_text(asked, text, code):
    asked["answers"] = [(200, {"infcode": "-1", "err_msg": text})]
    with pytest.raises(Refuses) as refusal:
        settle()
    assert (refusal.value.code, "张三" in str(refusal.value)) == (code, False)


def test_a_reversed_settlement_does_not_stand(asked):
    rows = [GOOD["output"]["setlinfo"] | {"refd_setl_flag": "1"}]
    asked["answers"] = [(200, {"infcode": "0", "output": {"setlinfo": rows}}), (200, {"infcode": "0", "output": None})]
    assert port().find(message="q", person=ME, visit="S1") is None
    assert port().find(message="q", person=ME, visit="S1") is None


def test_the_moment_is_the_hospitals():
    assert insurance._moment(datetime(2026, 11, 22, 20, 0, tzinfo=UTC)) == "2026-11-23 04:00:00"


def written(tmp_path, **more):
    said = {"house": "*", "url": "https://a/fsi/api", "fixmedins_code": "H1", "token": "t"} | more
    path = tmp_path / "links.toml"
    path.write_text("[[link]]\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items()))
    return path


def test_the_file_of_links_is_read_whole_or_not_at_all(tmp_path):
    assert dict(links.read(written(tmp_path)))["*"].seconds == 6.0
    (tmp_path / "secret").write_text("s3cret\n")
    assert dict(links.read(written(tmp_path, token_file="secret", house="H1")))["H1"].token == "s3cret"
    for wrong in ({"url": "ftp://a"}, {"url": ""}, {"token_file": "nowhere"}, {"seconds": "soon"}):
        with pytest.raises(Unfit) as error:
            links.read(written(tmp_path, **wrong))
        assert "s3cret" not in str(error.value)
    path = tmp_path / "links.toml"
    for text in ("[[link]]\nhouse = 'x'\n", "not a file"):
        path.write_text(text)
        with pytest.raises(Unfit):
            links.read(path)


def test_the_simulators_year_has_a_cap_and_a_deductible():
    line = {"det_item_fee_sumamt": "1000.00", "chrgitm_lv": "01", "selfpay_prop": "0"}
    about = {"paid_this_year": Decimal(19_500), "dedc_this_year": Decimal(0), "balance": Decimal(0)}
    assert borne([line], kind=KINDS["310"], **about).fund == 500
    assert borne([line], kind=KINDS["390"], **about).fund == 0
