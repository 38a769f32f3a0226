"""The article about this reproduction: numbers injected by id, typeset by Typst."""
