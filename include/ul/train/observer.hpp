#pragma once
// What a training loop tells after every step, and who listens.
//
//   std::vector<ul::step_observer> observers{std::ref(progress), [&](const ul::step_report& r) { log.append(ul::to_json(r));
//   }}; ul::notify(observers, report);

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/io/json.hpp>

namespace ul {

struct step_report {
  extent step = 0;            // steps done, this one included
  extent steps = 0;           // in the whole run
  double loss = 0;            // nats per image
  double bits_per_pixel = 0;  // of the latent bound
  double gradient_norm = 0;
  double rate = 0;                                          // the learning rate
  extent images = 0;                                        // in this step
  double flops = 0;                                         // of this step
  bool skipped = false;                                     // the numbers were not finite, the weights are as they were
  std::vector<std::pair<std::string, double>> values = {};  // the parts of the loss, and whatever else is worth telling
};

using step_observer = std::function<void(const step_report&)>;

// Calls them in turn; what one throws ends the step.
inline void notify(const std::vector<step_observer>& observers, const step_report& report) {
  for (const step_observer& each : observers) each(report);
}

// One line of metrics. A number that is not finite becomes null, for JSON has no other word.
inline json to_json(const step_report& r) {
  const auto number = [](double x) { return std::isfinite(x) ? json(x) : json(); };
  json line = json::object{{"step", r.step},
                           {"loss", number(r.loss)},
                           {"bits_per_pixel", number(r.bits_per_pixel)},
                           {"gradient_norm", number(r.gradient_norm)},
                           {"rate", number(r.rate)}};
  for (const auto& [name, value] : r.values) line.set(name, number(value));
  if (r.skipped) line.set("skipped", true);
  return line;
}

}  // namespace ul
