"""Home health care routing and scheduling (HHCRSP): who visits whom, when, by which route.

A pure library: frozen data in (`Instance`), frozen result out (`Plan`), one front door (`solve`).
It knows nothing of the platform around it, of Flask or of a database.
"""
