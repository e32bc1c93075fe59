"""Sealed bids (密封投标): sealed in the bidder's browser, opened by any two of three officers in theirs.

`browser/` is what runs there (bundled by scripts/vendor_assets.py). Here: `manifest` (what a bidder sends),
`chain` (receipts, closing list), `parts` (what officers release, and what two of them give together), `payload` (what
was inside). `verify_bids` is one file that recomputes all of it anywhere; it shares no code with the others.
"""
