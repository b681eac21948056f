"""WeChat Pay through the kept client library wechatpayv3 (requirements-gateways.txt): it signs, asks, verifies and
unseals; what is asked and what it means is ours. Loaded only for a merchant whose entry says client = "wechatpayv3".
"""

import json
from collections.abc import Mapping

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.type import RequestType

from . import lines, signing
from .ports import Away, Forged
from .wechat import Merchant, WechatPay


class KeptWechatPay(WechatPay):
    def __init__(self, merchant: Merchant, *, callback: str, back: str):
        """Raises ValueError: the client takes one key of the platform."""
        super().__init__(merchant, callback=callback, back=back)
        [(serial, key)] = merchant.platform.items()
        self.client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=merchant.mchid,
            private_key=signing.as_text(merchant.private_key).strip(),
            cert_serial_no=merchant.serial,
            appid=merchant.appid,
            apiv3_key=merchant.apiv3_key.decode(),
            timeout=lines.SECONDS,
            public_key=signing.as_text(key).strip(),
            public_key_id=serial,
        )
        self.client._core._gate_way = merchant.address

    def _exchange(self, method: str, path: str, said: dict | None) -> tuple[int, bytes]:
        """It raises a bare Exception where a signature is not right."""
        try:
            status, text = self.client._core.request(path, method=RequestType(method), data=said)
        except Exception as error:
            raise Away from error
        return status, text.encode() if isinstance(text, str) else text

    def _opened(self, headers: Mapping[str, str], body: bytes) -> dict:
        try:
            notice = self.client.callback(headers, body)
        except Exception:
            raise Forged from None
        if not notice:
            raise Forged
        return notice if isinstance(notice, dict) else json.loads(notice)
