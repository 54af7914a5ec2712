#pragma once
// What both passes of group normalisation share: runs of rows, and what they read for each channel.

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/backend/kernels/group_norm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Samples are walked in runs of rows, whose sums are kept for each channel and added up in double.
inline constexpr extent norm_run = 64;

struct norm_runs {
  group_norm_shape s;

  extent count() const { return ceil_div(s.positions, norm_run); }
  extent rows(extent run) const { return (std::min)(norm_run, s.positions - run * norm_run); }
  extent first(extent b, extent run) const { return (b * s.positions + run * norm_run) * s.channels; }
};

// The sum of `count` numbers, `stride` apart.
template <class T>
double sum_down(const T* from, extent count, extent stride) {
  double sum = 0;
  for (extent i = 0; i < count; ++i) sum += static_cast<double>(from[i * stride]);
  return sum;
}

// body(rows, at, c, lanes) for all packs of channels of several rows at a time: the number of rows is a constant, the
// first one's elements stand at `at`, and the next row's `channels` further. What is read or summed for each channel so
// goes through memory once for several rows. Long rows are better read one by one, as they lie in memory.
template <int together, class T, class Body>
UL_INLINE extent for_rows_together(extent row, extent rows, extent channels, const Body& body) {
  for (; row + together <= rows; row += together)
    for_packs<T>(
        channels, [&](extent c, auto lanes) __attribute__((always_inline)) {
          body(std::integral_constant<int, together>{}, row * channels + c, c, lanes);
        });
  return row;
}
template <class T, class Body>
UL_INLINE void for_rows(extent rows, extent channels, const Body& body) {
  constexpr extent long_row = 256 / sizeof(T);
  const extent row = channels <= long_row ? for_rows_together<4, T>(0, rows, channels, body) : 0;
  for_rows_together<1, T>(row, rows, channels, body);
}

// What the sweeps read for each channel of one sample: the input of the activation is (x - mean) * slope + bias.
template <class T>
struct channel_norm {
  const T *mean, *slope, *bias;
};

// The same for one pack of channels.
template <class T>
struct pack_norm {
  pack<T> mean, slope, bias;

  template <class Lanes>
  UL_INLINE pack_norm(const channel_norm<T>& n, extent c, Lanes lanes)
      : mean(read(n.mean + c, lanes)), slope(read(n.slope + c, lanes)), bias(read(n.bias + c, lanes)) {}
  UL_INLINE pack<T> affine(pack<T> centred) const { return muladd(centred, slope, bias); }
};

// Mean, slope = rstd * gain, and bias, spread over the channels of every sample.
template <class T>
class spread_channels {
 public:
  spread_channels(memory_pool& memory, const group_norm_shape& s)
      : s_(s), data_(memory, checked_mul(3 * s.batch, s.channels, "group_norm")) {}

  void fill(extent b, const T* mean, const T* rstd, const T* weight, const T* bias) const {
    T* const to = data_.data() + 3 * b * s_.channels;
    for (extent g = 0, c = 0; g < s_.groups; ++g) {
      const T m = mean[b * s_.groups + g], r = rstd[b * s_.groups + g];
      for (; c < (g + 1) * s_.width(); ++c) {
        to[c] = m;
        to[s_.channels + c] = weight == nullptr ? r : r * weight[c];
        to[2 * s_.channels + c] = bias == nullptr ? T{0} : bias[c];
      }
    }
  }
  channel_norm<T> at(extent b) const {
    const T* const from = data_.data() + 3 * b * s_.channels;
    return {from, from + s_.channels, from + 2 * s_.channels};
  }

 private:
  group_norm_shape s_;
  scratch<memory_pool, T> data_;
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
