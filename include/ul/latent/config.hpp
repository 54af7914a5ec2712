#pragma once
// The sizes and constants of a Unified Latents model. Every field has a default that suits pictures of about 32 x 32 on a
// CPU; the paper's sizes are other values of the same fields.
// Source: Heek et al., Unified Latents, arXiv 2602.17270, section 3.

#include <vector>

#include <ul/core/extents.hpp>

namespace ul {

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
};

// Convolutional stages down and up around a transformer on the latent grid; patch * 2^stages is the encoder's factor.
struct decoder_config {
  extent patch = 2;
  std::vector<extent> channels = {48};
  extent blocks = 2;  // residual blocks in a stage, each way
  extent middle_channels = 128;
  extent middle_blocks = 3;
  extent heads = 4;
  double dropout = 0.1;  // in the transformer
  double logsnr_max = 10, logsnr_min = -10, shift = 0;  // of the pictures' schedule, a shifted cosine
  double bias = 2;                                      // b of the sigmoid weighting
  double loss_factor = 2.5;                             // c_lf; at or below 1 the latent collapses
};

struct latent_config {
  ul::extents image = {28, 28, 1};  // (H, W, C)
  extent channels = 12;             // of the latent
  double noise_logsnr = 5;      // lambda_z(0): the fixed noise of the encoder, where the prior's schedule starts
  encoder_config encoder = {};
  prior_config prior = {};
  decoder_config decoder = {};

  // How much coarser the latent grid is than the picture, along each axis.
  extent factor() const {
    extent f = encoder.patch;
    for (std::size_t i = 1; i < encoder.channels.size(); ++i) f = checked_mul(f, 2, "latent_config");
    return f;
  }
  // The extents of one latent (h, w, c); a picture that does not divide is padded.
  ul::extents latent() const { return {ceil_div(image[0], factor()), ceil_div(image[1], factor()), channels}; }
  extent pixels() const { return image[0] * image[1]; }

  // Throws ul::error naming the field for sizes that cannot work.
  void validate() const {
    const auto positive = [](const char* what, extent n) {
      if (n < 1) fail("latent_config: ", what, " is ", n, ", expected at least 1");
    };
    if (image.rank() != 3 || image.size() == 0) fail("latent_config: image is ", image, ", expected (H, W, C)");
    positive("channels", channels);
    positive("encoder.patch", encoder.patch);
    positive("decoder.patch", decoder.patch);
    if (encoder.channels.empty()) fail("latent_config: encoder.channels is empty, expected one entry for each stage");
    for (const extent c : encoder.channels) positive("encoder.channels", c);
    for (const extent c : decoder.channels) positive("decoder.channels", c);
    extent f = decoder.patch;
    for (std::size_t i = 0; i < decoder.channels.size(); ++i) f = checked_mul(f, 2, "latent_config");
    if (f != factor())
      fail("latent_config: the decoder's factor is ", f, ", expected that of the encoder, ", factor());
    const auto heads = [](const char* what, extent width, extent count) {
      if (count < 1 || width % count != 0)
        fail("latent_config: ", what, ".heads is ", count, ", which does not divide ", width, " channels");
    };
    heads("prior", prior.channels, prior.heads);
    heads("decoder", decoder.middle_channels, decoder.heads);
    if (!(noise_logsnr > prior.logsnr_min))
      fail("latent_config: prior.logsnr_min is ", prior.logsnr_min, ", expected below noise_logsnr, ", noise_logsnr);
    if (!(decoder.logsnr_max > decoder.logsnr_min))
      fail("latent_config: decoder.logsnr_min is ", decoder.logsnr_min, ", expected below logsnr_max, ",
           decoder.logsnr_max);
    if (!(decoder.loss_factor > 0))
      fail("latent_config: decoder.loss_factor is ", decoder.loss_factor, ", expected above 0");
  }
};

}  // namespace ul
