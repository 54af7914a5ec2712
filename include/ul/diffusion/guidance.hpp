#pragma once
// Guidance as denoisers made of denoisers; they compose with each other and with thresholding. c is the conditional x^,
// u the other one's: of the unconditional network, or for autoguidance of a weaker one. A guided x^ carries over to
// eps^ and v^ unchanged, since all are affine in x^ with coefficients that sum to one.

#include <limits>
#include <utility>

#include <ul/diffusion/sampler.hpp>
#include <ul/diffusion/state_geometry.hpp>

namespace ul {

struct guidance_options {
  double scale = 1;    // 1 is no guidance
  double rescale = 0;  // share of the result brought back to the deviation of c, per sample
  double logsnr_min = -std::numeric_limits<double>::infinity();  // guidance acts at levels within
  double logsnr_max = std::numeric_limits<double>::infinity();   // [logsnr_min, logsnr_max]
};

namespace detail {

inline void check_guidance(const char* what, const guidance_options& o) {
  if (!(abs(o.scale) < 1e300)) fail(what, ": scale is ", o.scale, ", expected a finite one");
  if (!(o.rescale >= 0 && o.rescale <= 1)) fail(what, ": rescale is ", o.rescale, ", expected 0 to 1");
  if (!(o.logsnr_min <= o.logsnr_max))
    fail(what, ": logsnr_min is ", o.logsnr_min, ", expected at most logsnr_max, ", o.logsnr_max);
}

// c where guidance is off; otherwise rule(c, u), rescaled.
template <class Conditional, class Other, class Rule>
auto guided_by(Conditional conditional, Other other, guidance_options o, Rule rule) {
  return [conditional = std::move(conditional), other = std::move(other), o, rule]<class State>(
             const State& x_t, double logsnr) -> State {
    State c = clean<State>(conditional(x_t, logsnr));
    if (logsnr < o.logsnr_min || logsnr > o.logsnr_max) return c;
    State x = rule(c, State(clean<State>(other(x_t, logsnr))), o.scale);
    return o.rescale == 0 ? x : State(combine(o.rescale, State(with_deviation_of(x, c)), 1 - o.rescale, x));
  };
}

}  // namespace detail

// Classifier-free guidance: u + scale (c - u), in an interval of levels, rescaled. With a weaker network as the other
// it is autoguidance.
// Sources: Ho and Salimans, arXiv 2207.12598; interval: Kynkaanniemi et al., arXiv 2404.07724; rescale: Lin et al.,
// arXiv 2305.08891, section 3.4 (here on x^); autoguidance: Karras et al., arXiv 2406.02507.
template <class Conditional, class Other>
auto guided(Conditional conditional, Other other, const guidance_options& options) {
  detail::check_guidance("guided", options);
  return detail::guided_by(
      std::move(conditional), std::move(other), options,
      []<class State>(const State& c, const State& u, double scale) { return State(combine(scale, c, 1 - scale, u)); });
}

// CFG-Zero*: u is first scaled to fit c best, u* = u <c, u> / <u, u> per sample.
// Source: Fan et al., CFG-Zero*, arXiv 2503.18886, section 4 (without its zeroed first steps, for which see the
// interval).
template <class Conditional, class Other>
auto guided_cfg_zero(Conditional conditional, Other other, const guidance_options& options) {
  detail::check_guidance("guided_cfg_zero", options);
  return detail::guided_by(std::move(conditional), std::move(other), options,
                           []<class State>(const State& c, const State& u, double scale) {
                             return State(combine(scale, c, 1 - scale, State(projected(c, u))));
                           });
}

struct projected_guidance_options {
  guidance_options guidance = {};
  double parallel = 0;                                      // how much of the guidance along c is kept
  double length = std::numeric_limits<double>::infinity();  // to which c - u is shortened, per sample
};

// Adaptive projected guidance: c + (scale - 1) (c - u), where c - u is shortened and its part along c, which
// oversaturates, scaled by `parallel`. (Its momentum is left out: it makes x^ depend on the steps before.)
// Source: Sadat et al., APG, arXiv 2410.02416, algorithm 1.
template <class Conditional, class Other>
auto guided_projected(Conditional conditional, Other other, const projected_guidance_options& options) {
  detail::check_guidance("guided_projected", options.guidance);
  return detail::guided_by(std::move(conditional), std::move(other), options.guidance,
                           [parallel = options.parallel, length = options.length]<class State>(
                               const State& c, const State& u, double scale) {
                             const State difference = shortened(State(combine(1.0, c, -1.0, u)), length);
                             const State along = projected(difference, c);
                             return State(combine(1.0, c, scale - 1, difference, (scale - 1) * (parallel - 1), along));
                           });
}

}  // namespace ul
