#pragma once
// Dropout, which is also its own adjoint: each element is zero with probability `rate`, else divided by 1 - rate.

#include <ul/backend/concept.hpp>
#include <ul/core/uniform.hpp>

namespace ul {

// y (=, +=) x / (1 - rate) where number i of the key's uniform stream of floats is at least `rate`, else 0.
template <class T>
struct drop_elements {
  extent count = 0;
  key k;
  double rate = 0;
  const T* x = nullptr;
  T* y = nullptr;
  store_mode mode = store_mode::replace;

  compute_t<T> scale() const { return static_cast<compute_t<T>>(1 / (1 - rate)); }

  template <backend B>
  void composed(B& device) const {
    device.for_each(ceil_div(count, 4), 60, block{*this, scale()});
  }

 private:
  // Elements 4i to 4i + 3, one for each word of block i of the key.
  struct block {
    drop_elements f;
    compute_t<T> scale;
    UL_HD void operator()(extent i) const {
      const auto words = f.k.block(static_cast<std::uint64_t>(i));
      for (int lane = 0; lane < 4 && 4 * i + lane < f.count; ++lane) {
        const extent n = 4 * i + lane;
        const bool kept = static_cast<double>(uniform(words.word[lane])) >= f.rate;
        const compute_t<T> value = kept ? static_cast<compute_t<T>>(f.x[n]) * scale : compute_t<T>{0};
        f.y[n] = static_cast<T>(f.mode == store_mode::add ? static_cast<compute_t<T>>(f.y[n]) + value : value);
      }
    }
  };
};

}  // namespace ul
