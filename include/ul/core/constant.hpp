#pragma once
// Writing one template for a scalar and for a SIMD pack: the type of one lane, and constants of any such type.

#include <ul/core/config.hpp>

namespace ul {

namespace detail {

template <class V>
struct lane {
  using type = V;
};
template <class V>
  requires requires { typename V::value_type; }
struct lane<V> {
  using type = typename V::value_type;
};

}  // namespace detail

// The type of one lane: V::value_type of a pack, a scalar type itself.
template <class V>
using value_t = typename detail::lane<V>::type;

// A scalar or a pack; a tensor, whose functions share these names, is none.
template <class V>
concept number = !requires(const V& v) { v.shape(); };

// x as a V, in every lane; a pack must be constructible from its value_type.
template <class V>
UL_HD UL_INLINE constexpr V constant(double x) {
  return V(static_cast<value_t<V>>(x));
}

}  // namespace ul
