/* What every generated file has in common: how its function is exported, and the mathematics it may use. */
#ifndef RALL_ABI_H
#define RALL_ABI_H

#if defined(_WIN32)
#define RALL_EXPORT __declspec(dllexport)
#elif defined(__GNUC__) || defined(__clang__)
#define RALL_EXPORT __attribute__((visibility("default")))
#else
#define RALL_EXPORT
#endif

#include "rall_math.h"

#endif
