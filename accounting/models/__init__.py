"""Accounts and the ledger, prices and quotes, bills of jobs, usage records."""

from accounting.models.bill import BillState, JobBill
from accounting.models.ledger import (
    Account,
    AccountKind,
    AccountStatus,
    Entry,
    MemberCap,
    Phase,
    Transfer,
    TransferKind,
)
from accounting.models.pricing import PriceList, Quote, Rate, Unit
from accounting.models.usage import MessageState, RecordState, UsageMessage, UsageRecord

__all__ = [
    "Account",
    "AccountKind",
    "AccountStatus",
    "BillState",
    "Entry",
    "JobBill",
    "MemberCap",
    "MessageState",
    "Phase",
    "PriceList",
    "Quote",
    "Rate",
    "RecordState",
    "Transfer",
    "TransferKind",
    "Unit",
    "UsageMessage",
    "UsageRecord",
]
