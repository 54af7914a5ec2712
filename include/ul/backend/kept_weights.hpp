#pragma once
// A promise: as long as it lives, the parameters that networks use on this thread keep their values. A backend may then
// keep what it derives from them, such as transformed kernels, from one call to the next.
//
//   const ul::kept_weights kept(device);
//   for (...) x = network(x);

namespace ul {

// For backends that derive nothing; another one specialises it.
template <class B>
class kept_weights {
 public:
  explicit kept_weights(B&) {}
};

}  // namespace ul
