"""Accounts and the ledger, prices and quotes, bills of jobs, usage records, credit, statements."""

from accounting.models.bill import BillState, JobBill
from accounting.models.credit import (
    AccountChange,
    Alert,
    AlertRule,
    Grant,
    GrantRule,
    GrantState,
    Lot,
    LotCursor,
    LotUse,
    Period,
)
from accounting.models.ledger import (
    Account,
    AccountKind,
    AccountStatus,
    Entry,
    MemberCap,
    OverrunPolicy,
    Phase,
    Transfer,
    TransferKind,
)
from accounting.models.message import MessageState, QuarantinedRecord, UsageMessage
from accounting.models.pricing import Formula, PriceList, Quote, Rate, Unit
from accounting.models.requests import (
    Adjustment,
    AdjustmentState,
    Dispute,
    DisputeState,
    TopUp,
    TopUpNote,
    TopUpState,
)
from accounting.models.source import UsageName, UsageSource
from accounting.models.statement import MonthlyStatement, Seal
from accounting.models.usage import (
    RecordState,
    RecordType,
    UsageBill,
    UsageMonth,
    UsageRecord,
)

__all__ = [
    "Account",
    "AccountChange",
    "AccountKind",
    "AccountStatus",
    "Adjustment",
    "AdjustmentState",
    "Alert",
    "AlertRule",
    "BillState",
    "Dispute",
    "DisputeState",
    "Entry",
    "Formula",
    "Grant",
    "GrantRule",
    "GrantState",
    "JobBill",
    "Lot",
    "LotCursor",
    "LotUse",
    "MemberCap",
    "MessageState",
    "MonthlyStatement",
    "OverrunPolicy",
    "Period",
    "Phase",
    "PriceList",
    "QuarantinedRecord",
    "Quote",
    "Rate",
    "RecordState",
    "RecordType",
    "Seal",
    "TopUp",
    "TopUpNote",
    "TopUpState",
    "Transfer",
    "TransferKind",
    "Unit",
    "UsageBill",
    "UsageMessage",
    "UsageMonth",
    "UsageName",
    "UsageRecord",
    "UsageSource",
]
