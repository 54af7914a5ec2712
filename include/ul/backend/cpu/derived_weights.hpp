#pragma once
// What kernels derive from weights, made anew for each call or, under kept_weights, once.

#include <optional>
#include <utility>
#include <vector>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Numbers by the weights they were derived from, in the memory of one device.
class weight_cache {
 public:
  explicit weight_cache(memory_pool& memory) : memory_(memory) {}
  weight_cache(const weight_cache&) = delete;
  weight_cache& operator=(const weight_cache&) = delete;
  ~weight_cache() {
    for (const entry& e : entries_) memory_.deallocate(e.data, e.bytes);
  }

  const memory_pool& memory() const { return memory_; }

  // make(T*) writes the `count` numbers when they are wanted for the first time.
  template <class T, class Make>
  const T* find(const T* weights, extent count, const Make& make) {
    const extent bytes = checked_mul(count, extent{sizeof(T)}, "weights");
    for (const entry& e : entries_)
      if (e.weights == weights && e.bytes == bytes) return static_cast<const T*>(e.data);
    entries_.reserve(entries_.size() + 1);
    entries_.push_back({weights, memory_.allocate(bytes), bytes});
    make(static_cast<T*>(entries_.back().data));
    return static_cast<const T*>(entries_.back().data);
  }

  // Where this thread keeps them at the moment, if it does.
  static weight_cache*& current() {
    thread_local weight_cache* cache = nullptr;
    return cache;
  }

 private:
  struct entry {
    const void* weights;
    void* data;
    extent bytes;
  };

  memory_pool& memory_;
  std::vector<entry> entries_;
};

// Whether this thread keeps what is derived from such weights.
inline bool keeps_weights(bool lasting, const memory_pool& memory) {
  return lasting && weight_cache::current() != nullptr && &weight_cache::current()->memory() == &memory;
}

// The `count` numbers that make(T*) derives from weights; kept if the weights are `lasting` and the thread keeps any.
template <class T>
class derived_weights {
 public:
  template <class Make>
  derived_weights(memory_pool& memory, const T* weights, bool lasting, extent count, const Make& make) {
    if (keeps_weights(lasting, memory)) {
      data_ = weight_cache::current()->find(weights, count, make);
    } else {
      own_.emplace(memory, count);
      make(own_->data());
      data_ = own_->data();
    }
  }

  const T* data() const { return data_; }

 private:
  std::optional<scratch<memory_pool, T>> own_;
  const T* data_;
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
