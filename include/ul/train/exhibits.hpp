#pragma once
// The pictures a run is looked at with: some of those held out, always the same ones with the same noise, so that what
// is measured and shown at one step compares with another.

#include <algorithm>
#include <string>
#include <vector>

#include <ul/data/pictures.hpp>
#include <ul/io/grid.hpp>
#include <ul/io/png.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/metric/psnr.hpp>
#include <ul/train/append_clamped.hpp>

namespace ul {

template <backend B, element T>
class exhibits {
 public:
  // The first `count` pictures of a set, or all there are.
  template <data_set S>
  exhibits(B& device, const S& set, extent count) : device_(&device), item_(set.extents()) {
    count_ = (std::min)(count, extent{set.size()});
    values_.resize(static_cast<std::size_t>(count_ * item_.size()));
    for (extent i = 0; i < count_; ++i) {
      set.read(i, values_.data() + i * item_.size());
      labels_.push_back(static_cast<std::int32_t>(label_of(set, i)));
      seeds_.push_back(static_cast<std::uint64_t>(i));
    }
    keys_ = sample_keys(seeds_);
  }

  // Bits per pixel that bound what the latents tell, under the prior or, where there is one, the base model.
  double bits_per_pixel(const latent_model<B, T>& m) const {
    double nats = 0;
    for (extent first = 0; first < count_; first += batch) {
      const extent n = (std::min)(batch, count_ - first);
      const auto labels = std::span(labels_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
      for (const double each :
           latent_nats(m, encode(m, pictures(first, n)), keys(first, n), latent_source::best, labels, 4))
        nats += each;
    }
    return bits(nats) / static_cast<double>(count_ * m.config().pixels());
  }

  // Writes "<path>reconstructions.png", a row of pictures above a row of what the decoder makes of their latents, and
  // "<path>samples.png", as many samples, their classes in turn. Returns the reconstructions' PSNR in dB.
  double show(const latent_model<B, T>& m, const std::string& path, extent count, extent steps) const {
    count = (std::min)(count, count_);
    if (count > columns) count -= count % columns;
    const decode_options decoder{.steps = steps};
    std::vector<float> made;
    for (extent first = 0; first < count; first += batch) {
      const extent n = (std::min)(batch, count - first);
      append_clamped(made, reconstruct(m, pictures(first, n), keys(first, n), decoder));
    }
    write(path + "reconstructions.png", alternating(made, count), count);

    sample_options o{.count = count, .latent_steps = steps, .decoder = decoder, .batch = batch};
    if (m.stage2) {
      for (extent i = 0; i < count && m.config().classes > 0; ++i) o.classes.push_back(i % m.config().classes);
    }
    std::vector<float> samples;
    append_clamped(samples, sample(m, o));
    write(path + "samples.png", samples, count);
    return picture_psnr(made, std::span(values_).first(made.size()), item_.size()).mean();
  }

 private:
  static constexpr extent batch = 64, columns = 8;

  tensor<B, T> pictures(extent first, extent n) const {
    const auto part = std::span(values_).subspan(static_cast<std::size_t>(first * item_.size()),
                                                 static_cast<std::size_t>(n * item_.size()));
    return tensor_of<T>(*device_, {n, item_[0], item_[1], item_[2]}, part);
  }
  std::span<const key> keys(extent first, extent n) const {
    return std::span(keys_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
  }

  // A row of originals, then a row of what was made of them, and so on.
  std::vector<float> alternating(const std::vector<float>& made, extent count) const {
    std::vector<float> all;
    for (extent first = 0; first < count; first += columns) {
      const extent from = first * item_.size(), to = (std::min)(first + columns, count) * item_.size();
      all.insert(all.end(), values_.begin() + from, values_.begin() + to);
      all.insert(all.end(), made.begin() + from, made.begin() + to);
    }
    return all;
  }

  // `count` is that of the pictures of one kind.
  void write(const std::string& path, const std::vector<float>& values, extent count) const {
    const extent scale = (std::max)(extent{1}, 64 / (std::max)(item_[0], item_[1]));
    const extents shape{static_cast<extent>(values.size()) / item_.size(), item_[0], item_[1], item_[2]};
    write_png(path, grid(values.data(), shape, (std::min)(columns, count), {.scale = scale}));
  }

  B* device_;
  extents item_;
  extent count_ = 0;
  std::vector<float> values_;
  std::vector<std::int32_t> labels_;
  std::vector<std::uint64_t> seeds_;
  std::vector<key> keys_;
};

}  // namespace ul
