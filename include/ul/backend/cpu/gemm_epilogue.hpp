#pragma once
// What follows a product while its rows are still in the cache: a bias for each column and an activation.

#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/pack_activation.hpp>
#include <ul/backend/epilogue.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// f with the activation as a constant.
template <class F>
void with_activation(activation act, const F& f) {
  switch (act) {
    case activation::none:
      return f(std::integral_constant<activation, activation::none>{});
    case activation::silu:
      return f(std::integral_constant<activation, activation::silu>{});
    case activation::gelu:
      return f(std::integral_constant<activation, activation::gelu>{});
  }
}

template <class T>
struct epilogue {
  const T* bias = nullptr;
  activation act = activation::none;

  bool empty() const { return bias == nullptr && act == activation::none; }

  epilogue from(extent column) const { return {bias == nullptr ? nullptr : bias + column, act}; }

  // c[rows][columns] = act(c + bias)
  void apply(T* c, extent ldc, extent rows, extent columns) const {
    with_activation(act, [&](auto f) {
      for (extent i = 0; i < rows; ++i)
        for_packs<T>(columns, [&](extent j, auto lanes) {
          T* const at = c + i * ldc + j;
          write(activate(decltype(f)::value, read(at, lanes) + read_or(T{0}, bias, j, lanes)), at, lanes);
        });
    });
  }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
