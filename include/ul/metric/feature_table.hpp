#pragma once
// What a network says of a set of images, kept on the host: what distances between sets are computed from.
//
//   const auto net = ul::load_classifier<float>(device, "fashion-classifier.safetensors");
//   const auto real = ul::features_of<float>(device, net, images, {10000, 28, 28, 1});
//   ul::feature_table made;
//   made.add(net(samples));                                        // as often as there are batches of them
//   ul::frechet_distance(real.values(), made.values(), made.features());
//   ul::measured(ul::recognised(made.classes(), asked)).value;  // the share that shows the class asked for

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <vector>

#include <ul/diffusion/sample_mean.hpp>
#include <ul/grad/apply.hpp>

namespace ul {

class feature_table {
 public:
  extent count() const { return features_ == 0 ? 0 : static_cast<extent>(values_.size()) / features_; }
  extent features() const { return features_; }
  std::span<const float> values() const { return values_; }     // (count, features)
  std::span<const extent> classes() const { return classes_; }  // (count): the most likely; none without logits

  // Appends what a network made of n images: features (n, D), or both `features` and `logits` (n, classes), as tensors
  // or variables. Throws ul::error, and appends nothing, when that is not of the shape of what is there, or not finite.
  template <class Seen>
  void add(const Seen& seen) {
    if constexpr (requires { seen.logits; }) {
      append(rows_of("features", detail::value_of(seen.features)), seen.features.shape()[-1],
             most_likely(rows_of("logits", detail::value_of(seen.logits)), seen.logits.shape()[0]));
    } else {
      append(rows_of("features", detail::value_of(seen)), seen.shape()[-1], {});
    }
  }

 private:
  template <backend B, element T>
  static std::vector<float> rows_of(const char* what, const tensor<B, T>& x) {
    if (x.rank() != 2 || x.size() == 0) fail("feature_table: ", what, " are ", x.shape(), ", expected (B, D)");
    std::vector<float> rows;
    for (const T v : to_host(x)) rows.push_back(static_cast<float>(v));
    for (const float v : rows)
      if (!std::isfinite(v)) fail("feature_table: ", what, " have a value of ", v);
    return rows;
  }

  static std::vector<extent> most_likely(const std::vector<float>& logits, extent count) {
    const std::ptrdiff_t classes = static_cast<extent>(logits.size()) / count;
    std::vector<extent> best;
    for (auto row = logits.begin(); row != logits.end(); row += classes)
      best.push_back(std::max_element(row, row + classes) - row);
    return best;
  }

  void append(const std::vector<float>& rows, extent features, const std::vector<extent>& classes) {
    const auto added = static_cast<extent>(rows.size()) / features;
    if (count() != 0 && features != features_)
      fail("feature_table: ", features, " features, those before have ", features_);
    const bool classified = count() == 0 ? !classes.empty() : !classes_.empty();
    if (static_cast<extent>(classes.size()) != (classified ? added : 0))
      fail("feature_table: ", classes.size(), " of ", added, " images have logits, before ", classes_.size(), " of ",
           count());
    features_ = features;
    values_.insert(values_.end(), rows.begin(), rows.end());
    classes_.insert(classes_.end(), classes.begin(), classes.end());
  }

  extent features_ = 0;
  std::vector<float> values_;
  std::vector<extent> classes_;
};

// What `see` makes of `count` images of shape `image` (H, W, C), in batches. read(i, out) writes image i, values in
// [-1, 1]; see(x) takes a tensor (n, H, W, C) and gives what feature_table::add takes. It may be a classifier or any
// other network.
// Throws ul::error for batch < 1, and what these throw.
template <element T, backend B, class See, class Read>
requires std::invocable<const Read&, extent, float*> feature_table features_of(B& device, const See& see,
                                                                               const extents& image, extent count,
                                                                               const Read& read, extent batch = 100) {
  if (batch < 1) fail("features_of: batch is ", batch, ", expected at least 1");
  if (image.rank() != 3) fail("features_of: images are ", image, ", expected (H, W, C)");
  feature_table table;
  for (extent first = 0; first < count; first += batch) {
    const extent n = (std::min)(batch, count - first);
    std::vector<float> pixels(static_cast<std::size_t>(checked_mul(n, image.size(), "features_of")));
    for (extent i = 0; i < n; ++i) read(first + i, pixels.data() + i * image.size());
    const tensor<B, float> x = from_host<float>(device, {n, image[0], image[1], image[2]}, pixels);
    if constexpr (std::is_same_v<T, float>) {
      table.add(see(x));
    } else {
      table.add(see(cast<T>(x)));
    }
  }
  return table;
}

// The same for images (N, H, W, C) on the host. Throws ul::error when their number of values is another.
template <element T, backend B, class See>
feature_table features_of(B& device, const See& see, std::span<const float> images, const extents& shape,
                          extent batch = 100) {
  if (shape.rank() != 4 || static_cast<extent>(images.size()) != shape.size())
    fail("features_of: ", images.size(), " values, expected images ", shape, ", (N, H, W, C)");
  const extents image = shape.without(0);
  const auto read = [&](extent i, float* out) { std::copy_n(images.data() + i * image.size(), image.size(), out); };
  return features_of<T>(device, see, image, shape[0], read, batch);
}

// Over images, 1 where the class seen is the one asked for and 0 elsewhere: its mean is the share recognised, or the
// accuracy. Throws ul::error when the numbers differ or are 0.
inline sample_mean recognised(std::span<const extent> seen, std::span<const extent> asked) {
  if (seen.size() != asked.size() || seen.empty())
    fail("recognised: ", seen.size(), " classes seen, ", asked.size(), " asked for");
  sample_mean share;
  for (std::size_t i = 0; i < seen.size(); ++i) share.add(seen[i] == asked[i] ? 1 : 0);
  return share;
}

}  // namespace ul
