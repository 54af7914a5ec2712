#pragma once
// A small residual network that tells classes of pictures apart; what it makes of a picture on the way are features to
// compare sets of pictures by.

#include <vector>

#include <ul/nn/resnet_block.hpp>
#include <ul/op/patchify.hpp>
#include <ul/op/reshape.hpp>

namespace ul {

// A residual network over `patch` x `patch` patches, one stage for each entry of `channels`, halving the grid between
// stages, and a layer of `features` over all of the last one's positions.
struct classifier_config {
  ul::extents image = {28, 28, 1};  // (H, W, C)
  extent classes = 10;
  extent patch = 2;  // divides height and width
  std::vector<extent> channels = {32, 64};
  extent blocks = 1;     // residual blocks in a stage
  extent groups = 8;     // of the normalisation; divides all channels
  extent features = 64;  // D

  // The positions of the last stage.
  extent positions() const {
    extent height = image[0] / patch, width = image[1] / patch;
    for (std::size_t i = 1; i < channels.size(); ++i) height = ceil_div(height, 2), width = ceil_div(width, 2);
    return checked_mul(height, width, "classifier");
  }

  // Throws ul::error naming the field for sizes that cannot work.
  void validate() const {
    if (image.rank() != 3 || image.size() == 0) fail("classifier: image is ", image, ", expected (H, W, C)");
    if (classes < 1) fail("classifier: classes is ", classes, ", expected at least 1");
    if (patch < 1 || image[0] % patch != 0 || image[1] % patch != 0)
      fail("classifier: patch is ", patch, ", expected a divisor of the sides of ", image);
    if (channels.empty() || channels.size() > 16)
      fail("classifier: channels has ", channels.size(), " entries, expected 1 to 16, one for each stage");
    if (blocks < 0 || blocks > 1000) fail("classifier: blocks is ", blocks, ", expected 0 to 1000");
    if (features < 1) fail("classifier: features is ", features, ", expected at least 1");
    if (groups < 1) fail("classifier: groups is ", groups, ", expected at least 1");
    for (const extent c : channels)
      if (c < 1 || c % groups != 0)
        fail("classifier: channels has an entry ", c, ", which does not divide into ", groups, " groups");
  }
};

template <backend B, element T>
struct classified {
  var<B, T> features;  // (B, D)
  var<B, T> logits;    // (B, classes)
};

// x (B, H, W, C), values in [-1, 1] -> features (B, D) and logits (B, classes). The features are one layer over the
// whole last stage: in pictures that are framed alike, places say as much as textures. Parameters: in/...,
// stage/<i>/down/..., stage/<i>/block/<j>/..., norm/..., features/..., out/....
template <backend B, element T>
class classifier {
 public:
  classifier(const scope<B, T>& s, const classifier_config& c)
      : config_((c.validate(), c)),
        in_(s / "in", c.patch * c.patch * c.image[2], c.channels[0]),
        norm_(s / "norm", c.channels.back(), {.groups = c.groups, .act = activation::silu}),
        features_(s / "features", checked_mul(c.positions(), c.channels.back(), "classifier"), c.features,
                  {.act = activation::silu}),
        out_(s / "out", c.features, c.classes) {
    for (std::size_t i = 0; i < c.channels.size(); ++i) {
      const scope<B, T> stage = s / "stage" / static_cast<extent>(i);
      if (i != 0) down_.emplace_back(stage / "down", c.channels[i - 1], c.channels[i]);
      stages_.emplace_back();
      for (extent j = 0; j < c.blocks; ++j)
        stages_.back().emplace_back(
            stage / "block" / j,
            nn::resnet_options{.in = c.channels[i], .groups = c.groups, .last = nn::initial::zero});
    }
  }

  const classifier_config& config() const { return config_; }

  // Throws ul::error when x is no batch of the config's images.
  classified<B, T> operator()(const var<B, T>& x) const {
    const extents& shape = x.shape();
    if (shape.rank() != 4 || shape.without(0) != config_.image)
      fail("classifier: x is ", shape, ", expected (B, H, W, C) with ", config_.image);
    var<B, T> h = in_(patchify(x, config_.patch));
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i != 0) h = down_[i - 1](h);
      for (const auto& block : stages_[i]) h = block(h);
    }
    const var<B, T> features = features_(reshape(norm_(h), {shape[0], features_.weight().shape()[0]}));
    return {features, out_(features)};
  }

 private:
  classifier_config config_;
  nn::conv<B, T> in_;
  std::vector<nn::downsample<B, T>> down_;
  std::vector<std::vector<nn::resnet_block<B, T>>> stages_;
  nn::group_norm<B, T> norm_;
  nn::linear<B, T> features_, out_;
};

}  // namespace ul
