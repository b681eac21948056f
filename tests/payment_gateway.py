"""The payment gateway as a process of its own (billing.gateways.fake): the fixture `payment_gateway`."""

import subprocess
import sys
from pathlib import Path

from billing.gateways import merchants
from billing.gateways.fake.control import Control
from hospital.embedded.folders import PROJECT


class PaymentGateway:
    """`gateway("pay", order=…)` and the like: billing/gateways/fake/server.py has the deeds, script.py the manners."""

    def __init__(self, folder: Path, *, callback: str = ""):
        self.folder, self.callback = folder, callback
        self.process: subprocess.Popen | None = None
        self.port = 0

    def start(self) -> "PaymentGateway":
        command = [sys.executable, "-m", "billing.gateways.fake", "serve", str(self.folder), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--callback", self.callback], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address, "the payment gateway does not start"
        self.port = int(self.address.rpartition(":")[2])  # the same when it comes back
        self.control = Control(self.folder)
        return self

    def stop(self) -> None:
        """kill -9: nobody listens any more."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    @property
    def merchants(self) -> str:
        return str(self.folder / "hospital/merchants.toml")

    def __call__(self, deed: str, **said) -> dict:
        return self.control(deed, **said)

    def behave(self, **manners) -> None:
        self("behave", **manners)

    def at(self, now) -> None:
        """Its clock stands at `now`, as the hospital's does in a test."""
        self.behave(clock=now.timestamp())

    def orders(self) -> list[dict]:
        return self("state")["orders"]

    def refunds(self) -> list[dict]:
        return self("state")["refunds"]

    def notices(self) -> list[dict]:
        return self("state")["notices"]

    def calls_back_to(self, address: str) -> None:
        """Where the hospital of this test takes notices; its merchants' file is read anew."""
        self.callback, path = address, self.folder / "hospital/merchants.toml"
        lines = path.read_text().splitlines()
        said = [f'callback = "{address}"' if line.startswith("callback = ") else line for line in lines]
        path.write_text("\n".join(said) + "\n")
        merchants.file.forget()
