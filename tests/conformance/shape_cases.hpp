#pragma once
// The cases of ops that move elements or change a shape.

#include "cases_of.hpp"

namespace conformance {

template <>
struct cases_of<op::reshape> {
  template <class L>
  static void add(L& list) {
    list.add_linear("reshape", {{2, 3, 4}}, [](const auto& v) { return reshape(v[0], {6, 1, 4}); });
    list.add_linear("reshape", {{2, 0}}, [](const auto& v) { return reshape(v[0], {0, 5}); });
    list.add_linear("reshape", {sample{1}}, [](const auto& v) { return reshape(v[0], {}); });
  }
};
template <>
struct cases_of<op::permute> {
  template <class L>
  static void add(L& list) {
    list.add_linear("permute", {{2, 3, 4, 5}}, [](const auto& v) { return permute(v[0], {0, 3, 1, 2}); });
    list.add_linear("permute", {{2, 3, 1, 4, 2}}, [](const auto& v) { return permute(v[0], {4, 2, 0, 3, 1}); });
    list.add_linear("permute", {{9, 17}}, [](const auto& v) { return permute(v[0], {1, 0}); });
    list.add_linear("permute", {{3, 0, 2}}, [](const auto& v) { return permute(v[0], {2, 1, 0}); });
    list.add_linear("permute", {sample(extents{})}, [](const auto& v) { return permute(v[0], {}); });
  }
};
template <>
struct cases_of<op::slice> {
  template <class L>
  static void add(L& list) {
    list.add_linear("slice", {{2, 7, 5}}, [](const auto& v) { return slice(v[0], 1, 2, 3); });
    list.add_linear("slice", {{2, 3, 17}}, [](const auto& v) { return slice(v[0], -1, 1, 9); });
    list.add_linear("slice", {{6, 4}}, [](const auto& v) { return slice(v[0], 0, 5, 1); });
    list.add_linear("slice", {{6, 4}}, [](const auto& v) { return slice(v[0], -1, 4, 0); });
    list.add_linear("split", {{3, 12}}, [](const auto& v) {
      const auto part = split(v[0], -1, 3);
      return ul::add(part[2], ul::sub(part[0], part[1]));
    });
  }
};
template <>
struct cases_of<op::concat> {
  template <class L>
  static void add(L& list) {
    const auto three = [](extent axis) { return [axis](const auto& v) { return concat(axis, v[0], v[1], v[2]); }; };
    list.add_linear("concat", {{2, 3, 5}, {2, 3, 8}, {2, 3, 1}}, three(-1));
    list.add_linear("concat", {{2, 3, 5}, {2, 0, 5}, {2, 9, 5}}, three(1));
    list.add_linear("concat", {{2, 5}, {1, 5}, {0, 5}}, three(0));
    list.add_linear("concat", {{4, 3}}, [](const auto& v) { return concat(1, v[0], v[0]); });
  }
};
template <>
struct cases_of<op::expand> {
  template <class L>
  static void add(L& list) {
    const auto to = [](const extents& e) { return [e](const auto& v) { return expand(v[0], e); }; };
    list.add_linear("expand", {{7}}, to({2, 3, 7}));
    list.add_linear("expand", {{3, 1, 7}}, to({3, 4, 7}));
    list.add_linear("expand", {{3, 1}}, to({3, 9}));
    list.add_linear("expand", {sample(extents{})}, to({4, 4}));
    list.add_linear("expand", {{2, 3}}, to({2, 3}));
  }
};

template <>
struct cases_of<op::pad> {
  template <class L>
  static void add(L& list) {
    list.add_linear("pad", {{2, 3, 4, 5}}, [](const auto& v) { return pad(v[0], {.low = {1, 0}, .high = {2, 3}}); });
    list.add_linear("pad", {{2, 3, 1}}, [](const auto& v) { return pad(v[0], {.low = 2, .high = 1}); });
    list.add_linear("pad", {{1, 2, 1, 3, 2}}, [](const auto& v) { return pad(v[0], {.low = {1, 0, 2}}); });
    list.add_linear("pad", {{1, 0, 2}}, [](const auto& v) { return pad(v[0], {.low = 1, .high = 1}); });
  }
};
template <>
struct cases_of<op::crop> {
  template <class L>
  static void add(L& list) {
    list.add_linear("crop", {{2, 5, 6, 3}}, [](const auto& v) { return crop(v[0], {.low = {1, 0}, .high = {2, 3}}); });
    list.add_linear("crop", {{2, 5, 1}}, [](const auto& v) { return crop(v[0], {.low = 2, .high = 3}); });
    list.add_linear("crop", {{1, 3, 2, 3, 2}}, [](const auto& v) { return crop(v[0], {.high = {1, 0, 2}}); });
  }
};

template <>
struct cases_of<op::resize> {
  template <class L>
  static void add(L& list) {
    for (const interpolation kind :
         {interpolation::nearest, interpolation::bilinear, interpolation::bilinear_corners}) {
      const auto to = [kind](const extents& g) { return [kind, g](const auto& v) { return resize(v[0], g, kind); }; };
      list.add_linear("resize", {{2, 3, 4, 3}}, to({6, 8}));
      list.add_linear("resize", {{1, 9, 7, 2}}, to({4, 2}));
      list.add_linear("resize", {{1, 1, 5, 1}}, to({3, 1}));
      list.add_linear("resize", {{2, 7, 2}}, to(extents{9}));
      list.add_linear("resize", {{1, 2, 3, 2, 1}}, to({3, 2, 4}));
      list.add_linear("resize", {{0, 2, 2, 2}}, to({4, 4}));
    }
  }
};
template <>
struct cases_of<op::avg_pool> {
  template <class L>
  static void add(L& list) {
    list.add_linear("avg_pool", {{2, 4, 6, 3}}, [](const auto& v) { return avg_pool(v[0], 2); });
    list.add_linear("avg_pool", {{1, 9, 1}}, [](const auto& v) { return avg_pool(v[0], 3); });
    list.add_linear("avg_pool", {{1, 2, 3, 4, 2}}, [](const auto& v) { return avg_pool(v[0], {2, 1, 4}); });
    list.add_linear("avg_pool", {{0, 2, 2, 2}}, [](const auto& v) { return avg_pool(v[0], 2); });
  }
};
template <>
struct cases_of<op::patchify> {
  template <class L>
  static void add(L& list) {
    list.add_linear("patchify", {{2, 4, 6, 3}}, [](const auto& v) { return patchify(v[0], 2); });
    list.add_linear("patchify", {{1, 9, 1}}, [](const auto& v) { return patchify(v[0], 3); });
    list.add_linear("patchify", {{2, 2, 3, 4, 2}}, [](const auto& v) { return patchify(v[0], {2, 1, 4}); });
    list.add_linear("patchify", {{0, 2, 2, 2}}, [](const auto& v) { return patchify(v[0], 1); });
  }
};
template <>
struct cases_of<op::unpatchify> {
  template <class L>
  static void add(L& list) {
    list.add_linear("unpatchify", {{2, 2, 3, 12}}, [](const auto& v) { return unpatchify(v[0], 2); });
    list.add_linear("unpatchify", {{1, 3, 3}}, [](const auto& v) { return unpatchify(v[0], 3); });
    list.add_linear("unpatchify", {{2, 1, 3, 1, 16}}, [](const auto& v) { return unpatchify(v[0], {2, 1, 4}); });
    list.add_linear("unpatchify", {{1, 0, 3, 4}}, [](const auto& v) { return unpatchify(v[0], 2); });
  }
};

}  // namespace conformance
