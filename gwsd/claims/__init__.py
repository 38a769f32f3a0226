"""The claims of the paper, and what was found of each.

`paper/claims.yaml` is read and validated by `reading` (its form is in `ledger`); `rules` compares one claim by one
check; `verdicts` joins what the checks found to a verdict; `listing` writes the files. Arithmetic is that of
intervals: a printed 1.64 stands for every number that rounds to it.
"""
