#pragma once
// All pictures of a data set as latents of a frozen encoder, encoded once: what stage 2 is trained on.

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <ul/data/augment.hpp>
#include <ul/data/memory_set.hpp>
#include <ul/data/pictures.hpp>
#include <ul/latent/reconstruct.hpp>
#include <ul/train/stop_flag.hpp>

namespace ul {

struct encode_options {
  bool flip = false;                // after the set itself, all of it mirrored
  extent count = -1;                // the first pictures only; -1: all
  extent batch = 64;                // pictures at once
  const stop_flag* stop = nullptr;  // may end it early
};

namespace detail {

// A set as it is, or all of it mirrored.
template <data_set S>
struct turned {
  const S& set;
  bool mirrored;

  extent size() const { return set.size(); }
  ul::extents extents() const { return set.extents(); }
  void read(extent i, float* out) const {
    set.read(i, out);
    if (mirrored) random_flip::flip(out, extents());
  }
};

}  // namespace detail

// z_clean of the pictures of a set, in their order, with their labels; none when it was stopped.
template <backend B, element T, data_set S>
std::optional<memory_set<float>> encode_set(const latent_model<B, T>& m, const S& set, const encode_options& o = {}) {
  if (o.batch < 1) fail("encode_set: batch is ", o.batch, ", expected at least 1");
  const extent count = o.count < 0 ? extent{set.size()} : (std::min)(extent{set.size()}, o.count);
  std::vector<float> latents;
  std::vector<std::int32_t> labels;
  extent classes = 0;
  if constexpr (labelled_data_set<S>) classes = set.classes();
  for (const bool mirrored : {false, true}) {
    if (mirrored && !o.flip) break;
    for (extent first = 0; first < count; first += o.batch) {
      if (o.stop && o.stop->requested()) return std::nullopt;
      const extent n = (std::min)(o.batch, count - first);
      const auto x = pictures_of<T>(m.device(), detail::turned<S>{set, mirrored}, first, n);
      const std::vector<float> made = to_host(cast<float>(encode(m, x)));
      latents.insert(latents.end(), made.begin(), made.end());
      for (extent i = 0; i < n && classes > 0; ++i)
        labels.push_back(static_cast<std::int32_t>(label_of(set, first + i)));
    }
  }
  return memory_set<float>(m.config().latent(), std::move(latents), std::move(labels), classes, "encode_set");
}

// The root of the mean square of all values of a set.
template <data_set S>
double rms_of(const S& set) {
  const extents item = set.extents();
  std::vector<float> values(static_cast<std::size_t>(item.size()));
  double sum = 0;
  for (extent i = 0; i < set.size(); ++i) {
    set.read(i, values.data());
    for (const float x : values) sum += static_cast<double>(x) * static_cast<double>(x);
  }
  return std::sqrt(sum / (static_cast<double>(set.size()) * static_cast<double>(values.size())));
}

}  // namespace ul
