"""The compiled heart of the search (numba): schedules of routes, what an insertion costs, do and undo.

Everything is exact for whole minutes: float64 holds whole numbers, and all sums stay far below 2^53.
"""
