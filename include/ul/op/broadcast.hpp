#pragma once
// How a smaller tensor spreads over a larger one, and how a gradient of the larger gathers back.

#include <ul/op/gradient.hpp>

namespace ul::detail {

// Aligned at the last axis, each axis of the small shape equals the large one's or is 1. The axes it is spread over
// must be neighbours, so that they are the middle of three: small (outer, 1, inner), large (outer, mid, inner).
class spread {
 public:
  // Throws ul::error naming `name` when the shapes do not fit.
  spread(const char* name, const extents& small, const extents& large) {
    const extent missing = large.rank() - small.rank();
    bool fits = missing >= 0;
    enum { before, within, after } part = before;
    for (extent i = 0; fits && i < large.rank(); ++i) {
      const extent n = large[i], m = i < missing ? 1 : small[i - missing];
      fits = m == n || (m == 1 && part != after);
      if (n == 1) continue;
      if (m != n) part = within;
      if (m == n && part == within) part = after;
      (part == before ? s_.outer : part == within ? s_.mid : s_.inner) *= n;
    }
    if (!fits) fail(name, ": ", small, " does not broadcast to ", large);
    full_ = part == before;
    if (full_) s_ = {1, 1, large.size()};
  }

  // The points of the large tensor.
  const space& points() const { return s_; }

  // The small tensor at those points.
  template <backend B, element T>
  operand<const T> input(const tensor<B, T>& x) const {
    return {x.data(), s_.inner, 0, 1};
  }

  // Adds f(in...), summed over what each element of the small tensor was spread over, to its gradient.
  template <backend B, element G, class F, class... In>
  void gather(B& device, gradient<B, G>& d, const extents& small, F f, operand<In>... in) const {
    if (full_)
      d.map(device, small, s_, f, in...);
    else
      d.fold(device, small, s_, f, in...);
  }

 private:
  space s_;
  bool full_ = false;  // nothing is spread
};

}  // namespace ul::detail
