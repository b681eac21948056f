from .insurance import InsuranceItem, InsuranceRule, InsuranceSettlement, InsuranceStep
from .invoice import ChargeItem, Invoice
from .ledger import LedgerAccount, LedgerEntry, LedgerLine
from .office import BillRow, Difference, Dunning, MoneyCase, Receipt, Reconciliation, UnownedReturn
from .payment import BY_HAND, GatewayMessage, Means, Payment, Refund, Way
from .rules import CreditAgreement, PaymentRule
from .shift import CashierShift

__all__ = [
    "BY_HAND",
    "BillRow",
    "CashierShift",
    "ChargeItem",
    "CreditAgreement",
    "Difference",
    "Dunning",
    "GatewayMessage",
    "InsuranceItem",
    "InsuranceRule",
    "InsuranceSettlement",
    "InsuranceStep",
    "Invoice",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerLine",
    "Means",
    "MoneyCase",
    "Payment",
    "PaymentRule",
    "Receipt",
    "Reconciliation",
    "Refund",
    "UnownedReturn",
    "Way",
]
