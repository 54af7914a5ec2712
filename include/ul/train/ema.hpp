#pragma once
// A running average of the weights, which samples better than the weights themselves:
//   average += (1 - decay) (weights - average)
// with a decay that a profile gives for each update. It starts as a copy of the weights.

#include <cmath>
#include <functional>

#include <ul/train/assign.hpp>
#include <ul/train/power_average.hpp>
#include <ul/train/state.hpp>

namespace ul {

// Profiles: the decay of update number 1, 2, ...
struct constant_average {
  double decay = 0.999;
  double operator()(extent) const { return decay; }
};

// Rises from 0 towards `decay` as 1 - (1 + (n - 1) / inverse_gamma)^-power, so that early weights are soon forgotten.
// With power 2/3 it passes 0.999 after some 31,000 updates, with 1 after some 1,000.
struct warm_up_average {
  double decay = 0.999, inverse_gamma = 1, power = 2. / 3;
  double operator()(extent update) const {
    return (std::min)(decay, 1 - std::pow(1 + static_cast<double>(update - 1) / inverse_gamma, -power));
  }
};

// Spans the fraction `sigma_rel` of the training so far; snapshots of two of them (0.05 and 0.10) give any other one
// afterwards, by `reconstruct`. Karras et al. 2024, section 3.
class power_average {
 public:
  explicit power_average(double sigma_rel = 0.10) : exponent_(power_exponent(sigma_rel)) {}

  double exponent() const { return exponent_; }
  double operator()(extent update) const { return power_decay(exponent_, static_cast<double>(update)); }

 private:
  double exponent_;
};

template <backend B, element T>
class ema {
 public:
  using profile = std::function<double(extent)>;
  using master = master_t<T>;

  // Throws ul::error when the parameters are not allocated.
  ema(const parameters<B, T>& p, profile decay_of) : average_(clone(p.master())), decay_of_(std::move(decay_of)) {}

  const tensor<B, master>& average() const { return average_; }  // (flat_size)
  extent updates() const { return updates_; }

  // Counts one update and returns its decay; whoever calls this updates the average, as the optimiser does in its pass.
  // Throws ul::error when the profile gives no number in [0, 1].
  double begin_update() {
    const double decay = decay_of_(updates_ + 1);
    if (!(decay >= 0 && decay <= 1)) fail("ema: decay is ", decay, ", expected in [0, 1]");
    ++updates_;
    return decay;
  }

  // One update by itself, for a second average beside the one the optimiser takes along.
  void update(const parameters<B, T>& p) {
    if (p.flat_size() != average_.size()) fail("ema: ", p.flat_size(), " values, the average has ", average_.size());
    const space s = detail::flat(average_);
    const towards f{1 - begin_update()};
    detail::map_into(p.device(), s, f, dense(average_.data(), s), store_mode::replace, detail::input(average_, s),
                     detail::input(p.master(), s));
  }

  // For checkpoints: the buffer to write and, after it is read back, the number of updates it has seen.
  flat_states<B, master, 1> state() const { return {{{"ema/average", average_}}}; }
  void resume(extent updates) { updates_ = detail::valid_count("ema", updates); }

 private:
  struct towards {
    double step;
    template <class V>
    UL_HD V operator()(V average, V value) const {
      return average + constant<V>(step) * (value - average);
    }
  };

  tensor<B, master> average_;
  profile decay_of_;
  extent updates_ = 0;
};

// Puts averaged weights into a model as long as it lives, and then the model's own again, bit for bit.
template <backend B, element T>
class averaged_weights {
 public:
  averaged_weights(parameters<B, T>& p, const ema<B, T>& e) : parameters_(p), own_(clone(p.master())) {
    assign(parameters_, e.average());
  }
  ~averaged_weights() { assign(parameters_, own_); }
  averaged_weights(const averaged_weights&) = delete;
  averaged_weights& operator=(const averaged_weights&) = delete;

 private:
  parameters<B, T> parameters_;
  tensor<B, master_t<T>> own_;
};

namespace detail {
struct multiple {
  double weight;
  template <class V>
  UL_HD V operator()(V x) const {
    return constant<V>(weight) * x;
  }
};
}  // namespace detail

// The weighted sum of kept averages, such as `reconstruct` asks for. All of one size; the result has it too.
// Throws ul::error when the numbers of averages and weights, or sizes, differ.
template <backend B, element T>
tensor<B, T> weighted_sum(const std::vector<tensor<B, T>>& kept, const std::vector<double>& weights) {
  if (kept.empty() || kept.size() != weights.size())
    fail("weighted_sum: ", kept.size(), " averages and ", weights.size(), " weights, expected one weight for each");
  B& device = kept[0].device();
  tensor<B, T> sum = zeros<T>(device, kept[0].shape());
  const space s = detail::flat(sum);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].size() != sum.size())
      fail("weighted_sum: average ", i, " has ", kept[i].size(), " values, expected ", sum.size());
    if (weights[i] != 0)
      detail::map_into(device, s, detail::multiple{weights[i]}, dense(sum.data(), s), store_mode::add,
                       detail::input(kept[i], s));
  }
  return sum;
}

}  // namespace ul
