# CMake reads this after llama-cpp-python's project(): leaves out what Skerry does not use of llama.cpp.
# llama-cpp-python forces the cached variable to ON; a plain variable wins over it (CMP0126).
set(LLAMA_BUILD_COMMON OFF)
