#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>

#include <ul/latent/model_file.hpp>
#include <ul/latent/sample.hpp>

#include "support.hpp"

namespace {

using namespace latent_test;

std::string path(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::string("ul-model-") + name)).string();
}

std::string refusal(reference& device, byte_view bytes) {
  try {
    load<float>(device, bytes, "m.safetensors");
  } catch (const error& e) {
    CHECK(e.kind() == error_kind::input);
    return e.what();
  }
  return "";
}

// The file's tensors under another header, or with some of them changed.
byte_vector rewritten(const byte_vector& bytes, const std::function<void(safetensors&)>& change) {
  safetensors file = parse_safetensors(byte_view(bytes), "m");
  change(file);
  return encode_safetensors(file.tensors, file.metadata);
}

}  // namespace

TEST_CASE("a model is the same after it is saved and loaded") {
  shaken_model<float> s;
  const std::string file = path("whole.safetensors");
  save(file, s.m);
  const auto again = load(s.device, file);
  CHECK(to_json(again.config()) == to_json(s.m.config()));
  CHECK(again.stage1.scale.rms() == s.m.stage1.scale.rms());
  CHECK(again.stage2->scale.rms() == s.m.stage2->scale.rms());
  const sample_options o{.classes = {1}, .latent_steps = 2, .decoder = {.steps = 2}};
  CHECK(to_host(sample(again, o)) == to_host(sample(s.m, o)));

  const byte_vector bytes = read_file(file);
  CHECK(to_host(sample(load<float>(s.device, byte_view(bytes)), o)) == to_host(sample(s.m, o)));

  s.m.stage2.reset();
  save(file, s.m);
  CHECK(!load(s.device, file).stage2);

  save<fp16>(file, s.m);
  const auto rounded = load(s.device, file);
  const auto a = to_host(rounded.stage1.weights.value()), b = to_host(s.m.stage1.weights.value());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == static_cast<float>(static_cast<fp16>(b[i])));
  std::filesystem::remove(file);
}

TEST_CASE("files that hold no model, or another one, are refused") {
  shaken_model<float> s;
  const std::string name = path("faults.safetensors");
  save(name, s.m);
  const byte_vector good = read_file(name);
  std::filesystem::remove(name);
  CHECK(refusal(s.device, byte_view(good)) == "");

  const auto with = [&](const std::function<void(safetensors&)>& change) {
    const byte_vector bytes = rewritten(good, change);
    return refusal(s.device, byte_view(bytes));
  };
  const auto header = [&](const std::string& from, const std::string& to) {
    return with([&](safetensors& f) {
      std::string& text = f.metadata.at(0).second;
      REQUIRE(text.find(from) != text.npos);
      text.replace(text.find(from), from.size(), to);
    });
  };
  CHECK(with([](safetensors& f) { f.metadata.clear(); }) ==
        "m.safetensors: is no model of this library: there is no unified_latents in its metadata");
  CHECK(header("\"version\": 1", "\"version\": 2") == "m.safetensors: written by version 2, this reads version 1");
  CHECK(header("\"channels\": 2", "\"channels\": 3").find("m.safetensors: tensor ") == 0);
  CHECK(header("\"scale\": 0.4", "\"scale\": 0.0").find("scale is 0, expected above 0") != std::string::npos);
  CHECK(header("\"stop_gradient\"", "\"stop_gradients\"").find("did you mean prior.stop_gradient?") !=
        std::string::npos);
  CHECK(with([](safetensors& f) { f.tensors.erase(f.tensors.begin()); }).find("missing tensor base/") !=
        std::string::npos);
  CHECK(with([](safetensors& f) { f.tensors.back().name = "prior/extra"; }).find("missing tensor") !=
        std::string::npos);
  CHECK(with([](safetensors& f) {
          safetensors_tensor more = f.tensors.back();
          more.name = "prior/zzz";
          f.tensors.push_back(more);
        }) == "m.safetensors: unexpected tensor prior/zzz");
  CHECK(header("\"base_scale\": 0.5", "\"base_scale\": 0").find("unexpected tensor base/") != std::string::npos);
  byte_vector cut(good.begin(), good.end() - 1);
  CHECK(refusal(s.device, byte_view(cut)).find("m.safetensors") == 0);
  CHECK_THROWS_WITH_AS(load(s.device, path("absent")),
                       (path("absent") + ": cannot open: no such file or directory").c_str(), error);
}

TEST_CASE("sizes that no file of this length can have are refused before memory or time is spent") {
  reference device;
  const auto of_config = [&](const latent_config& c, double base_scale = 0) {
    const detail::model_header h{.config = c, .base_scale = base_scale};
    const byte_vector bytes = encode_safetensors({}, {{detail::model_header::key, detail::to_text(h)}});
    return refusal(device, byte_view(bytes));
  };
  latent_config deep = tiny(), wide = tiny(), wide_base = tiny(), deepest = tiny(), large = tiny(), coarse = tiny();
  deep.prior.blocks = 1'000'000;
  CHECK(of_config(deep) == "m.safetensors: latent_config: prior.blocks is 1000000, expected 0 to 1000");
  deep.prior.blocks = 1000;
  CHECK(of_config(deep).find(" bytes cannot hold the ") != std::string::npos);
  wide.prior.channels = 1 << 14;
  CHECK(of_config(wide).find("m.safetensors: ") == 0);
  CHECK(of_config(wide).find(" parameters of its config") != std::string::npos);
  wide_base.base.channels = {4, 1 << 14};
  CHECK(of_config(wide_base, 1) != of_config(wide_base));  // the base model counts where there is one
  CHECK(of_config(wide_base, 1).find(" parameters of its config") != std::string::npos);
  deepest.base.channels = std::vector<extent>(16, 4);
  deepest.base.blocks = std::vector<extent>(16, 1000);
  CHECK(of_config(deepest, 1).find(" parameters of its config") != std::string::npos);
  large.image = {extent{1} << 40, extent{1} << 20, 1};
  CHECK(of_config(large).find("m.safetensors: ") == 0);
  coarse.encoder.patch = coarse.decoder.patch = extent{1} << 40;
  CHECK(of_config(coarse).find("m.safetensors: ") == 0);
  CHECK(of_config(coarse).find("overflow") != std::string::npos);
}
