#pragma once
// The cases of ops that work element by element, and of sums and means.

#include <cstring>
#include <utility>
#include <vector>

#include "cases_of.hpp"

namespace conformance {

template <class F>
struct cases_of<op::unary<F>> {
  template <class L>
  static void add(L& list) {
    const bool kink = std::strcmp(F::name, "abs") == 0 || std::strcmp(F::name, "relu") == 0;
    const bool positive = std::strcmp(F::name, "log") == 0 || std::strcmp(F::name, "sqrt") == 0;
    const range r = kink ? range::off_zero : positive ? range::positive : range::any;
    for (const extent n : lengths)
      list.add(F::name, {sample(extents{n}, r)}, [](const auto& x) { return apply(op::unary<F>{}, x[0]); });
    list.add(F::name, {sample({2, 3, 1, 5}, r)}, [](const auto& x) { return apply(op::unary<F>{}, x[0]); });
  }
};

template <class Op>
struct broadcast_cases {
  template <class L>
  static void add(L& list, range r, bool linear) {
    const auto f = [](const auto& x) { return apply(Op{}, x[0], x[1]); };
    const std::vector<std::pair<extents, extents>> shapes = {{{17}, {17}},
                                                             {{0}, {0}},
                                                             {{0, 3}, {3}},
                                                             {{3, 0}, {0}},
                                                             {{}, {}},
                                                             {{2, 3, 4, 7}, {2, 3, 4, 7}},
                                                             {{2, 3, 4, 7}, {7}},
                                                             {{2, 3, 4, 7}, {1, 1, 1, 7}},
                                                             {{2, 3, 4, 7}, {2, 1, 1, 7}},
                                                             {{2, 3, 4, 7}, {2, 1, 1, 1}},
                                                             {{2, 3, 4, 7}, {1, 3, 4, 7}},
                                                             {{2, 3, 4, 7}, {3, 4, 7}},
                                                             {{2, 3, 4, 7}, {2, 3, 4, 1}},
                                                             {{2, 3, 4, 7}, {}},
                                                             {{1, 9, 1}, {1, 1, 1}},
                                                             {{3, 1, 5}, {3, 1, 1}},
                                                             {{1, 4}, {4}},
                                                             {{16, 16}, {16, 1}},
                                                             {{5, 15}, {1, 15}}};
    for (const auto& [a, b] : shapes)
      if (linear)
        list.add_linear(Op::name, {sample(a), sample(b, r)}, f);
      else
        list.add(Op::name, {sample(a), sample(b, r)}, f);
  }
};
template <>
struct cases_of<op::add> {
  template <class L>
  static void add(L& list) {
    broadcast_cases<op::add>::add(list, range::any, true);
    list.add("add twice the same", {sample{5}}, [](const auto& x) { return ul::add(x[0], x[0]); });
  }
};
template <>
struct cases_of<op::sub> {
  template <class L>
  static void add(L& list) {
    broadcast_cases<op::sub>::add(list, range::any, true);
  }
};
template <>
struct cases_of<op::mul> {
  template <class L>
  static void add(L& list) {
    broadcast_cases<op::mul>::add(list, range::any, false);
    list.add("mul twice the same", {sample{5}}, [](const auto& x) { return ul::mul(x[0], x[0]); });
  }
};
template <>
struct cases_of<op::div> {
  template <class L>
  static void add(L& list) {
    broadcast_cases<op::div>::add(list, range::positive, false);
  }
};

template <>
struct cases_of<op::affine> {
  template <class L>
  static void add(L& list) {
    for (const extent n : lengths)
      list.add("affine", {sample{n}}, [](const auto& x) { return affine(x[0], {.scale = -1.5, .offset = 0.25}); });
    list.add_linear("affine", {{2, 9}}, [](const auto& x) { return affine(x[0], {.scale = 3}); });
  }
};

template <>
struct cases_of<op::gated_add> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{2, 3, 3, 7}, {3, 1}, {0, 4, 2}, {1, 9, 16}, {2, 0, 3}})
      list.add("gated_add", {s, extents{s[0], s[-1]}, s}, [](const auto& x) { return gated_add(x[0], x[1], x[2]); });
  }
};

template <>
struct cases_of<op::combine> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{3, 2, 5}, {1}, {0, 3}, {4, 17}, {2, 0}}) {
      const auto a = list.constant(extents{s[0]}, 1), b = list.constant(extents{s[0]}, 2);
      list.add_linear("combine", {s, s}, [a, b](const auto& x) { return combine(a, x[0], b, x[1]); });
    }
  }
};

template <>
struct cases_of<op::sum> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{}, {0}, {17}, {2, 3, 4, 5}, {3, 0}})
      list.add_linear("sum", {s}, [](const auto& x) { return sum(x[0]); });
  }
};
template <>
struct cases_of<op::mean> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{}, {1}, {17}, {2, 3, 4, 5}})
      list.add_linear("mean", {s}, [](const auto& x) { return mean(x[0]); });
  }
};
template <>
struct cases_of<op::sum_samples> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{5}, {0, 3}, {3, 0}, {2, 9, 8, 3}, {17, 1}})
      list.add_linear("sum_samples", {s}, [](const auto& x) { return sum_samples(x[0]); });
  }
};
template <>
struct cases_of<op::mean_positions> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{5, 3}, {0, 3, 2}, {2, 9, 8, 3}, {2, 4, 0}, {1, 17, 16}})
      list.add_linear("mean_positions", {s}, [](const auto& x) { return mean_positions(x[0]); });
  }
};

template <>
struct cases_of<op::squared_error> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{3, 2, 5}, {1}, {0, 3}, {4, 17}, {2, 0}}) {
      const auto w = list.constant(extents{s[0]}), none = list.none;
      list.add("squared_error", {s, s}, [w](const auto& x) { return squared_error(x[0], x[1], w); });
      list.add("squared_error", {s, s}, [none](const auto& x) { return squared_error(x[0], x[1], none); });
    }
  }
};

}  // namespace conformance
