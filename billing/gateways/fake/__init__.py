"""模拟支付网关: WeChat Pay and Alipay as a process of its own, for the demo and for tests. No money is moved by it.

It signs and verifies with real keys, made when it starts, as the real ones do; a person pays in a page of it. It can be
told to behave badly (script.py). It knows nothing of the hospital but what a gateway knows, and needs no settings:

    python -m billing.gateways.fake serve FOLDER --port 8001 --callback http://127.0.0.1:8000
"""
