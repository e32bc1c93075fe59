"""Clocks and thresholds of purchasing (DOMAIN.md section 4), in days, working days and permille; all with dates.

What holds for a tender is what held on the day of its publication.
"""

from __future__ import annotations

from linkage.core.rulesets import declare

SOURCE = "DOMAIN.md section 4"
declare("procurement.notice_days.open", 20, f"{SOURCE}: notice to bid deadline, calendar days")
declare("procurement.notice_days.consultation", 10, f"{SOURCE}: consultation, calendar days")
declare("procurement.notice_days.framework", 20, f"{SOURCE}: as open tender")
declare("procurement.least_bidders.open", 3, f"{SOURCE}: fewer conforming bidders: the lot fails")
declare("procurement.least_bidders.consultation", 2, f"{SOURCE}: a consultation on public services may go on with 2")
declare("procurement.least_bidders.framework", 3, f"{SOURCE}: as open tender")
declare("procurement.least_price_weight.open", 1000, f"{SOURCE}: weight of the price of services, hundredths")
declare("procurement.least_price_weight.consultation", 1000, f"{SOURCE}: consultation 10-30 %, hundredths")
declare("procurement.least_price_weight.framework", 1000, f"{SOURCE}: as open tender")
declare("procurement.most_price_weight.open", 10_000, f"{SOURCE}: no upper limit")
declare("procurement.most_price_weight.consultation", 3000, f"{SOURCE}: consultation 10-30 %, hundredths")
declare("procurement.most_price_weight.framework", 10_000, f"{SOURCE}: no upper limit")
declare("procurement.clarification_days", 15, f"{SOURCE}: a later clarification that touches bids moves the deadline")
declare("procurement.bid_bond_permille", 20, f"{SOURCE}: at most 2 % of the budget")
declare("procurement.performance_bond_permille", 100, f"{SOURCE}: at most 10 % of the contract")
declare("procurement.report_working_days", 2, f"{SOURCE}: report to the buyer")
declare("procurement.choose_working_days", 5, f"{SOURCE}: the buyer chooses")
declare("procurement.notice_working_days", 2, f"{SOURCE}: result notice")
declare("procurement.notice_period_working_days", 1, "the result notice stands for one working day")
declare("procurement.challenge_working_days", 7, f"{SOURCE}: challenge from the notice's end")
declare("procurement.answer_working_days", 7, f"{SOURCE}: answer to a challenge")
declare("procurement.complaint_working_days", 15, f"{SOURCE}: complaint after the answer")
declare("procurement.decision_working_days", 30, f"{SOURCE}: decision on a complaint")
declare("procurement.contract_days", 30, f"{SOURCE}: contract after the notice, calendar days")
declare("procurement.publish_contract_working_days", 2, f"{SOURCE}: contract published")
declare("procurement.contract_years", 3, f"{SOURCE}: longest contract, years")
declare("procurement.supplement_permille", 100, f"{SOURCE}: supplements together")
declare("procurement.low_mean_permille", 500, f"{SOURCE}: low-price clause 1")
declare("procurement.low_next_permille", 500, f"{SOURCE}: low-price clause 2")
declare("procurement.low_ceiling_permille", 450, f"{SOURCE}: low-price clause 3")
declare("procurement.outlier_permille", 300, "points that lie so far from the panel's mean are flagged")
declare("procurement.panel_least", 5, f"{SOURCE}: panel, odd, at least")
declare("procurement.ocid_prefix", "ocds-000000", "OCDS: the publisher's registered prefix")
