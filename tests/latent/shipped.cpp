// The shipped model on the CPU.

#include <doctest/doctest.h>

#include <ul/compiled.hpp>
#include <ul/latent/model_file.hpp>

#include "../sanitized.hpp"
#include "../threads.hpp"

using namespace ul;

TEST_CASE("a sample has the same bits in any batch, on any number of threads") {
  constexpr extent count = test::sanitized ? 2 : 64;
  sample_options o{.count = count, .classes = {3}, .latent_steps = 3, .decoder = {.steps = 2}};
  std::vector<float> first;
  for (const cpu_options& setting : test::thread_settings()) {
    if (setting.threads > 2) continue;
    cpu device(setting);
    CHECK(test::threads_of(device, setting.threads) == setting.threads);
    const auto model = load(device, UL_SOURCE_DIR "/models/fashion.safetensors");
    for (const extent batch : {count, extent{1}}) {
      o.batch = batch;
      const std::vector<float> made = to_host(sample(model, o));
      if (first.empty()) first = made;
      INFO(test::name_of(setting), ", batch ", batch);
      CHECK(made == first);
    }
  }
}
