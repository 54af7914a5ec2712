#pragma once
// The cases of every op in ul::all_ops. An op without a `cases_of` is a compile error.

#include <utility>
#include <vector>

#include "element_cases.hpp"
#include "network_cases.hpp"
#include "shape_cases.hpp"

namespace conformance {

// All of them, on one backend and in one element type.
template <element T, backend B>
std::vector<op_case<B, T>> all_cases(B& device) {
  case_list<B, T> list(device);
  all_ops::for_each([&]<class Op>() { cases_of<Op>::add(list); });
  return std::move(list.cases);
}

}  // namespace conformance
