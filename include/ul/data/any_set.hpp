#pragma once
// A data set whose kind is known at run time only: a handle, cheap to copy, to any set.

#include <memory>
#include <utility>

#include <ul/data/data_set.hpp>

namespace ul {

class any_set {
 public:
  any_set() = default;  // none

  template <class S>
  requires(!std::same_as<S, any_set> && data_set<S>) any_set(S set)
      : held_(std::make_shared<const holder<S>>(std::move(set))) {}

  explicit operator bool() const { return held_ != nullptr; }

  extent size() const { return held().size(); }
  ul::extents extents() const { return held().extents(); }
  extent classes() const { return held().classes(); }  // 0 without labels
  extent label(extent i) const { return held().label(i); }
  void read(extent i, float* out) const { held().read(i, out); }

 private:
  struct anything {
    virtual ~anything() = default;
    virtual extent size() const = 0;
    virtual ul::extents extents() const = 0;
    virtual extent classes() const = 0;
    virtual extent label(extent i) const = 0;
    virtual void read(extent i, float* out) const = 0;
  };

  template <class S>
  struct holder final : anything {
    S set;

    explicit holder(S s) : set(std::move(s)) {}
    extent size() const override { return set.size(); }
    ul::extents extents() const override { return set.extents(); }
    extent classes() const override {
      if constexpr (labelled_data_set<S>) return set.classes();
      return 0;
    }
    extent label(extent i) const override { return label_of(set, i); }
    void read(extent i, float* out) const override { set.read(i, out); }
  };

  // Throws ul::error when there is no set.
  const anything& held() const {
    if (!held_) fail("any_set: there is no set");
    return *held_;
  }

  std::shared_ptr<const anything> held_;
};

}  // namespace ul
