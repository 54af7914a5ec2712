#pragma once
// The gradients of attention, again block by block, from the log of the sums of the forward pass. Dao et al.,
// FlashAttention, NeurIPS 2022, algorithm 4. Each head is one thread's, so that every sum has one order.

#include <ul/backend/cpu/attention_forward.hpp>
#include <ul/backend/cpu/fold.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

inline constexpr extent backward_queries = tile_rows * (72 / tile_rows), backward_keys = 128;

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
        panels_(memory, 2 * panel_size<T>(s_.depth, s_.keys) + panel_size<T>(s_.keys, s_.depth) +
                            2 * panel_size<T>(s_.queries, s_.depth)),
        blocks_(memory, (4 * backward_queries + 2 * backward_keys) * packed_stride),
        sums_(memory, (s_.queries + 2 * backward_keys) * s_.depth),
        delta_(memory, s_.queries) {
    const extent D = s_.depth;
    keys_across_ = panels_.data();
    values_across_ = keys_across_ + panel_size<T>(D, s_.keys);
    keys_ = values_across_ + panel_size<T>(D, s_.keys);
    queries_ = keys_ + panel_size<T>(s_.keys, D);
    dout_ = queries_ + panel_size<T>(s_.queries, D);
    for (extent j = 0; j < s_.keys; j += backward_keys) {
      const extent n = (std::min)(backward_keys, s_.keys - j);
      rows(f.k, transpose::yes).pack_panels(0, D, j, n, keys_across_ + j * D, D * width_);
      rows(f.v, transpose::yes).pack_panels(0, D, j, n, values_across_ + j * D, D * width_);
      rows(f.k, transpose::no).pack_panels(j, n, 0, D, keys_ + panel_size<T>(j, D), n * width_);
    }
    for (extent i = 0; i < s_.queries; i += backward_queries) {
      const extent m = (std::min)(backward_queries, s_.queries - i);
      rows(f.q, transpose::no).pack_panels(i, m, 0, D, queries_ + panel_size<T>(i, D), m * width_);
      rows(f.dout, transpose::no).pack_panels(i, m, 0, D, dout_ + panel_size<T>(i, D), m * width_);
    }
    const auto times = [](pack<T> x, pack<T> y) { return x * y; };
    for (extent i = 0; i < s_.queries; ++i)
      delta_.data()[i] = static_cast<T>(sum_row<T>(times, D, row_reader<T>(ul::detail::head(f.out, b, i, h, D), false),
                                                   row_reader<T>(ul::detail::head(f.dout, b, i, h, D), false)));
  }

  void run() {
    const extent D = s_.depth;
    T* const dq = sums_.data();
    T *const dk = dq + s_.queries * D, *const dv = dk + backward_keys * D;
    for (extent j = 0; j < s_.keys; j += backward_keys) {
      const extent n = (std::min)(backward_keys, s_.keys - j);
      for (extent i = 0; i < s_.queries; i += backward_queries)
        meet(i, (std::min)(backward_queries, s_.queries - i), j, n, dq + i * D, dk, dv);
      write_rows(f_.dk, j, n, dk);
      write_rows(f_.dv, j, n, dv);
    }
    write_rows(f_.dq, 0, s_.queries, dq);
  }

 private:
  matrix<T> rows(const head_rows<const T>& x, transpose layout) const {
    return head_matrix(x, b_, h_, s_.depth, layout);
  }

  // Queries [i, i + m) and keys [j, j + n).
  void meet(extent i, extent m, extent j, extent n, T* dq, T* dk, T* dv) {
    const extent D = s_.depth, block = backward_queries * packed_stride;
    T *const left = blocks_.data(), *const dleft = left + block, *const p = dleft + block, *const ds = p + block;
    T *const p_across = ds + block, *const ds_across = p_across + backward_keys * packed_stride;
    rows(f_.q, transpose::no).pack_rows(i, m, 0, D, left, packed_stride);
    rows(f_.dout, transpose::no).pack_rows(i, m, 0, D, dleft, packed_stride);
    const extent whole = whole_packs<T>(n);
    multiply_block<T, packed_stride>(left, m, D, keys_across_ + j * D, whole, nullptr, 0,
                                     {p, packed_stride, T{1}, false});
    multiply_block<T, packed_stride>(dleft, m, D, values_across_ + j * D, whole, nullptr, 0,
                                     {ds, packed_stride, T{1}, false});
    const T* const lse = f_.lse + (b_ * s_.heads + h_) * s_.queries + i;
    const pack<T> scale(static_cast<T>(s_.scale));
    for (extent r = 0; r < m; ++r) {
      const pack<T> offset(-lse[r]), delta(delta_.data()[i + r]);
      for_packs<T>(whole, [&](extent c, auto lanes) {
        T *const at = p + r * packed_stride + c, *const d = ds + r * packed_stride + c;
        const auto probability = exp(muladd(read(at, lanes), scale, offset));
        write(probability, at, lanes);
        write(probability * (read(d, lanes) - delta) * scale, d, lanes);
      });
    }
    multiply_block<T, packed_stride>(ds, m, n, keys_ + panel_size<T>(j, D), D, nullptr, 0, {dq, D, T{1}, j > 0});
    transpose_block(p, packed_stride, m, n, p_across, packed_stride);
    multiply_block<T, packed_stride>(p_across, n, m, dout_ + panel_size<T>(i, D), D, nullptr, 0, {dv, D, T{1}, i > 0});
    transpose_block(ds, packed_stride, m, n, ds_across, packed_stride);
    multiply_block<T, packed_stride>(ds_across, n, m, queries_ + panel_size<T>(i, D), D, nullptr, 0,
                                     {dk, D, T{1}, i > 0});
  }

  void write_rows(const head_rows<T>& to, extent first, extent n, const T* from) const {
    for (extent r = 0; r < n; ++r)
      widen(from + r * s_.depth, ul::detail::head(to, b_, first + r, h_, s_.depth), s_.depth);
  }

  const attention_backward<T>& f_;
  const attention_shape& s_;
  extent b_, h_, width_;
  scratch<memory_pool, T> panels_, blocks_, sums_, delta_;
  T *keys_across_, *values_across_, *keys_, *queries_, *dout_;
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
