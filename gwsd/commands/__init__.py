"""Commands of `gwsd`, a module each; `add_parser` registers one and imports nothing heavy."""
