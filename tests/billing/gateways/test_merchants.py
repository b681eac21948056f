"""M2: whose account money goes to is a file beside the installation: per house, exchanged while it is open."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import sleep

import pytest

from billing.errors import NoGateway
from billing.gateways import kept_alipay, kept_wechat, merchants, ports
from billing.gateways.alipay import Alipay
from billing.gateways.beside import Unfit
from billing.gateways.fake import keys
from billing.gateways.wechat import WechatPay
from tests.factories import OrganizationFactory
from tests.factories.billing import ScriptedGateway


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return keys.hand_out(keys.of(folder), address="http://127.0.0.1:9", callback="http://house.test")


@pytest.fixture
def file(made, tmp_path, settings):
    for path in made.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings.PAYMENT_MERCHANTS = str(tmp_path / "merchants.toml")
    merchants.file.forget()
    yield tmp_path / "merchants.toml"
    merchants.file.forget()


def change(file: Path, *pairs: tuple[str, str]) -> None:
    text = file.read_text()
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)
    stamp = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(stamp, stamp))
    merchants.file.look_again()


@pytest.mark.django_db
def test_each_house_has_its_own_account_or_the_one_for_everywhere(file):
    house, other = OrganizationFactory(), OrganizationFactory(code="H2")
    assert ports.payments_at(house.pk) == ["alipay", "wechat"]
    change(file, ('house = "*"\ngateway = "wechat"', 'house = "H2"\ngateway = "wechat"'))
    assert (ports.payments_at(house.pk), ports.payments_at(other.pk)) == (["alipay"], ["alipay", "wechat"])
    with pytest.raises(NoGateway):
        ports.payment("wechat", organization=house.pk)
    found = ports.payment("wechat", organization=other.pk)
    assert (type(found), found.callback) == (WechatPay, "http://house.test/callbacks/wechat/H2/")
    assert found.back == "http://house.test/callbacks/back/"
    assert type(ports.payment("alipay", organization=house.pk)) is Alipay

    ports.register("payment", ScriptedGateway("wechat"), organization=house.pk)  # what is registered goes before
    assert type(ports.payment("wechat", organization=house.pk)) is ScriptedGateway
    ports.forget("payment", "wechat", organization=house.pk)


def test_threads_that_ask_while_it_is_read_wait_for_it(file, monkeypatch):
    """The first requests of a web process come all at once: none of them finds a house without gateways."""
    real, asked = merchants.file.read, Barrier(4)

    def slowly(path):
        sleep(0.05)
        return real(path)

    def ask(_thread):
        asked.wait()
        return len(merchants.file._now().entries)

    monkeypatch.setattr(merchants.file, "read", slowly)
    with ThreadPoolExecutor(4) as crowd:
        assert list(crowd.map(ask, range(4))) == [2] * 4


@pytest.mark.django_db
def test_a_file_that_can_not_be_read_leaves_the_last_good_one_and_its_absence_takes_no_money(file):
    house = OrganizationFactory()
    assert ports.payments_at(house.pk) == ["alipay", "wechat"]
    change(file, ('gateway = "alipay"', 'gateway = "paypal"'))
    assert ports.payments_at(house.pk) == ["alipay", "wechat"]
    file.unlink()
    merchants.file.look_again()
    assert ports.payments_at(house.pk) == []


@pytest.mark.django_db
def test_a_merchant_may_name_a_kept_client(file):
    change(
        file,
        ('gateway = "wechat"', 'gateway = "wechat"\nclient = "wechatpayv3"'),
        ('gateway = "alipay"', 'gateway = "alipay"\nclient = "python-alipay-sdk"'),
    )
    found = [ports.payment(code, organization=OrganizationFactory().pk) for code in ("wechat", "alipay")]
    assert [type(one) for one in found] == [kept_wechat.KeptWechatPay, kept_alipay.KeptAlipay]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[[merchant]]", "[[merchant", "not a TOML file"),
        ('gateway = "wechat"', 'gateway = "paypal"', "merchant 1: gateway is one of wechat, alipay"),
        ("mchid = ", "id = ", "merchant 1: mchid is missing"),
        ('"alipay.pem"', '"nowhere.pem"', "merchant 2: nowhere.pem can't be read"),
        ('"alipay.pem"', '"merchants.toml"', "merchant 2: one of its values is not valid"),
        ('"wechat-apiv3.key"', '"alipay.pem"', "merchant 1: apiv3_key is 32 letters"),
        ("http://127.0.0.1:9/gateway.do", "ftp://127.0.0.1", "merchant 2: address must begin with https://"),
        ('gateway = "alipay"', 'gateway = "alipay"\nclient = "wechatpayv3"', "merchant 2: client is wechatpayv3 or"),
    ],
)
def test_what_is_wrong_in_it_is_said_without_its_keys(file, before, after, said):
    change(file, (before, after))
    with pytest.raises(Unfit, match=said):
        merchants.read(file)


def test_the_hospital_shows_itself_with_plain_http_but_takes_money_with_https_only(file, settings):
    settings.DEMO = False
    with pytest.raises(Unfit, match="https"):
        merchants.read(file)
