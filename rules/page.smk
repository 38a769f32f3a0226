# Needs: all that was made, and its records.
# Makes: audit/index.html, the page that a reviewer opens.
