#pragma once
// A tensor: a handle to elements in a device's memory, dense, in row-major order with channels last. Copies of a handle
// share the elements; a view is a handle to part of them. There is no element access here: elements may live on
// another device, so they are read through `to_host` (tensor/create.hpp).

#include <memory>

#include <ul/backend/concept.hpp>

namespace ul {

template <backend B, element T>
class tensor {
 public:
  using backend_type = B;
  using value_type = T;

  // No tensor: what an optional argument is when it is left out.
  tensor() = default;

  // Uninitialised elements on a device. Throws ul::error when the memory is not to be had.
  tensor(B& device, const extents& shape) : device_(&device), shape_(shape) {
    const extent bytes = checked_mul(shape.size(), extent{sizeof(T)}, "tensor");
    B* owner = &device;
    memory_ = std::shared_ptr<void>(device.allocate(bytes), [owner, bytes](void* p) { owner->deallocate(p, bytes); });
    data_ = static_cast<T*>(memory_.get());
  }

  explicit operator bool() const { return device_ != nullptr; }

  B& device() const { return *device_; }
  const extents& shape() const { return shape_; }
  extent rank() const { return shape_.rank(); }
  extent size() const { return shape_.size(); }
  T* data() const { return data_; }  // a device pointer

  // The same elements under other extents. Throws ul::error when the sizes differ.
  tensor reshape(const extents& shape) const {
    if (shape.size() != size()) fail("reshape: ", shape_, " has ", size(), " elements, ", shape, " has ", shape.size());
    tensor t = *this;
    t.shape_ = shape;
    return t;
  }

  // Entries [first, first + count) of the leading axis, as a view. Throws ul::error out of range.
  tensor rows(extent first, extent count) const {
    if (first < 0 || count < 0 || rank() == 0 || first > shape_[0] - count)
      fail("rows: [", first, ", ", first + count, ") of ", shape_, " does not exist");
    return part(first * shape_.product(1, rank()), shape_.with(0, count));
  }

  // `shape.size()` elements from `offset` on, as a view. Throws ul::error out of range.
  tensor part(extent offset, const extents& shape) const {
    if (offset < 0 || shape.size() > size() || offset > size() - shape.size())
      fail("part: elements [", offset, ", ", offset + shape.size(), ") of ", size(), " do not exist");
    tensor t = *this;
    t.shape_ = shape;
    t.data_ += offset;
    return t;
  }

  // Whether no other handle shares these elements, so that writing in place harms nobody.
  bool unique() const { return memory_.use_count() == 1; }

 private:
  B* device_ = nullptr;
  extents shape_;
  std::shared_ptr<void> memory_;
  T* data_ = nullptr;
};

namespace detail {
template <class X>
inline constexpr bool is_tensor = false;
template <class B, class T>
inline constexpr bool is_tensor<tensor<B, T>> = true;
}  // namespace detail

}  // namespace ul
