"""Kinds of files that list one sort of thing each: carers, volunteers, shifts, contract lines."""
