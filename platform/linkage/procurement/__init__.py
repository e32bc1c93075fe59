"""Purchased services (政府购买服务): plan, tender, bids, evaluation, award, challenge, contract, acceptance."""
