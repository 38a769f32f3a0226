# Needs: all that was made, and its records.
# Makes: ro-crate-metadata.json, a Workflow Run RO-Crate.
