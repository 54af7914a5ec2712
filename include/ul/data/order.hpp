#pragma once
// The order in which training visits a data set: shuffled anew in every epoch, each item exactly once per epoch, and a
// pure function of key and position, so that a run continues at any position without a state to save.

#include <ul/core/checked.hpp>
#include <ul/core/key.hpp>

namespace ul {

// A permutation of 0 ... size - 1 chosen by a key, evaluated point by point without a table: a Feistel network with
// Philox as its round function over the next power of four, walked along its cycle back into the range.
// Source: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, method 2.
class permutation {
 public:
  permutation(extent size, key k) : size_(static_cast<std::uint64_t>(size)), key_(k) {
    if (size < 1) fail("permutation: size is ", size, ", expected at least 1");
    while (half_ < 31 && std::uint64_t{1} << (2 * half_) < size_) ++half_;
  }

  // Throws ul::error unless 0 <= i < size.
  extent operator()(extent i) const {
    auto at = static_cast<std::uint64_t>(i);
    if (at >= size_) fail("permutation: position ", i, " is outside 0 to ", size_ - 1);
    do at = mix(at);
    while (at >= size_);
    return static_cast<extent>(at);
  }

 private:
  std::uint64_t mix(std::uint64_t at) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_) - 1;
    std::uint64_t left = at >> half_, right = at & mask;
    for (std::uint64_t round = 0; round < 6; ++round) {
      const std::uint64_t next = left ^ (key_.block(round << 32 | right).word[0] & mask);
      left = right;
      right = next;
    }
    return left << half_ | right;
  }

  std::uint64_t size_;
  key key_;
  unsigned half_ = 4;
};

// Position p of a run, counted over all epochs -> the item to take. `order` is a value; positions need not be visited
// in turn.
class order {
 public:
  // Throws ul::error on an empty set.
  order(extent size, key k) : size_(size), key_(k) {
    if (size < 1) fail("order: the data set is empty");
  }

  extent size() const { return size_; }
  extent epoch(extent position) const { return position / size_; }

  // Throws ul::error on a negative position.
  extent operator()(extent position) const {
    if (position < 0) fail("order: position is ", position, ", expected at least 0");
    return permutation(size_, key_.fold_in(static_cast<std::uint64_t>(epoch(position))))(position % size_);
  }

  // The key for whatever else is random about that position: mirroring, cropping.
  key augmentation(extent position) const { return key_.split(1).fold_in(static_cast<std::uint64_t>(position)); }

 private:
  extent size_;
  key key_;
};

}  // namespace ul
