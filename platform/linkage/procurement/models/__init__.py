"""The tables of procurement, by phase: `tender` until the deadline, `bids`, `evaluation`, `award` and what follows."""

from linkage.procurement.models.award import Award, Challenge, Supplement
from linkage.procurement.models.bids import Bid, BidLot, OpeningOfficer
from linkage.procurement.models.evaluation import (
    EvaluationReport,
    Expert,
    LowPriceReview,
    PanelDraw,
    PanelMember,
    Recusal,
    ScoreSheet,
)
from linkage.procurement.models.opening import BidContent, BidEntry, Closing, PartRelease
from linkage.procurement.models.tender import (
    Clarification,
    Criterion,
    Lot,
    PurchasePlan,
    PurchasePlanLine,
    Question,
    Release,
    Tender,
    TenderDocument,
)

__all__ = [
    "Award",
    "Bid",
    "BidContent",
    "BidEntry",
    "BidLot",
    "Challenge",
    "Clarification",
    "Closing",
    "Criterion",
    "EvaluationReport",
    "Expert",
    "Lot",
    "LowPriceReview",
    "OpeningOfficer",
    "PanelDraw",
    "PanelMember",
    "PartRelease",
    "PurchasePlan",
    "PurchasePlanLine",
    "Question",
    "Recusal",
    "Release",
    "ScoreSheet",
    "Supplement",
    "Tender",
    "TenderDocument",
]
