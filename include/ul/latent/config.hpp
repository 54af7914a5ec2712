#pragma once
// The sizes and constants of a Unified Latents model. Every field has a default that suits pictures of about 32 x 32 on
// a CPU; the paper's sizes are other values of the same fields. Source: Heek et al., Unified Latents, arXiv 2602.17270,
// section 3.

#include <vector>

#include <ul/core/extents.hpp>

namespace ul {

namespace detail {

// What a file may ask for: far above any model, low enough that its networks are declared in a moment.
inline constexpr extent most_blocks = 1000, most_stages = 16, most_channels = extent{1} << 20;

inline void check_positive(const char* field, extent n) {
  if (n < 1) fail("latent_config: ", field, " is ", n, ", expected at least 1");
}
inline void check_channels(const char* field, extent n) {
  check_positive(field, n);
  if (n > most_channels) fail("latent_config: ", field, " is ", n, ", expected at most ", extent{most_channels});
}
inline void check_stages(const char* field, const std::vector<extent>& channels) {
  if (channels.size() > std::size_t{most_stages})
    fail("latent_config: ", field, " has ", channels.size(), " entries, expected at most ", extent{most_stages});
  for (const extent n : channels) check_channels(field, n);
}
inline void check_some_stages(const char* field, const std::vector<extent>& channels) {
  if (channels.empty()) fail("latent_config: ", field, " is empty, expected one entry for each stage");
  check_stages(field, channels);
}
inline void check_blocks(const char* field, extent n) {
  if (n < 0 || n > most_blocks) fail("latent_config: ", field, " is ", n, ", expected 0 to ", extent{most_blocks});
}
inline void check_heads(const char* network, extent width, extent heads) {
  if (width < 1 || heads < 1 || width % heads != 0)
    fail("latent_config: the heads of ", network, ", ", heads, ", do not divide its ", width, " channels");
}
inline void check_share(const char* field, double share) {
  if (!(share >= 0 && share < 1)) fail("latent_config: ", field, " is ", share, ", expected in [0, 1)");
}
inline void check_above(const char* high_field, double high, const char* low_field, double low) {
  if (!(high > low)) fail("latent_config: ", low_field, " is ", low, ", expected below ", high_field, ", ", high);
}

}  // namespace detail

// A residual network over `patch` x `patch` patches, one stage for each entry of `channels`, halving the grid between
// stages: the latent grid is patch * 2^(stages - 1) times coarser than the picture.
struct encoder_config {
  extent patch = 2;
  std::vector<extent> channels = {32, 64};
  extent blocks = 2;       // residual blocks in a stage
  extent last_blocks = 3;  // in the last one
};

// A transformer over the positions of the latent grid.
struct prior_config {
  extent channels = 96;
  extent blocks = 4;
  extent heads = 3;
  double logsnr_min = -10;
  // The variant of the paper's table 6, A: the prior's gradient stops before the encoder, which is kept in bounds by
  // normal_kl * KL[q(z_0 | x) || N(0, I)] instead.
  bool stop_gradient = false;
  double normal_kl = 0;
};

// Convolutional stages down and up around a transformer on the latent grid; patch * 2^stages is the encoder's factor.
struct decoder_config {
  extent patch = 2;
  std::vector<extent> channels = {48};
  extent blocks = 2;  // residual blocks in a stage, each way
  extent middle_channels = 128;
  extent middle_blocks = 3;
  extent heads = 4;
  double dropout = 0.1;                                 // in the transformer
  double logsnr_max = 10, logsnr_min = -10, shift = 0;  // of the pictures' schedule, a shifted cosine
  double bias = 2;                                      // b of the sigmoid weighting
  double loss_factor = 2.5;                             // c_lf; at or below 1 the latent collapses
};

// The base model of stage 2: a transformer of several levels over the latent grid, each at half the resolution of the
// one before, whose blocks stand on both sides of the coarser levels; of the last level they stand there once.
struct base_config {
  std::vector<extent> channels = {128, 192};  // finest level first
  std::vector<extent> blocks = {1, 4};
  extent head_depth = 32;  // a level has channels / head_depth heads
  double dropout = 0.1;
  double logsnr_min = -10;
  double bias = 0;             // of its sigmoid weighting
  double label_dropout = 0.1;  // how often the class is not told in training, which guidance needs
};

struct latent_config {
  ul::extents image = {28, 28, 1};  // (H, W, C)
  extent classes = 0;               // that the base model is told; 0: none
  extent channels = 12;             // of the latent
  double noise_logsnr = 5;          // lambda_z(0): the fixed noise of the encoder, where the prior's schedule starts
  encoder_config encoder = {};
  prior_config prior = {};
  decoder_config decoder = {};
  base_config base = {};

  // How much coarser the latent grid is than the picture, along each axis.
  extent factor() const {
    extent f = encoder.patch;
    for (std::size_t i = 1; i < encoder.channels.size(); ++i) f = checked_mul(f, 2, "latent_config");
    return f;
  }
  // The extents of one latent (h, w, c); a picture that does not divide is padded.
  ul::extents latent() const { return {ceil_div(image[0], factor()), ceil_div(image[1], factor()), channels}; }
  extent pixels() const { return image[0] * image[1]; }

  // Throws ul::error naming the field for sizes and constants that cannot work.
  void validate() const {
    if (image.rank() != 3 || image.size() == 0) fail("latent_config: image is ", image, ", expected (H, W, C)");
    if (classes < 0) fail("latent_config: classes is ", classes, ", expected at least 0");
    detail::check_channels("channels", channels);
    validate_encoder();
    validate_prior();
    validate_decoder();
    validate_base();
  }

 private:
  void validate_encoder() const {
    detail::check_positive("encoder.patch", encoder.patch);
    detail::check_some_stages("encoder.channels", encoder.channels);
    detail::check_blocks("encoder.blocks", encoder.blocks);
    detail::check_blocks("encoder.last_blocks", encoder.last_blocks);
  }
  void validate_prior() const {
    detail::check_channels("prior.channels", prior.channels);
    detail::check_heads("prior", prior.channels, prior.heads);
    detail::check_blocks("prior.blocks", prior.blocks);
    detail::check_above("noise_logsnr", noise_logsnr, "prior.logsnr_min", prior.logsnr_min);
    if (!(prior.normal_kl >= 0)) fail("latent_config: prior.normal_kl is ", prior.normal_kl, ", expected at least 0");
  }
  void validate_decoder() const {
    const decoder_config& d = decoder;
    detail::check_positive("decoder.patch", d.patch);
    detail::check_stages("decoder.channels", d.channels);
    extent f = d.patch;
    for (std::size_t i = 0; i < d.channels.size(); ++i) f = checked_mul(f, 2, "latent_config");
    if (f != factor()) fail("latent_config: the decoder's factor is ", f, ", expected that of the encoder, ", factor());
    detail::check_blocks("decoder.blocks", d.blocks);
    detail::check_blocks("decoder.middle_blocks", d.middle_blocks);
    detail::check_channels("decoder.middle_channels", d.middle_channels);
    detail::check_heads("decoder", d.middle_channels, d.heads);
    detail::check_share("decoder.dropout", d.dropout);
    detail::check_above("decoder.logsnr_max", d.logsnr_max, "decoder.logsnr_min", d.logsnr_min);
    if (!(d.loss_factor > 0)) fail("latent_config: decoder.loss_factor is ", d.loss_factor, ", expected above 0");
  }
  void validate_base() const {
    const base_config& b = base;
    detail::check_some_stages("base.channels", b.channels);
    if (b.blocks.size() != b.channels.size())
      fail("latent_config: base.blocks has ", b.blocks.size(), " entries, expected one for each of the ",
           b.channels.size(), " of base.channels");
    for (const extent n : b.blocks) detail::check_blocks("base.blocks", n);
    for (const extent c : b.channels)
      detail::check_heads("base", c, b.head_depth > 0 && c % b.head_depth == 0 ? c / b.head_depth : 0);
    detail::check_share("base.dropout", b.dropout);
    detail::check_share("base.label_dropout", b.label_dropout);
    detail::check_above("noise_logsnr", noise_logsnr, "base.logsnr_min", b.logsnr_min);
  }
};

}  // namespace ul
