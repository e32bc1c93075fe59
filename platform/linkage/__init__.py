"""Linkage (邻联): a platform for three-sector linkage (三社联动)."""
