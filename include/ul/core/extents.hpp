#pragma once
// The shape of a tensor: up to five extents, held inline, slowest axis first. Channels are always the last axis:
// images (B, H, W, C), clips (B, T, H, W, C), tokens (B, N, C).

#include <initializer_list>

#include <ul/core/checked.hpp>

namespace ul {

class extents {
 public:
  static constexpr extent max_rank = 5;

  constexpr extents() = default;  // rank 0: a scalar, one element

  // Throws ul::error on a negative extent, more than max_rank axes, or a product that overflows.
  extents(std::initializer_list<extent> axes) : extents(axes.begin(), static_cast<extent>(axes.size())) {}

  extents(const extent* axes, extent rank) : rank_(rank) {
    if (rank < 0 || rank > max_rank) fail("extents: rank is ", rank, ", expected at most ", max_rank);
    for (extent i = 0; i < rank; ++i) {
      if (axes[i] < 0) fail("extents: axis ", i, " is ", axes[i], ", expected at least 0");
      axes_[i] = axes[i];
    }
    check_product();
  }

  constexpr extent rank() const { return rank_; }

  // The extent of one axis; negative axes count from the end, so (-1) is the channels. Throws ul::error out of range.
  extent operator[](extent axis) const { return axes_[resolve(axis)]; }

  // The number of elements.
  constexpr extent size() const { return product(0, rank_); }

  // The product of the extents of axes [first, last).
  constexpr extent product(extent first, extent last) const {
    extent n = 1;
    for (extent i = first; i < last; ++i) n *= axes_[i];
    return n;
  }

  // The same extents with one axis replaced, or without one axis.
  extents with(extent axis, extent value) const {
    extents e = *this;
    e.axes_[resolve(axis)] = value;
    return extents(e.axes_, e.rank_);
  }
  extents without(extent axis) const {
    extents e;
    const extent gone = resolve(axis);
    for (extent i = 0; i < rank_; ++i)
      if (i != gone) e.axes_[e.rank_++] = axes_[i];
    return e;
  }

  const extent* begin() const { return axes_; }
  const extent* end() const { return axes_ + rank_; }

  friend constexpr bool operator==(const extents& a, const extents& b) {
    if (a.rank_ != b.rank_) return false;
    for (extent i = 0; i < a.rank_; ++i)
      if (a.axes_[i] != b.axes_[i]) return false;
    return true;
  }

  // "(16, 28, 28, 1)"
  friend void append_to(message& out, const extents& e) {
    detail::append_to(out, '(');
    for (extent i = 0; i < e.rank_; ++i) {
      if (i) detail::append_to(out, ", ");
      detail::append_to(out, e.axes_[i]);
    }
    detail::append_to(out, ')');
  }

 private:
  extent resolve(extent axis) const {
    const extent i = axis < 0 ? axis + rank_ : axis;
    if (i < 0 || i >= rank_) fail("extents: axis ", axis, " of ", *this, " does not exist");
    return i;
  }
  // Also with a zero among them the other extents must multiply without overflow, so that strides are always safe.
  void check_product() const {
    extent n = 1;
    for (extent i = 0; i < rank_; ++i)
      if (axes_[i] != 0) n = checked_mul(n, axes_[i], "extents");
  }

  extent axes_[max_rank] = {};
  extent rank_ = 0;
};

}  // namespace ul
