#include <doctest/doctest.h>

#include <string>

#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/latent/config_json.hpp>
#include <ul/latent/presets.hpp>

namespace {

using namespace ul;

std::string refusal(const std::string& text) {
  const json object = parse_json(text, "model.json");
  try {
    latent_config_from(object, "model.json");
  } catch (const error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a config is the same after a round trip through JSON") {
  for (const std::string_view name : latent_preset_names) {
    const latent_config c = latent_preset(name);
    c.validate();
    const json object = to_json(c);
    CHECK(to_json(latent_config_from(parse_json(to_text(object, 2)))) == object);
  }
  const json partial = parse_json(R"({"channels": 4, "decoder": {"loss_factor": 1.5}})");
  const latent_config c = latent_config_from(partial);
  CHECK(c.channels == 4);
  CHECK(c.decoder.loss_factor == 1.5);
  CHECK(c.decoder.bias == latent_config{}.decoder.bias);
}

TEST_CASE("a config that cannot work is refused by file, key and numbers") {
  CHECK(refusal(R"({"base": {"chanels": [1]}})") ==
        "model.json: unknown key base.chanels, did you mean base.channels?");
  CHECK(refusal(R"({"decoder": {"bias": "high"}})") == "model.json: decoder.bias must be a number, got string");
  CHECK(refusal(R"({"image": [1, 2, 3, 4, 5, 6]})") == "model.json: image has 6 axes, expected at most 5");
  CHECK(refusal(R"({"image": [28, -28, 1]})") == "model.json: image has an axis of -28, expected at least 0");
  CHECK(refusal(R"({"image": [28, 28]})").find("image is (28, 28), expected (H, W, C)") != std::string::npos);
  CHECK(refusal(R"({"prior": {"heads": 5}})").find("heads of prior, 5, do not divide its 96 channels") !=
        std::string::npos);
  CHECK(refusal(R"({"decoder": {"patch": 4}})").find("the decoder's factor is 8, expected that of the encoder, 4") !=
        std::string::npos);
  CHECK(refusal(R"({"base": {"blocks": [1]}})").find("base.blocks has 1 entries, expected one for each of the 2") !=
        std::string::npos);
  CHECK(refusal(R"({"base": {"head_depth": 48}})").find("do not divide its 128 channels") != std::string::npos);
  CHECK(refusal(R"({"noise_logsnr": -11})").find("prior.logsnr_min is -10, expected below noise_logsnr, -11") !=
        std::string::npos);
  CHECK(refusal(R"({"decoder": {"loss_factor": 0}})").find("loss_factor is 0, expected above 0") != std::string::npos);
  CHECK(refusal(R"({"decoder": {"dropout": 1}})").find("decoder.dropout is 1, expected in [0, 1)") !=
        std::string::npos);
  CHECK(refusal(R"({"prior": {"normal_kl": -1}})").find("normal_kl is -1, expected at least 0") != std::string::npos);
  CHECK(refusal(R"({"prior": {"blocks": -1}})").find("prior.blocks is -1, expected 0 to 1000") != std::string::npos);
  CHECK(refusal(R"({"base": {"blocks": [1, 1001]}})").find("base.blocks is 1001, expected 0 to 1000") !=
        std::string::npos);
  CHECK(
      refusal(R"({"base": {"channels": [128, 2097152]}})").find("base.channels is 2097152, expected at most 1048576") !=
      std::string::npos);
  CHECK(refusal(R"({"encoder": {"channels": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}})")
            .find("encoder.channels has 17 entries, expected at most 16") != std::string::npos);
  CHECK(refusal(R"({"classes": -1})").find("classes is -1, expected at least 0") != std::string::npos);
}

TEST_CASE("an unknown preset is refused with the nearest name and the list") {
  try {
    latent_preset("fashon");
    FAIL("accepted");
  } catch (const error& e) {
    CHECK(std::string(e.what()) ==
          "preset: \"fashon\" is not known, did you mean fashion? The presets are tiny, fashion, cifar, paper-512");
  }
}
