"""Core ML packages (.mlpackage). macOS predicts with them; elsewhere their MIL is interpreted.

MIL is the language of a package's program: a list of operations over named tensors
(https://apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html).
"""
