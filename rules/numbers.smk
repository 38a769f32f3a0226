# Needs: tables/, figures/ and audit/claims.csv.
# Makes: numbers.json, every published value with where it comes from.
