#pragma once
// One gradient from several parts of a batch, for batches that do not fit at once.

#include <ul/grad/apply.hpp>

namespace ul {

// Zeroes the gradients, records and carries back each of `parts` equal parts of a batch, and leaves the gradient of the
// mean of their losses. `loss_of(tape, part)` gives a part's loss, one number, itself a mean over the part; with one
// part it is an ordinary step. Returns the mean loss. Throws ul::error for parts < 1.
template <backend B, element T, class F>
double accumulate(parameters<B, T>& p, extent parts, F&& loss_of) {
  if (parts < 1) fail("accumulate: ", parts, " parts, expected at least 1");
  p.zero_gradient();
  double sum = 0;
  for (extent part = 0; part < parts; ++part) {
    tape<B> t;
    const auto loss = loss_of(t, part);
    t.backward(loss, 1 / static_cast<double>(parts));
    sum += static_cast<double>(to_scalar(loss.value()));
  }
  return sum / static_cast<double>(parts);
}

}  // namespace ul
