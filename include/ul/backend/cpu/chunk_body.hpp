#pragma once
// A light reference to the body of a parallel loop: one instantiation of each executor serves every kernel.

#include <ul/backend/cpu/isa.hpp>
#include <ul/core/checked.hpp>

namespace ul {
inline namespace UL_ISA {

class chunk_body {
 public:
  // `f` must outlive the reference; f(i) runs chunk i, on any thread.
  template <class F>
  chunk_body(const F& f)
      : object_(&f), call_([](const void* object, extent i) { (*static_cast<const F*>(object))(i); }) {}

  void operator()(extent i) const { call_(object_, i); }

 private:
  const void* object_;
  void (*call_)(const void*, extent);
};

}  // namespace UL_ISA
}  // namespace ul
