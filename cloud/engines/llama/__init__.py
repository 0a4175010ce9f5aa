"""llama.cpp in process: the engine that the cloud tier has by itself."""
