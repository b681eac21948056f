"""Alipay through the kept client library python-alipay-sdk (requirements-gateways.txt): it signs, asks and verifies;
what is asked and what it means is ours. Loaded only for a merchant whose entry says client = "python-alipay-sdk".
"""

import http.client

from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from alipay.utils import AliPayConfig

from hospital import clock

from . import lines, signing
from .alipay import Alipay, Merchant, beijing
from .ports import Away

ITS_OWN = (AliPayException, AliPayValidationError)


class KeptAlipay(Alipay):
    def __init__(self, merchant: Merchant, *, callback: str, back: str):
        super().__init__(merchant, callback=callback, back=back)
        self.client = AliPay(
            appid=merchant.app_id,
            app_notify_url=None,
            app_private_key_string=signing.as_text(merchant.private_key),
            alipay_public_key_string=signing.as_text(merchant.platform),
            sign_type="RSA2",
            config=AliPayConfig(timeout=lines.SECONDS),
        )
        self.client._gateway = merchant.address

    def _exchange(self, method: str, said: dict, **more: str) -> dict:
        """The client writes the machine's local time; Alipay wants Beijing's."""
        try:
            return self.client.server_api(method, said, timestamp=beijing(clock.now()), **more)
        except (*ITS_OWN, OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise Away from error

    def _query(self, method: str, said: dict, **more: str) -> str:
        return self.client.client_api(method, said, timestamp=beijing(clock.now()), **more)

    def _is_genuine(self, said: dict[str, str], signature: str) -> bool:
        try:
            return self.client.verify(dict(said), signature)
        except (*ITS_OWN, ValueError):
            return False
