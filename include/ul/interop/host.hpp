#pragma once
// Which tensors other libraries can look at where they are.

#include <ul/tensor/tensor.hpp>

namespace ul {

// A backend whose elements lie in the host's memory.
template <class B>
concept host_backend = backend<B> && B::host_memory;

}  // namespace ul
