# Needs: paper/claims.yaml, tables/ and figures/.
# Makes: audit/claims.csv, each claim of the paper with its verdict.
