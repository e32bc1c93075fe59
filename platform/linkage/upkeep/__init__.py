"""Upkeep (运维): backup and restore, erasure with proof, keys, the checks of the installation's health."""
