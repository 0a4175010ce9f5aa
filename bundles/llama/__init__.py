"""llama.cpp's C functions, as handles: models, adapters, vocabularies, contexts.

For whoever runs or measures model files: `edge` serves requests with it, `export` compares weights.
It knows no requests, no sampling and no templates. Importing this package is cheap; llama.cpp is
loaded by `native`, `vocab`, `context` and `facts`.
"""
