#pragma once
// What both passes of group normalisation share: runs of rows, and what they read for each channel.

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/pool.hpp>
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

// What the sweeps read for each channel of one sample: the input of the activation is (x - mean) * slope + bias.
template <class T>
struct channel_norm {
  const T *mean, *slope, *bias;

  template <class Lanes>
  UL_INLINE pack<T> centred(const T* x, extent c, Lanes lanes) const {
    return read(x + c, lanes) - read(mean + c, lanes);
  }
  template <class Lanes>
  UL_INLINE pack<T> affine(pack<T> centred, extent c, Lanes lanes) const {
    return muladd(centred, read(slope + c, lanes), read(bias + c, lanes));
  }
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
