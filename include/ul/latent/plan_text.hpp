#pragma once
// A plan as a table.

#include <cstdio>
#include <string>

#include <ul/latent/plan.hpp>

namespace ul {

namespace detail {

// "12.3 GFLOP": the number with the prefix of its size, `step` of one prefix being one of the next.
inline std::string with_prefix(double number, double step, const char* const (&units)[5]) {
  int i = 0;
  for (; i < 4 && number >= 999.5; ++i) number /= step;
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %s", number, units[i]);
  return text;
}
inline std::string flops_text(std::int64_t flops) {
  return with_prefix(static_cast<double>(flops), 1000, {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"});
}
inline std::string bytes_text(extent bytes) {
  return with_prefix(static_cast<double>(bytes), 1024, {"B", "KiB", "MiB", "GiB", "TiB"});
}

}  // namespace detail

// What each network holds and one forward pass of one sample costs; then a step of training and a sample, of one sample
// and, in bytes, of the batch.
inline std::string to_text(const latent_plan& p) {
  std::string text;
  const auto line = [&](const std::string& name, const std::string& a, const std::string& b) {
    char row[128];
    std::snprintf(row, sizeof row, "%-28s %16s %16s\n", name.c_str(), a.c_str(), b.c_str());
    text += row;
  };
  const auto network = [&](const char* name, const network_plan& n) {
    line(name, std::to_string(n.parameters), detail::flops_text(n.flops));
  };
  const auto step = [&](const std::string& name, const step_plan& s) {
    line(name, detail::flops_text(s.flops), detail::bytes_text(s.bytes));
  };
  const sample_options& s = p.options.sampling;
  line("", "parameters", "forward");
  network("encoder", p.encoder);
  network("prior", p.prior);
  network("decoder", p.decoder);
  network("base model", p.base);
  network("all", p.total());
  text += '\n';
  line("", "one picture", "memory, " + std::to_string(p.options.batch));
  step("step of stage 1", p.stage1);
  step("step of stage 2", p.stage2);
  step("sample, " + std::to_string(s.latent_steps) + " + " + std::to_string(s.decoder.steps) + " steps", p.sample);
  return text;
}

}  // namespace ul
