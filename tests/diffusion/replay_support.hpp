#pragma once
// What replays of published runs share: the entries of tests/data/diffusion.json, states of 768 numbers, and the dummy
// network model(x, t) = x t / (t + 1).

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <ul/core/torch_stream.hpp>
#include <ul/diffusion/beta_table.hpp>
#include <ul/diffusion/sampler.hpp>

namespace test {

using json = nlohmann::json;
using many = std::vector<double>;

inline json load() {
  std::ifstream file(UL_SOURCE_DIR "/tests/data/diffusion.json");
  REQUIRE(file);
  return json::parse(file);
}

// The value of each of the 4 x 3 x 8 x 8 elements in memory order (b, c, h, w).
template <class F>
many filled(F f) {
  many x;
  for (int b = 0; b < 4; ++b)
    for (int i = 0; i < 192; ++i) x.push_back(f(4 * i + b));
  return x;
}
inline many dummy_sample() {
  return filled([](int i) { return i / 768.0; });
}
inline many dummy_noise() {
  return filled([](int i) { return (767 - i) / 768.0; });
}
inline many dummy_model(const many& x, double t) { return ul::combine(t / (t + 1), x); }

// Draws follow one another in the stream, whatever their number.
inline auto torch_noise() {
  return [stream = ul::torch_stream(0)](ul::extent) mutable {
    std::vector<float> draw(768);
    stream.normal(draw.data(), 768);
    return many(draw.begin(), draw.end());
  };
}

inline ul::beta_table table_of(const json& schedule) {
  const std::string kind = schedule.at("beta_schedule");
  const ul::extent n = schedule.at("num_train_timesteps");
  const auto p = ul::table_precision::float32;
  if (kind == "linear") return ul::linear_beta_table(n, schedule.at("beta_start"), schedule.at("beta_end"), p);
  if (kind.starts_with("scaled_linear"))
    return ul::scaled_linear_beta_table(n, schedule.at("beta_start"), schedule.at("beta_end"), p);
  REQUIRE(kind.starts_with("squared-cosine"));
  return ul::cosine_beta_table(n, 0.008, 0.999, p);
}

inline std::vector<double> times_of(const json& setting) { return setting.at("timesteps").get<std::vector<double>>(); }

// f(prediction) for the prediction the entry names.
template <class F>
many with_prediction(const json& setting, F f) {
  return setting.at("prediction") == "v" ? f(ul::v_prediction{}) : f(ul::eps_prediction{});
}

inline many noised(const ul::logsnr_grid& grid, ul::extent i) {
  return ul::combine(ul::alpha(grid[i]), dummy_sample(), ul::sigma(grid[i]), dummy_noise());
}
inline bool is_tail(const json& entry) {
  const std::string id = entry.at("id");
  return id.ends_with("_tail");
}

}  // namespace test
