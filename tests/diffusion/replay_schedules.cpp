// Published schedules from tests/data/diffusion.json, and the rules that space times in a table.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <ul/diffusion/grid.hpp>
#include <ul/diffusion/replay.hpp>
#include <ul/diffusion/sample_ancestral.hpp>

#include "replay_support.hpp"

namespace {

using test::json;
using test::load;
using test::table_of;

}  // namespace

TEST_CASE("published schedules") {
  const json file = load();
  int count = 0;
  for (const json& entry : file.at("vectors")) {
    if (entry.at("area") != "schedule") continue;
    ++count;
    const std::string id = entry.at("id");
    INFO(id);
    const json &setting = entry.at("setting"), &expected = entry.at("expected");
    if (id == "ddpm_posterior_variance") {
      const auto table = table_of(setting);
      const auto variance = [&](ul::extent t) {
        return ul::posterior_variance(table.logsnr(t), t == 0 ? ul::logsnr_of_clean : table.logsnr(t - 1));
      };
      for (const int t : {0, 487, 999})
        CHECK(std::abs(variance(t) - expected.at("t=" + std::to_string(t)).get<double>()) <= 1e-5);
    } else if (id == "ddim_timesteps_offset") {
      CHECK(ul::replay::leading_times(setting.at("num_train_timesteps"), setting.at("steps"),
                                      setting.at("steps_offset")) ==
            expected.at("timesteps").get<std::vector<double>>());
    } else if (id == "flow_karras_sigma_grid") {
      const auto grid = ul::karras_grid(setting.at("steps").get<ul::extent>() - 1,
                                        {.sigma_min = setting.at("sigma_min"), .sigma_max = setting.at("sigma_max")})
                            .then(ul::logsnr_of_clean);
      for (ul::extent i = 0; i <= grid.steps(); ++i) {
        const double s = expected.at("sigmas").at(static_cast<std::size_t>(i));
        CHECK(std::abs(ul::flow_time(grid[i]) - s) <= 1e-8 + 1e-5 * s);
        if (i < grid.steps())
          CHECK(std::floor(1000 * ul::flow_time(grid[i])) == expected.at("timesteps").at(static_cast<std::size_t>(i)));
      }
    } else {
      REQUIRE(id == "karras_grid_18");
      const auto grid = ul::karras_grid(setting.at("n").get<ul::extent>() - 1);
      for (ul::extent i = 0; i <= grid.steps(); ++i) {
        const double s = expected.at("sigmas").at(static_cast<std::size_t>(i));
        CHECK(std::abs(ul::edm_sigma(grid[i]) - s) <= 1e-9 * s);
      }
    }
  }
  CHECK(count == 4);
}

TEST_CASE("spacing rules") {
  using ul::replay::rounded_to_even;
  CHECK(rounded_to_even(2.5) == 2);
  CHECK(rounded_to_even(3.5) == 4);
  CHECK(rounded_to_even(3.49) == 3);
  CHECK(ul::replay::leading_times(1000, 4) == std::vector<double>{750, 500, 250, 0});
  CHECK(ul::replay::trailing_times(1000, 4) == std::vector<double>{999, 749, 499, 249});
  CHECK(ul::replay::linspace_times(1000, 10) == std::vector<double>{999, 899, 799, 699, 599, 500, 400, 300, 200, 100});
  CHECK_THROWS_WITH(ul::replay::leading_times(10, 11), "leading_times: 11 steps of a table of 10");
  CHECK_THROWS_WITH(ul::replay::trailing_times(10, 0), "trailing_times: 0 steps of a table of 10");
}
