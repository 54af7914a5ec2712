#pragma once
// As much training as fits a given time on the machine at hand.

#include <ul/data/pictures.hpp>
#include <ul/data/subset.hpp>
#include <ul/train/progress_line.hpp>
#include <ul/train/trainees.hpp>

namespace ul {

// The settings with other numbers of steps: both stages together take about `seconds`, encoding, pictures and
// checkpoints included, three fifths of it stage 1. A few steps are taken and thrown away to find out. A stage of no
// steps stays so. Throws ul::error for settings that cannot work.
template <element T = float, backend B>
run_settings fitted_to(double seconds, B& device, run_settings s, const data_split& data) {
  s.validate();
  trainees<B, T> scratch(device, s);
  scratch.begin();
  // The least of three: the first one still has to find its memory.
  const auto time_of = [](auto&& action) {
    double least = 1e300;
    for (int i = 0; i < 3; ++i) {
      const double start = detail::steady_seconds();
      action();
      least = (std::min)(least, detail::steady_seconds() - start);
    }
    return least;
  };
  const auto steps_in = [](double time, double step) {
    return (std::max)(extent{1}, static_cast<extent>((std::min)(time / step, 1e9)));
  };
  const bool first = s.stage1.steps > 0, second = s.stage2.steps > 0;
  const extent size = data.train.size();
  double left = 0.8 * seconds;  // the rest is for what is looked at and saved
  double step1 = 0, step2 = 0;
  if (first) {
    const extent n = (std::min)(s.stage1.batch, size);
    const auto x = pictures_of<T>(device, data.train, 0, n);
    step1 =
        time_of([&] { scratch.stage1()->step(0, x); }) * static_cast<double>(s.stage1.batch) / static_cast<double>(n);
  }
  if (second) {
    const extent n = (std::min)(s.stage2.batch, size);
    scratch.end_stage1();
    tensor<B, T> z;
    const double encoding = time_of([&] { z = encode(scratch.model(), pictures_of<T>(device, data.train, 0, n)); }) /
                            static_cast<double>(n);
    std::vector<extent> labels;
    for (extent i = 0; i < n; ++i) labels.push_back(label_of(data.train, i));
    scratch.begin_stage2(1);
    const double each = time_of([&] { scratch.stage2()->step(0, z, labels); }) / static_cast<double>(n);
    step2 = (each + (s.cache_latents ? 0 : encoding)) * static_cast<double>(s.stage2.batch);
    if (s.cache_latents) left -= encoding * static_cast<double>(size) * (s.flip ? 2 : 1);
  }
  left = (std::max)(left, 0.2 * seconds);
  if (first) s.stage1.steps = steps_in(second ? 0.6 * left : left, step1);
  if (second) s.stage2.steps = steps_in(first ? 0.4 * left : left, step2);
  return s;
}

}  // namespace ul
