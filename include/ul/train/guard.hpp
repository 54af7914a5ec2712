#pragma once
// A guard against steps whose numbers are not finite.

#include <cmath>

#include <ul/core/checked.hpp>

namespace ul {

// Asked before each update, it refuses one whose loss or gradient norm is NaN or infinite: the caller then leaves out
// the update, so that weights, moments and averages keep their bits, and goes on with the next batch; the learning rate
// moves on too. A run of refusals means that training has failed, not that one batch was bad.
//   if (guard.admits(loss, norm)) optimiser.step({...}, average);
class finite_guard {
 public:
  explicit finite_guard(extent limit = 5) : limit_(limit) {
    if (limit < 1) fail("finite_guard: limit is ", limit, ", expected at least 1");
  }

  // Whether to take the step. Throws ul::error with the reason on the `limit`-th refusal in a row.
  bool admits(double loss, double gradient_norm) {
    if (std::isfinite(loss) && std::isfinite(gradient_norm)) {
      in_row_ = 0;
      return true;
    }
    ++skipped_;
    if (++in_row_ >= limit_)
      fail_as(error_kind::diverged, "training: ", in_row_, " steps in a row are not finite, the last with loss ", loss,
              " and gradient norm ", gradient_norm);
    return false;
  }

  extent skipped() const { return skipped_; }  // in all
  extent in_row() const { return in_row_; }

  // For checkpoints: the counts after they are read back. Throws ul::error for a negative one.
  void resume(extent skipped, extent in_row) {
    if (skipped < 0 || in_row < 0) {
      fail("finite_guard: resumed at ", skipped, " skipped steps, ", in_row, " in a row, expected at least 0");
    }
    skipped_ = skipped;
    in_row_ = in_row;
  }

 private:
  extent limit_, skipped_ = 0, in_row_ = 0;
};

}  // namespace ul
