#pragma once
// What follows a product while its rows are still in the cache: a bias for each column and an activation.

#include <ul/backend/cpu/pack_math.hpp>
#include <ul/backend/epilogue.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class T>
struct epilogue {
  const T* bias = nullptr;
  activation act = activation::none;

  bool empty() const { return bias == nullptr && act == activation::none; }

  epilogue from(extent column) const { return {bias == nullptr ? nullptr : bias + column, act}; }

  // c[rows][columns] = act(c + bias)
  void apply(T* c, extent ldc, extent rows, extent columns) const {
    switch (act) {
      case activation::none:
        return apply_as<activation::none>(c, ldc, rows, columns);
      case activation::silu:
        return apply_as<activation::silu>(c, ldc, rows, columns);
      case activation::gelu:
        return apply_as<activation::gelu>(c, ldc, rows, columns);
    }
  }

 private:
  template <activation A>
  void apply_as(T* c, extent ldc, extent rows, extent columns) const {
    constexpr extent width = pack<T>::size;
    for (; rows > 0; --rows, c += ldc)
      for (extent j = 0; j < columns; j += width) {
        const extent n = columns - j;
        pack<T> x = n >= width ? pack<T>::load(c + j) : pack<T>::load_first(c + j, n);
        if (bias != nullptr) x += n >= width ? pack<T>::load(bias + j) : pack<T>::load_first(bias + j, n);
        x = activate(A, x);
        n >= width ? x.store(c + j) : x.store_first(c + j, n);
      }
  }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
