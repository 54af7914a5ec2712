#pragma once
// Adam and AdamW over a flat parameter store: one pass for moments, weights, averaged weights and shadow.
// Kingma & Ba 2015, algorithm 1 (epsilon is added to the corrected root); Loshchilov & Hutter 2019 for decoupled decay.

#include <ul/backend/kernels/adam.hpp>
#include <ul/train/ema.hpp>
#include <ul/train/update.hpp>

namespace ul {

// decay: multiplies the weight, which is added to the gradient (coupled, Adam with L2) or taken, times the rate, from
// the weight itself (decoupled, AdamW).
struct adam_options {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0;
  weight_decay kind = weight_decay::decoupled;
};

template <backend B, element T>
class adam {
 public:
  using master = master_t<T>;

  // Moments start at zero. Throws ul::error for a beta outside of [0, 1), eps <= 0, decay < 0, or parameters that are
  // not allocated.
  explicit adam(const parameters<B, T>& p, const adam_options& options = {})
      : parameters_(p),
        options_(valid(options)),
        first_(zeros<master>(p.device(), p.master().shape())),
        second_(zeros<master>(p.device(), p.master().shape())) {}

  const adam_options& options() const { return options_; }
  extent steps() const { return steps_; }

  // Updates all weights from the gradients they hold, and the averaged weights in the same pass.
  // Throws ul::error, and changes nothing, when there is no gradient, the rate is negative or not finite, or the
  // average belongs to parameters of another size.
  void step(const update_options& u) { run(prepared(u)); }
  void step(const update_options& u, ema<B, T>& average) {
    adam_step<T> pass = prepared(u);
    if (average.average().size() != pass.count)
      fail("adam: ", pass.count, " values, the average has ", average.average().size());
    pass.average_decay = average.begin_update();
    pass.average = average.average().data();
    run(pass);
  }

  // For checkpoints: the buffers to write and, after they are read back, the number of steps they have seen.
  flat_states<B, master, 2> state() const { return {{{"adam/first", first_}, {"adam/second", second_}}}; }
  void resume(extent steps) { steps_ = detail::valid_count("adam", steps); }

 private:
  static const adam_options& valid(const adam_options& o) {
    const auto is_beta = [](double b) { return b >= 0 && b < 1; };
    if (!is_beta(o.beta1) || !is_beta(o.beta2))
      fail("adam: beta1 is ", o.beta1, ", beta2 is ", o.beta2, ", expected in [0, 1)");
    if (!(o.eps > 0)) fail("adam: eps is ", o.eps, ", expected above 0");
    if (!(o.decay >= 0)) fail("adam: decay is ", o.decay, ", expected at least 0");
    return o;
  }

  adam_step<T> prepared(const update_options& u) const {
    const tensor<B, master>& gradient = detail::usable_gradient("adam", parameters_, u);
    adam_step<T> pass{.count = first_.size()};
    pass.value = parameters_.master().data();
    pass.gradient = gradient.data();
    pass.first = first_.data();
    pass.second = second_.data();
    if constexpr (!std::is_same_v<T, master>) pass.shadow = parameters_.value().data();
    pass.gradient_scale = u.gradient_scale;
    pass.rate = u.rate;
    pass.beta1 = options_.beta1;
    pass.beta2 = options_.beta2;
    pass.eps = options_.eps;
    pass.decay = options_.decay;
    pass.correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_ + 1));
    pass.correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_ + 1));
    pass.kind = options_.kind;
    return pass;
  }

  void run(const adam_step<T>& pass) {
    launch(parameters_.device(), pass);
    ++steps_;
  }

  parameters<B, T> parameters_;
  adam_options options_;
  tensor<B, master> first_, second_;
  extent steps_ = 0;
};

}  // namespace ul
