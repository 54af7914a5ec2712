#pragma once
// One line that tells how training goes, on a stream of the caller's: written over in place on a terminal, and now and
// then a plain line elsewhere.
//
//   ul::progress_line progress(std::cerr, {.kind = isatty(2) ? ul::stream_kind::terminal : ul::stream_kind::plain});
//   progress(report);     // after every step
//   progress.finish();

#include <charconv>
#include <chrono>
#include <ostream>

#include <ul/train/observer.hpp>

namespace ul {

enum class stream_kind { terminal, plain };

struct progress_options {
  stream_kind kind = stream_kind::plain;
  double terminal_interval = 0.25;  // seconds between two lines
  double plain_interval = 10;
  double memory = 20;  // seconds after which speed is mostly forgotten
};

namespace detail {

// A number with about three digits, without the locale: "0.734", "37.1", "412".
inline std::string short_number(double x) {
  if (!std::isfinite(x)) return std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const double size = std::abs(x);
  const int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::fixed, digits).ptr};
}

// "1:05" or "2:00:07"
inline std::string duration_text(double seconds) {
  const auto total = static_cast<long long>((std::min)((std::max)(seconds, 0.) + 0.5, 1e9));
  const auto two = [](long long n) { return describe(n < 10 ? "0" : "", n); };
  const message hours =
      total >= 3600 ? describe(total / 3600, ":", two(total / 60 % 60).c_str()) : describe(total / 60);
  return describe(hours.c_str(), ":", two(total % 60).c_str()).c_str();
}

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace detail

class progress_line {
 public:
  // `now` gives seconds from any origin. The time to the first report counts as that of its step.
  explicit progress_line(std::ostream& out, const progress_options& options = {},
                         std::function<double()> now = detail::steady_seconds)
      : out_(out), options_(options), now_(std::move(now)), last_(now_()), shown_(-1e300) {}

  // Takes note of a step, and shows the line when it is time, or the last step.
  void operator()(const step_report& r) {
    const double time = now_(), passed = time - last_;
    last_ = time;
    const double keep = std::exp(-passed / options_.memory);
    const auto add = [&](double& sum, double x) { sum = sum * keep + x; };
    add(seconds_, passed);
    add(steps_, 1);
    add(images_, static_cast<double>(r.images));
    add(flops_, r.flops);
    skipped_ += r.skipped;
    const bool terminal = options_.kind == stream_kind::terminal;
    const double interval = terminal ? options_.terminal_interval : options_.plain_interval;
    if (time - shown_ < interval && r.step != r.steps) return;
    shown_ = time;
    out_ << (terminal ? "\r" : "") << text(r) << (terminal ? "\x1b[K" : "\n") << std::flush;
    open_ = terminal;
  }

  // Ends the line, so that other text may follow.
  void finish() {
    if (open_) out_ << '\n' << std::flush;
    open_ = false;
  }

 private:
  std::string text(const step_report& r) const {
    using detail::short_number;
    std::string line = "step " + std::to_string(r.step);
    if (r.steps > 0) line += "/" + std::to_string(r.steps);
    line += "  loss " + short_number(r.loss) + "  " + short_number(r.bits_per_pixel) + " bits/pixel";
    if (seconds_ > 0) {
      line += "  " + short_number(images_ / seconds_) + " images/s";
      if (flops_ > 0) line += "  " + short_number(flops_ / seconds_ * 1e-9) + " GFLOP/s";
      if (r.steps > 0) {
        line += "  ETA " + detail::duration_text(static_cast<double>(r.steps - r.step) * seconds_ / steps_);
      }
    }
    if (skipped_ > 0) line += "  skipped " + std::to_string(skipped_);
    return line;
  }

  std::ostream& out_;
  progress_options options_;
  std::function<double()> now_;
  double last_, shown_;
  double seconds_ = 0, steps_ = 0, images_ = 0, flops_ = 0;  // older ones count less
  extent skipped_ = 0;
  bool open_ = false;
};

}  // namespace ul
