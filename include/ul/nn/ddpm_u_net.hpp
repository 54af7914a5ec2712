#pragma once
// The U-Net with a skip after every block, each laid beside the channels. Ho, Jain and Abbeel 2020, appendix B.

#include <optional>
#include <vector>

#include <ul/nn/u_net.hpp>

namespace ul::nn {

// x (B, spatial..., in) -> (B, spatial..., out), for any spatial extents, as of u_net. Options as of u_net, whose skips
// must be `concat`; on the way up a level has one block more, the last level too, and between the two ways stand a
// block, attention and a block.
// Parameters: noise/...; in/...; down/i/j/... (and down/i/j/attention/...), down/i/sample/...; middle/0/...,
// middle/attention/..., middle/1/...; from the last level up, up/i/j/..., up/i/sample/...; norm/...; out/...
template <backend B, element T>
class ddpm_u_net {
 public:
  using condition_type = network_condition<B, T>;

  ddpm_u_net(const scope<B, T>& s, const u_net_options& o) {
    if (o.channels.empty()) fail("ddpm_u_net: no levels, expected the channels of at least one");
    if (o.skip != skip_kind::concat) fail("ddpm_u_net: residual skips, expected concat");
    const extent axes = o.block.axes;
    const std::size_t levels = o.channels.size();
    if (o.noise.features != 0) noise_.emplace(s / "noise", o.noise);
    in_.emplace(s / "in", o.in, o.channels[0], conv_options{.axes = axes});

    extent width = o.channels[0];
    std::vector<extent> skips{width};
    for (std::size_t i = 0; i < levels; ++i) {
      const scope<B, T> at = s / "down" / static_cast<extent>(i);
      down_.emplace_back();
      for (extent j = 0; j < o.blocks; ++j) {
        down_[i].emplace_back(at / j, o, i, width);
        width = o.channels[i];
        skips.push_back(width);
      }
      if (i + 1 == levels) break;
      shrink_.emplace_back(at / "sample", width, width, axes);
      skips.push_back(width);
    }
    const resnet_options middle = u_net_step<B, T>::block_of(o, width, width);
    before_.emplace(s / "middle" / 0, middle);
    attention_.emplace(s / "middle" / "attention", u_net_step<B, T>::attention_of(o, width));
    after_.emplace(s / "middle" / 1, middle);
    for (std::size_t i = levels; i-- > 0;) {
      const scope<B, T> at = s / "up" / static_cast<extent>(i);
      up_.emplace_back();
      for (extent j = 0; j <= o.blocks; ++j) {
        up_.back().emplace_back(at / j, o, i, checked_add(width, skips.back(), "ddpm_u_net"));
        width = o.channels[i];
        skips.pop_back();
      }
      if (i > 0) grow_.emplace_back(at / "sample", width, width, axes);
    }
    norm_.emplace(s / "norm", width,
                  group_norm_options{.groups = o.block.groups, .eps = o.block.eps, .act = activation::silu});
    out_.emplace(s / "out", width, o.out != 0 ? o.out : o.in, conv_options{.axes = axes, .start = o.last});
  }

  var<B, T> operator()(const var<B, T>& x, const network_condition<B, T>& told = {}) const {
    const condition<B, T> c = embedded(noise_, x, told);
    var<B, T> h = (*in_)(x);
    std::vector<var<B, T>> skips{h};
    for (std::size_t i = 0; i < down_.size(); ++i) {
      for (const auto& step : down_[i]) skips.push_back(h = step(h, c));
      if (i < shrink_.size()) skips.push_back(h = shrink_[i](h));
    }
    h = (*after_)((*attention_)((*before_)(h, c)), c);
    for (std::size_t i = 0; i < up_.size(); ++i) {
      if (i > 0) h = grow_[i - 1](h, grid_of(skips.back()));
      for (const auto& step : up_[i]) {
        h = step(concat(-1, h, skips.back()), c);
        skips.pop_back();
      }
    }
    return (*out_)((*norm_)(h));
  }

 private:
  std::optional<noise_embedding<B, T>> noise_;
  std::optional<conv<B, T>> in_, out_;
  std::vector<std::vector<u_net_step<B, T>>> down_, up_;  // up_ and grow_ from the coarsest level on
  std::vector<downsample<B, T>> shrink_;
  std::vector<resize_conv<B, T>> grow_;
  std::optional<resnet_block<B, T>> before_, after_;
  std::optional<attention_block<B, T>> attention_;
  std::optional<group_norm<B, T>> norm_;
};

}  // namespace ul::nn
