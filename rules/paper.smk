# Needs: numbers.json, tables/, figures/ and paper/.
# Makes: paper.pdf and numbers.tex.
