"""ONNX: encoders on ONNX Runtime, language models on ONNX Runtime GenAI."""
