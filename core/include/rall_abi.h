/* What every generated file has in common: how its function is exported, and the mathematics it may use. */
#ifndef RALL_ABI_H
#define RALL_ABI_H

#if defined(__cplusplus)
#define RALL_C extern "C"
#define restrict __restrict
#else
#define RALL_C
#endif

#if defined(_WIN32)
#define RALL_EXPORT RALL_C __declspec(dllexport)
#elif defined(__GNUC__) || defined(__clang__)
#define RALL_EXPORT RALL_C __attribute__((visibility("default")))
#else
#define RALL_EXPORT RALL_C
#endif

#include "rall_math.h"

#endif
