#pragma once
// The settings of sampling as command-line options.

#include <CLI/CLI.hpp>
#include <ul/io/json.hpp>
#include <ul/latent/sample.hpp>

struct sampling {
  ul::sample_options options;
  std::string source = "best";
  std::string latent_sampler{ul::name_of(options.latent_sampler)};
  std::string decoder_sampler{ul::name_of(options.decoder.sampler)};

  void add_decoder_to(CLI::App& app) {
    app.add_option("--decoder-steps", options.decoder.steps, "of the decoder's sampler")->check(CLI::Range(1, 100000));
    app.add_option("--decoder-sampler", decoder_sampler, "of the pictures");
  }
  void add_to(CLI::App& app) {
    app.add_option("--source", source, "who makes the latents")->check(CLI::IsMember({"best", "base", "prior"}));
    app.add_option("--steps", options.latent_steps, "of the latents' sampler")->check(CLI::Range(1, 100000));
    app.add_option("--sampler", latent_sampler, "of the latents");
    app.add_option("--guidance", options.guidance.scale, "1: none");
    add_decoder_to(app);
    app.add_option("--batch", options.batch, "pictures at once; it changes none")->check(CLI::Range(1, 65536));
  }

  // Throws ul::error for a sampler that is not known.
  ul::sample_options resolved() const {
    ul::sample_options o = options;
    o.source = source == "base"    ? ul::latent_source::base
               : source == "prior" ? ul::latent_source::prior
                                   : ul::latent_source::best;
    o.latent_sampler = ul::sampler_named(latent_sampler);
    o.decoder.sampler = ul::sampler_named(decoder_sampler);
    return o;
  }
};

// Throws ul::error for guidance away from a class that nothing is told.
template <class Model>
void check_guidance(const Model& model, const ul::sample_options& o) {
  if (o.guidance.scale == 1) return;
  if (!ul::uses_base(model, o.source))
    ul::fail("--guidance ", o.guidance.scale, ": only a base model is guided, and the prior makes these latents");
  if (model.config().classes == 0)
    ul::fail("--guidance ", o.guidance.scale, ": the model was trained without classes to be guided by");
}

// What decides a picture beside its seed and class.
inline ul::json to_json(const sampling& s) {
  return ul::json::object{{"source", s.source},
                          {"steps", s.options.latent_steps},
                          {"sampler", s.latent_sampler},
                          {"guidance", s.options.guidance.scale},
                          {"decoder_steps", s.options.decoder.steps},
                          {"decoder_sampler", s.decoder_sampler}};
}
