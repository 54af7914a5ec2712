#pragma once
// The convolutional U-Net: residual blocks at falling, then rising resolution, and one skip for each level. Ho, Jain
// and Abbeel 2020, appendix B; residual skips: Hoogeboom et al. 2024 (SiD2).

#include <optional>
#include <vector>

#include <ul/nn/attention_block.hpp>
#include <ul/nn/noise_embedding.hpp>
#include <ul/nn/resnet_block.hpp>
#include <ul/op/concat.hpp>

namespace ul::nn {

// On the way up a skip is laid beside the channels, or added to them.
enum class skip_kind { concat, residual };

struct u_net_options {
  extent in = 0;
  extent out = 0;                      // 0: in
  std::vector<extent> channels = {};   // of each level, finest first
  extent blocks = 2;                   // residual blocks of a level, on each side; of the last level once
  std::vector<extent> attention = {};  // the levels whose residual blocks are each followed by attention
  extent heads = 4;
  noise_embedding_options noise = {};
  resnet_options block = {};  // of every residual block; its channels and embedding are filled in
  skip_kind skip = skip_kind::concat;
  initial last = initial::standard;  // of the last convolution
};

// One residual block, followed by attention where its level has it. Parameters: as of resnet_block; attention/...
template <backend B, element T>
class u_net_step {
 public:
  u_net_step(const scope<B, T>& s, const u_net_options& o, std::size_t level, extent in)
      : block_(s, block_of(o, in, o.channels[level])) {
    for (const extent l : o.attention)
      if (l == static_cast<extent>(level) && !attention_)
        attention_.emplace(s / "attention", attention_of(o, o.channels[level]));
  }

  var<B, T> operator()(const var<B, T>& x, const condition<B, T>& c) const {
    const var<B, T> h = block_(x, c);
    return attention_ ? (*attention_)(h) : h;
  }

  // What a block, and attention, of the network are made by.
  static resnet_options block_of(const u_net_options& o, extent in, extent out) {
    resnet_options block = o.block;
    block.in = in;
    block.out = out;
    block.embedding = o.noise.features;
    return block;
  }
  static attention_block_options attention_of(const u_net_options& o, extent channels) {
    return {.channels = channels, .heads = o.heads, .groups = o.block.groups, .eps = o.block.eps, .out = o.block.last};
  }

 private:
  resnet_block<B, T> block_;
  std::optional<attention_block<B, T>> attention_;
};

// x (B, spatial..., in) -> (B, spatial..., out), for any spatial extents: what was halved, rounding up, is enlarged to
// the extents of the skip. A skip goes from a level's last block on the way down to its first on the way up.
// Parameters: noise/...; in/weight, in/bias; for each level i but the last down/i/..., down/i/sample/...; middle/...;
// from the last but one up, up/i/sample/..., up/i/...; norm/weight, norm/bias; out/weight, out/bias.
template <backend B, element T>
class u_net {
 public:
  using condition_type = network_condition<B, T>;

  u_net(const scope<B, T>& s, const u_net_options& o) : skip_(o.skip) {
    if (o.channels.empty()) fail("u_net: no levels, expected the channels of at least one");
    const extent axes = o.block.axes, levels = static_cast<extent>(o.channels.size()), finest = o.channels[0];
    for (const extent level : o.attention)
      if (level < 0 || level >= levels) fail("u_net: attention at level ", level, " of ", levels);
    const auto channels = [&](extent level) { return o.channels[static_cast<std::size_t>(level)]; };
    const auto stage = [&](const scope<B, T>& at, extent level, extent in) {
      std::vector<u_net_step<B, T>> steps;
      for (extent i = 0; i < o.blocks; ++i, in = channels(level))
        steps.emplace_back(at / i, o, static_cast<std::size_t>(level), in);
      return steps;
    };

    if (o.noise.features != 0) noise_.emplace(s / "noise", o.noise);
    in_.emplace(s / "in", o.in, finest, conv_options{.axes = axes});
    for (extent i = 0; i + 1 < levels; ++i) {
      down_.push_back(stage(s / "down" / i, i, i == 0 ? finest : channels(i - 1)));
      shrink_.emplace_back(s / "down" / i / "sample", channels(i), channels(i), axes);
    }
    middle_ = stage(s / "middle", levels - 1, levels == 1 ? finest : channels(levels - 2));
    for (extent i = levels - 2; i >= 0; --i) {
      grow_.emplace_back(s / "up" / i / "sample", channels(i + 1), channels(i), axes);
      up_.push_back(stage(s / "up" / i, i, o.skip == skip_kind::concat ? 2 * channels(i) : channels(i)));
    }
    norm_.emplace(s / "norm", finest,
                  group_norm_options{.groups = o.block.groups, .eps = o.block.eps, .act = activation::silu});
    out_.emplace(s / "out", finest, o.out != 0 ? o.out : o.in, conv_options{.axes = axes, .start = o.last});
  }

  var<B, T> operator()(const var<B, T>& x, const network_condition<B, T>& told = {}) const {
    const condition<B, T> c = embedded(noise_, x, told);
    std::vector<var<B, T>> skips;
    var<B, T> h = (*in_)(x);
    for (std::size_t i = 0; i < down_.size(); ++i) {
      skips.push_back(through(down_[i], h, c));
      h = shrink_[i](skips.back());
    }
    h = through(middle_, h, c);
    for (std::size_t i = 0; i < up_.size(); ++i, skips.pop_back()) {
      const var<B, T> grown = grow_[i](h, grid_of(skips.back()));
      h = skip_ == skip_kind::concat ? concat(-1, grown, skips.back()) : add(grown, skips.back());
      h = through(up_[i], h, c);
    }
    return (*out_)((*norm_)(h));
  }

 private:
  static var<B, T> through(const std::vector<u_net_step<B, T>>& steps, var<B, T> h, const condition<B, T>& c) {
    for (const auto& step : steps) h = step(h, c);
    return h;
  }

  skip_kind skip_;
  std::optional<noise_embedding<B, T>> noise_;
  std::optional<conv<B, T>> in_, out_;
  std::vector<std::vector<u_net_step<B, T>>> down_, up_;  // up_ and grow_ from the coarsest level on
  std::vector<downsample<B, T>> shrink_;
  std::vector<resize_conv<B, T>> grow_;
  std::vector<u_net_step<B, T>> middle_;
  std::optional<group_norm<B, T>> norm_;
};

}  // namespace ul::nn
