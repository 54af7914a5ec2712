#pragma once
// Sinusoidal features of one number for each sample, such as its log-SNR or time. Vaswani et al. 2017, section 3.5.

#include <cmath>
#include <vector>

#include <ul/core/normal.hpp>
#include <ul/tensor/create.hpp>

namespace ul::nn {

enum class sinusoid_order { cosine_sine, sine_cosine };

// geometric: w_i = longest^(-i / (f - shift)); normal: w_i = 2 pi n_i with n_i standard normal, drawn once from a fixed
// key (random Fourier features, Tancik et al. 2020).
enum class frequency_law { geometric, normal };

// With f = features / 2: cos(scale x w_0), ..., cos(scale x w_{f-1}), sin(scale x w_0), ..., sin(scale x w_{f-1}).
struct sinusoidal_options {
  extent features = 256;
  double scale = 32;  // log-SNRs in -15..15 so span about 1000 radians, as times in 0..1 do with a scale of 1000
  frequency_law law = frequency_law::geometric;
  double longest = 10000;
  double shift = 0;
  sinusoid_order order = sinusoid_order::cosine_sine;
};

// w_0 .. w_{count-1} = longest^(-i / (count - shift)).
inline std::vector<double> geometric_frequencies(extent count, double longest, double shift = 0) {
  std::vector<double> w;
  for (extent i = 0; i < count; ++i)
    w.push_back(std::exp(-std::log(longest) * static_cast<double>(i) / (static_cast<double>(count) - shift)));
  return w;
}

// w_0 .. w_{count-1} = 2 pi n_i.
inline std::vector<double> normal_frequencies(extent count) {
  std::vector<double> w(static_cast<std::size_t>(count));
  fill_normal(w.data(), count, key(0));
  for (double& x : w) x *= 6.283185307179586;
  return w;
}

namespace detail {
struct cosine_of_product {
  template <class V>
  UL_HD V operator()(V x, V frequency) const {
    return cos(x * frequency);
  }
};
struct sine_of_product {
  template <class V>
  UL_HD V operator()(V x, V frequency) const {
    return sin(x * frequency);
  }
};
}  // namespace detail

// x (B) -> (B, features). Computed in compute_t<T>.
template <backend B, element T>
class sinusoidal {
 public:
  sinusoidal(B& device, const sinusoidal_options& o = {}) : options_(o) {
    if (o.features < 2 || o.features % 2 != 0) fail("sinusoidal: ", o.features, " features, expected an even number");
    std::vector<compute_t<T>> scaled;
    const extent count = o.features / 2;
    for (const double w : o.law == frequency_law::geometric ? geometric_frequencies(count, o.longest, o.shift)
                                                            : normal_frequencies(count))
      scaled.push_back(static_cast<compute_t<T>>(o.scale * w));
    frequencies_ = from_host<compute_t<T>>(device, {count}, scaled);
  }

  tensor<B, T> operator()(const tensor<B, compute_t<T>>& x) const {
    if (!x || x.rank() != 1) fail("sinusoidal: x is ", x.shape(), ", expected (B)");
    B& device = frequencies_.device();
    tensor<B, T> y(device, {x.shape()[0], options_.features});
    if (y.size() == 0) return y;
    const extent half = options_.features / 2;
    const bool cosine_first = options_.order == sinusoid_order::cosine_sine;
    const auto columns = [&](extent first) { return operand<T>{y.data() + first, options_.features, 0, 1}; };
    const space s{x.shape()[0], 1, half};
    const auto numbers = per_sample<const compute_t<T>>(x.data());
    const auto frequencies = per_channel<const compute_t<T>>(frequencies_.data());
    device.map(s, detail::cosine_of_product{}, columns(cosine_first ? 0 : half), numbers, frequencies);
    device.map(s, detail::sine_of_product{}, columns(cosine_first ? half : 0), numbers, frequencies);
    return y;
  }

 private:
  sinusoidal_options options_;
  tensor<B, compute_t<T>> frequencies_;
};

}  // namespace ul::nn
