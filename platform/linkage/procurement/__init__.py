"""Purchased services."""
