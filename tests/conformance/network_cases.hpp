#pragma once
// The cases of the ops that networks are made of: products, convolutions, norms, attention, losses.

#include "cases_of.hpp"

namespace conformance {

template <>
struct cases_of<op::linear> {
  template <class L>
  static void add(L& list) {
    for (const activation act : {activation::none, activation::silu, activation::gelu})
      list.add("linear", {{2, 3, 7}, {7, 9}, {9}},
               [act](const auto& x) { return linear(x[0], x[1], x[2], {.act = act}); });
    for (const extents& s : {extents{1, 1, 1}, {17, 15, 8}, {8, 16, 16}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}})
      list.add("linear", {extents{s[0], s[1]}, extents{s[1], s[2]}}, [](const auto& x) { return linear(x[0], x[1]); });
    const auto none = list.none;
    list.add("linear", {{3}, {3, 5}}, [none](const auto& x) { return linear(x[0], x[1], none); });
  }
};

template <>
struct cases_of<op::matmul> {
  template <class L>
  static void add(L& list) {
    for (const transpose ta : {transpose::no, transpose::yes})
      for (const transpose tb : {transpose::no, transpose::yes})
        for (const extents& s : {extents{1, 3, 7, 5}, {2, 9, 8, 1}, {3, 1, 1, 17}, {0, 2, 2, 2}, {2, 3, 0, 4}}) {
          const extent b = s[0], m = s[1], k = s[2], n = s[3];
          const extents x = ta == transpose::no ? extents{b, m, k} : extents{b, k, m};
          const extents y = tb == transpose::no ? extents{b, k, n} : extents{b, n, k};
          list.add("matmul", {x, y},
                   [=](const auto& v) { return matmul(v[0], v[1], {.transpose_a = ta, .transpose_b = tb}); });
        }
    list.add("matmul", {{5, 4}, {4, 3}}, [](const auto& v) { return matmul(v[0], v[1]); });
  }
};

template <>
struct cases_of<op::conv> {
  template <class L>
  static void add(L& list) {
    const auto f = [](const op::conv& c) { return [c](const auto& v) { return conv(v[0], v[1], v[2], c); }; };
    for (extent h = 1; h <= 9; h += 2) list.add("conv 3x3", {{2, h, 10 - h, 3}, {3, 3, 3, 5}, {5}}, f({}));
    list.add("conv 3x3, stride 2", {{1, 9, 8, 2}, {3, 3, 2, 3}, {3}}, f({.stride = 2}));
    list.add("conv 1x1", {{2, 3, 3, 8}, {1, 1, 8, 17}, {17}}, f({}));
    list.add("conv 4x2, stride 3, 1", {{1, 7, 5, 1}, {4, 2, 1, 2}, {2}}, f({.stride = {3, 1}, .pad = {1, 0}}));
    list.add("conv 3x3, padded after", {{1, 4, 4, 2}, {3, 3, 2, 2}, {2}}, f({.stride = 2, .pad = 0, .pad_high = 1}));
    list.add("conv, kernel beyond x", {{1, 1, 2, 2}, {5, 5, 2, 1}, {1}}, f({}));
    list.add("conv over a line", {{2, 9, 3}, {3, 3, 4}, {4}}, f({}));
    list.add("conv over a volume", {{1, 3, 2, 4, 2}, {2, 3, 1, 2, 3}, {3}}, f({.stride = {1, 2, 1}, .pad = {1, 1, 0}}));
    list.add("conv of nothing", {{0, 4, 4, 2}, {3, 3, 2, 2}, {2}}, f({}));
    const auto w = list.constant({3, 3, 4, 5});
    list.add_linear("conv in x", {{2, 5, 6, 4}}, [w](const auto& v) { return conv(v[0], w); });
    const auto x = list.constant({2, 5, 6, 4}), none = list.none;
    list.add_linear("conv in the weight", {{3, 3, 4, 5}},
                    [x, none](const auto& v) { return conv(var(x), v[0], none, {.stride = 2}); });
  }
};

template <>
struct cases_of<op::conv_transpose> {
  template <class L>
  static void add(L& list) {
    const auto f = [](const op::conv_transpose& c) {
      return [c](const auto& v) { return conv_transpose(v[0], v[1], v[2], c); };
    };
    list.add("conv_transpose", {{2, 3, 4, 3}, {4, 4, 5, 3}, {5}}, f({.stride = 2, .pad = 1}));
    list.add("conv_transpose", {{1, 3, 1, 2}, {3, 3, 1, 2}, {1}}, f({.stride = {2, 1}, .pad = 1, .extra = {1, 0}}));
    list.add("conv_transpose of a line", {{2, 7, 3}, {2, 4, 3}, {4}}, f({.stride = 3}));
    list.add("conv_transpose of a volume", {{1, 2, 1, 3, 2}, {2, 2, 2, 3, 2}, {3}}, f({}));
    list.add("conv_transpose of nothing", {{0, 2, 2, 2}, {2, 2, 3, 2}, {3}}, f({}));
    const auto w = list.constant({4, 4, 5, 4});
    list.add_linear("conv_transpose in x", {{2, 3, 3, 4}},
                    [w](const auto& v) { return conv_transpose(v[0], w, {.stride = 2, .pad = 1}); });
  }
};

template <>
struct cases_of<op::group_norm> {
  template <class L>
  static void add(L& list) {
    for (const activation act : {activation::none, activation::silu, activation::gelu})
      list.add("group_norm", {{2, 3, 5, 6}, {6}, {6}},
               [act](const auto& v) { return group_norm(v[0], v[1], v[2], {.groups = 3, .act = act}); });
    for (const extents& s : {extents{1, 1, 1, 16}, {2, 9, 8}, {0, 3, 4}, {2, 0, 4}, {3, 4}})
      list.add("group_norm", {s, extents{s[-1]}, extents{s[-1]}},
               [](const auto& v) { return group_norm(v[0], v[1], v[2], {.groups = 2, .eps = 1e-3}); });
    const auto none = list.none;
    list.add("group_norm", {{2, 2, 2, 4}},
             [none](const auto& v) { return group_norm(v[0], none, none, {.groups = 1, .act = activation::silu}); });
  }
};

template <>
struct cases_of<op::layer_norm> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{2, 3, 7}, {8}, {2, 2, 2, 17}, {0, 3, 4}, {3, 16}})
      list.add("layer_norm", {s, extents{s[-1]}, extents{s[-1]}},
               [](const auto& v) { return layer_norm(v[0], v[1], v[2], {.eps = 1e-3}); });
    const auto none = list.none;
    list.add("layer_norm", {{4, 9}}, [none](const auto& v) { return layer_norm(v[0], none, none); });
  }
};
template <>
struct cases_of<op::rms_norm> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{2, 3, 7}, {8}, {2, 2, 2, 17}, {0, 3, 4}, {3, 1}})
      list.add("rms_norm", {s, extents{s[-1]}}, [](const auto& v) { return rms_norm(v[0], v[1], {.eps = 1e-3}); });
    const auto none = list.none;
    list.add("rms_norm", {{4, 9}}, [none](const auto& v) { return rms_norm(v[0], none); });
  }
};
template <>
struct cases_of<op::modulated_norm> {
  template <class L>
  static void add(L& list) {
    for (const centring c : {centring::mean, centring::none})
      for (const extents& s : {extents{2, 3, 7}, {3, 8}, {2, 2, 2, 17}, {0, 3, 4}, {2, 0, 4}})
        list.add("modulated_norm", {s, extents{s[0], s[-1]}, extents{s[0], s[-1]}},
                 [c](const auto& v) { return modulated_norm(v[0], v[1], v[2], {.centre = c, .eps = 1e-3}); });
  }
};

template <>
struct cases_of<op::attention> {
  template <class L>
  static void add(L& list) {
    for (const extents& s :
         {extents{2, 5, 3, 2, 4}, {1, 1, 1, 1, 1}, {1, 9, 17, 3, 2}, {0, 3, 2, 1, 2}, {1, 0, 2, 1, 2}}) {
      const extents q{s[0], s[1], s[3] * s[4]}, k{s[0], s[2], s[3] * s[4]};
      const extent heads = s[3];
      list.add("attention", {q, k, k},
               [heads](const auto& v) { return attention(v[0], v[1], v[2], {.heads = heads}); });
    }
    list.add("attention, scaled", {{1, 2, 6}, {1, 3, 6}, {1, 3, 6}},
             [](const auto& v) { return attention(v[0], v[1], v[2], {.heads = 3, .scale = 2}); });
  }
};
template <>
struct cases_of<op::self_attention> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{2, 5, 2, 4}, {1, 1, 1, 1}, {1, 17, 3, 2}, {0, 3, 1, 2}, {2, 0, 1, 2}}) {
      const extent heads = s[2];
      list.add("self_attention", {extents{s[0], s[1], 3 * s[2] * s[3]}},
               [heads](const auto& v) { return self_attention(v[0], {.heads = heads}); });
    }
  }
};

template <>
struct cases_of<op::softmax> {
  template <class L>
  static void add(L& list) {
    for (const extent n : lengths) list.add("softmax", {{3, n}}, [](const auto& v) { return softmax(v[0]); });
  }
};
template <>
struct cases_of<op::log_softmax> {
  template <class L>
  static void add(L& list) {
    for (const extent n : lengths) list.add("log_softmax", {{3, n}}, [](const auto& v) { return log_softmax(v[0]); });
  }
};
template <>
struct cases_of<op::cross_entropy> {
  template <class L>
  static void add(L& list) {
    const auto l = list.ids({2, 2}, {0, 8, 3, 3}), one = list.ids({}, {0}), no = list.ids({0}, {});
    list.add("cross_entropy", {{2, 2, 9}}, [l](const auto& v) { return cross_entropy(v[0], l); });
    list.add("cross_entropy", {sample{1}}, [one](const auto& v) { return cross_entropy(v[0], one); });
    list.add("cross_entropy", {{0, 4}}, [no](const auto& v) { return cross_entropy(v[0], no); });
  }
};
template <>
struct cases_of<op::embedding> {
  template <class L>
  static void add(L& list) {
    const auto ids = list.ids({2, 3}, {4, 0, 4, 1, 4, 4}), one = list.ids({}, {2}), no = list.ids({0}, {});
    for (const extent width : lengths)
      list.add_linear("embedding", {{5, width}}, [ids](const auto& v) { return embedding(v[0], ids); });
    list.add_linear("embedding", {{3, 4}}, [one](const auto& v) { return embedding(v[0], one); });
    list.add_linear("embedding", {{3, 4}}, [no](const auto& v) { return embedding(v[0], no); });
  }
};
template <>
struct cases_of<op::dropout> {
  template <class L>
  static void add(L& list) {
    for (const extent n : lengths)
      list.add_linear("dropout", {{n}}, [](const auto& v) { return dropout(v[0], key(5), 0.4); });
    list.add_linear("dropout", {{3, 3}}, [](const auto& v) { return dropout(v[0], key(5), 0); });
  }
};

template <class Gate>
struct cases_of<op::glu<Gate>> {
  template <class L>
  static void add(L& list) {
    for (const extent n : lengths)
      list.add(Gate::name, {{3, 2 * n}}, [](const auto& v) { return apply(op::glu<Gate>{}, v[0]); });
    list.add(Gate::name, {{2, 0, 3, 4}}, [](const auto& v) { return apply(op::glu<Gate>{}, v[0]); });
    list.add(Gate::name, {sample{6}}, [](const auto& v) { return apply(op::glu<Gate>{}, v[0]); });
  }
};

template <>
struct cases_of<op::rope> {
  template <class L>
  static void add(L& list) {
    for (const extents& s : {extents{2, 5, 2, 4}, {1, 1, 1, 2}, {1, 9, 3, 6}, {0, 3, 1, 2}}) {
      const auto angles = list.constant(extents{s[1], s[3] / 2});
      const extent heads = s[2];
      list.add_linear("rope", {extents{s[0], s[1], s[2] * s[3]}},
                      [angles, heads](const auto& v) { return rope(v[0], angles, {.heads = heads}); });
    }
  }
};

}  // namespace conformance
