#pragma once
// The gradients of attention, again block by block, from the log of the sums of the forward pass. Dao et al.,
// FlashAttention, NeurIPS 2022, algorithm 4. Each head is one thread's, so that every sum has one order.

#include <ul/backend/cpu/attention_forward.hpp>
#include <ul/backend/cpu/fold.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Scores stand with a row for each key here. The gradients of keys and values read them as they lie, that of the
// queries as their transpose.
inline constexpr extent backward_queries = 128, backward_keys = 64;

// The arrays one head needs, cut from one piece of memory.
template <class T>
class backward_head {
 public:
  backward_head(memory_pool& memory, const attention_backward<T>& f, extent b, extent h)
      : f_(f),
        s_(f.shape),
        b_(b),
        h_(h),
        width_(tile_columns<T>),
        panels_(memory, 2 * panel_size<T>(s_.depth, s_.queries) + 2 * panel_size<T>(s_.queries, s_.depth) +
                            panel_size<T>(s_.keys, s_.depth)),
        blocks_(memory, 4 * backward_keys * packed_stride),
        sums_(memory, (s_.queries + 2 * backward_keys) * s_.depth),
        delta_(memory, s_.queries) {
    const extent D = s_.depth;
    queries_across_ = panels_.data();
    dout_across_ = queries_across_ + panel_size<T>(D, s_.queries);
    queries_ = dout_across_ + panel_size<T>(D, s_.queries);
    dout_ = queries_ + panel_size<T>(s_.queries, D);
    keys_ = dout_ + panel_size<T>(s_.queries, D);
    for (extent i = 0; i < s_.queries; i += backward_queries) {
      const extent m = (std::min)(backward_queries, s_.queries - i);
      rows(f.q, transpose::yes).pack_panels(0, D, i, m, queries_across_ + i * D, D * width_);
      rows(f.dout, transpose::yes).pack_panels(0, D, i, m, dout_across_ + i * D, D * width_);
      rows(f.q, transpose::no).pack_panels(i, m, 0, D, queries_ + panel_size<T>(i, D), m * width_);
      rows(f.dout, transpose::no).pack_panels(i, m, 0, D, dout_ + panel_size<T>(i, D), m * width_);
    }
    for (extent j = 0; j < s_.keys; j += backward_keys) {
      const extent n = (std::min)(backward_keys, s_.keys - j);
      rows(f.k, transpose::no).pack_panels(j, n, 0, D, keys_ + panel_size<T>(j, D), n * width_);
    }
    const auto times = [](pack<T> x, pack<T> y) { return x * y; };
    for (extent i = 0; i < s_.queries; ++i)
      delta_.data()[i] = static_cast<T>(sum_row<T>(times, D, row_reader<T>(ul::detail::head(f.out, b, i, h, D), false),
                                                   row_reader<T>(ul::detail::head(f.dout, b, i, h, D), false)));
  }

  void run() {
    const extent D = s_.depth, block = backward_keys * packed_stride;
    const T factor = static_cast<T>(s_.scale);
    T* const dq = sums_.data();
    T *const dk = dq + s_.queries * D, *const dv = dk + backward_keys * D;
    T *const keys = blocks_.data(), *const values = keys + block;
    for (extent j = 0; j < s_.keys; j += backward_keys) {
      const extent n = (std::min)(backward_keys, s_.keys - j);
      rows(f_.k, transpose::no).pack_rows(j, n, 0, D, keys, packed_stride);
      rows(f_.v, transpose::no).pack_rows(j, n, 0, D, values, packed_stride);
      for (extent i = 0; i < s_.queries; i += backward_queries)
        meet(i, (std::min)(backward_queries, s_.queries - i), j, n, dq + i * D, dk, dv);
      write_rows(f_.dk, j, n, dk, factor);
      write_rows(f_.dv, j, n, dv, T{1});
    }
    write_rows(f_.dq, 0, s_.queries, dq, factor);
  }

 private:
  matrix<T> rows(const head_rows<const T>& x, transpose layout) const {
    return head_matrix(x, b_, h_, s_.depth, layout);
  }

  // Queries [i, i + m) and keys [j, j + n), whose rows are packed.
  void meet(extent i, extent m, extent j, extent n, T* dq, T* dk, T* dv) {
    const extent D = s_.depth, block = backward_keys * packed_stride, whole = whole_packs<T>(m);
    const T *const keys = blocks_.data(), *const values = keys + block;
    T *const p = blocks_.data() + 2 * block, *const ds = p + block;
    multiply_panels<T, packed_stride>(keys, n, D, queries_across_ + i * D, whole, {p, packed_stride, T{1}, false});
    multiply_panels<T, packed_stride>(values, n, D, dout_across_ + i * D, whole, {ds, packed_stride, T{1}, false});
    const T *const lse = f_.lse + (b_ * s_.heads + h_) * s_.queries + i, *const delta = delta_.data() + i;
    const T factor = static_cast<T>(s_.scale);
    for (extent r = 0; r < n; ++r)
      for_packs<T>(m, [&](extent c, auto lanes) {
        T *const at = p + r * packed_stride + c, *const d = ds + r * packed_stride + c;
        const auto probability = exp(muladd(read(at, lanes), pack<T>(factor), -read(lse + c, lanes)));
        write(probability, at, lanes);
        write(probability * (read(d, lanes) - read(delta + c, lanes)), d, lanes);
      });
    multiply_panels<T, packed_stride>(p, n, m, dout_ + panel_size<T>(i, D), D, {dv, D, T{1}, i > 0});
    multiply_panels<T, packed_stride>(ds, n, m, queries_ + panel_size<T>(i, D), D, {dk, D, T{1}, i > 0});
    multiply_panels<T, packed_stride, transpose::yes>(ds, m, n, keys_ + panel_size<T>(j, D), D, {dq, D, T{1}, j > 0});
  }

  void write_rows(const head_rows<T>& to, extent first, extent n, T* from, T factor) const {
    for (extent r = 0; r < n; ++r, from += s_.depth) {
      if (factor != 1)
        for_packs<T>(s_.depth,
                     [&](extent d, auto lanes) { write(read(from + d, lanes) * pack<T>(factor), from + d, lanes); });
      widen(from, ul::detail::head(to, b_, first + r, h_, s_.depth), s_.depth);
    }
  }

  const attention_backward<T>& f_;
  const attention_shape& s_;
  extent b_, h_, width_;
  scratch<memory_pool, T> panels_, blocks_, sums_, delta_;
  T *queries_across_, *dout_across_, *queries_, *dout_, *keys_;
};

}  // namespace simd

template <class T>
bool can_run(const attention_backward<T>& f) {
  return f.shape.depth <= simd::tile_depth && f.shape.depth > 0 && f.shape.keys > 0 && f.shape.queries > 0;
}

template <class T>
void run_on(executor& threads, memory_pool& memory, const attention_backward<T>& f) {
  const attention_shape& s = f.shape;
  for_each_on(threads, s.batch * s.heads, s.queries * s.keys * s.depth,
              [&](extent i) { simd::backward_head<T>(memory, f, i / s.heads, i % s.heads).run(); });
}

}  // namespace UL_ISA
}  // namespace ul
