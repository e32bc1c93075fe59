"""Calls (来电): who called about what, linked to earlier calls; calls to return; outcomes told."""
