"""Makes the model folders of the ONNX Runtime GenAI engine, and says what the conversion cost.

`python -m skerry.export.genai --source MODEL --out DIR` is the whole recipe. Needs the extras
`export` and `genai`; what it writes needs only onnxruntime-genai and tokenizers.
"""
