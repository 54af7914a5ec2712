#pragma once
// The one JSON form of a latent_config: its members under their own names.

#include <ul/io/record.hpp>
#include <ul/latent/config.hpp>

namespace ul {

template <fields_of<encoder_config> C, class Visit>
void for_each_field(C& c, Visit&& visit) {
  visit("patch", c.patch);
  visit("channels", c.channels);
  visit("blocks", c.blocks);
  visit("last_blocks", c.last_blocks);
}

template <fields_of<prior_config> C, class Visit>
void for_each_field(C& c, Visit&& visit) {
  visit("channels", c.channels);
  visit("blocks", c.blocks);
  visit("heads", c.heads);
  visit("logsnr_min", c.logsnr_min);
  visit("stop_gradient", c.stop_gradient);
  visit("normal_kl", c.normal_kl);
}

template <fields_of<decoder_config> C, class Visit>
void for_each_field(C& c, Visit&& visit) {
  visit("patch", c.patch);
  visit("channels", c.channels);
  visit("blocks", c.blocks);
  visit("middle_channels", c.middle_channels);
  visit("middle_blocks", c.middle_blocks);
  visit("heads", c.heads);
  visit("dropout", c.dropout);
  visit("logsnr_max", c.logsnr_max);
  visit("logsnr_min", c.logsnr_min);
  visit("shift", c.shift);
  visit("bias", c.bias);
  visit("loss_factor", c.loss_factor);
}

template <fields_of<base_config> C, class Visit>
void for_each_field(C& c, Visit&& visit) {
  visit("channels", c.channels);
  visit("blocks", c.blocks);
  visit("head_depth", c.head_depth);
  visit("dropout", c.dropout);
  visit("logsnr_min", c.logsnr_min);
  visit("bias", c.bias);
  visit("label_dropout", c.label_dropout);
}

template <fields_of<latent_config> C, class Visit>
void for_each_field(C& c, Visit&& visit) {
  visit("image", c.image);
  visit("classes", c.classes);
  visit("channels", c.channels);
  visit("noise_logsnr", c.noise_logsnr);
  visit("encoder", c.encoder);
  visit("prior", c.prior);
  visit("decoder", c.decoder);
  visit("base", c.base);
}

// Throws ul::error naming the file and the key: unknown, of another type, or sizes that cannot work.
inline latent_config latent_config_from(const json& object, std::string_view name = "config",
                                        const latent_config& defaults = {}) {
  latent_config c = record_from(object, name, defaults);
  try {
    c.validate();
  } catch (const error& e) {
    fail(printable(name), ": ", e.what());
  }
  return c;
}

}  // namespace ul
