"""Pages that look over several rooms: today, search, posting a need, a household's line of time, the call desk."""
