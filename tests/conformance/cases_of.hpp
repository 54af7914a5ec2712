#pragma once
// What gives the cases of an op, and the lengths that many of them are tried at.

#include <ul/op/all.hpp>

#include "case.hpp"

namespace conformance {

template <class Op>
struct cases_of;

// Lengths around the widths of vectors.
inline const extent lengths[] = {0, 1, 3, 7, 8, 9, 15, 16, 17};

}  // namespace conformance
