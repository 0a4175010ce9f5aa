"""Adapters: trained on examples of chats, and made into what a runtime loads.

`finetune` trains one with PEFT; `lora` writes it as a GGUF adapter, or merges it into its base.
Reading, checking, writing and merging need numpy and gguf alone; only training needs torch.
"""
