"""Makes GGUF files: from safetensors or another GGUF, in every type that llama.cpp writes.

`exporter.py` is the way in. `convert.py` writes a float GGUF from a Hugging Face folder,
`quantize.py` has llama.cpp quantize it, `imatrix.py` weighs columns by calibration text,
`search.py` finds which tensors need wider types. Everything that this room reads from outside is
checked first: safetensors and GGUF headers by their lengths; a pickle is never loaded.
"""
