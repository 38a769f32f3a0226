"""Where a result comes from: job records, content hashes, import closures.

Nothing here can change a number, so no job depends on it (see `closure`).
"""
