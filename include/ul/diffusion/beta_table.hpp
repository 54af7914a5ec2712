#pragma once
// The discrete noise tables of DDPM and its descendants: alpha_bar[i] = product over j <= i of (1 - beta_j), the
// alpha^2 of step i, least noisy first. In single precision the tables are rounded at every stage as the published
// code's are, so that its runs can be replayed; otherwise they are double.

#include <vector>

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/tabulated_schedule.hpp>

namespace ul {

enum class table_precision { float32, float64 };

struct beta_table {
  std::vector<double> betas;
  std::vector<double> alpha_bar;

  extent size() const { return static_cast<extent>(alpha_bar.size()); }
  double logsnr(extent i) const { return logsnr_from_alpha_squared(alpha_bar.at(static_cast<std::size_t>(i))); }

  // Time t = i / (size - 1) at table step i, log-SNR linear in between.
  tabulated_schedule schedule() const {
    tabulated_schedule s;
    for (extent i = 0; i < size(); ++i) s.levels.push_back(logsnr(i));
    return s;
  }
};

namespace detail {

inline double rounded(double x, table_precision p) {
  return p == table_precision::float32 ? static_cast<double>(static_cast<float>(x)) : x;
}

// n numbers from a to b, the second half counted down from b, as PyTorch fills them.
inline std::vector<double> spaced(double a, double b, extent n, table_precision p) {
  const double first = rounded(a, p), last = rounded(b, p);
  const double step = rounded((last - first) / static_cast<double>(n - 1), p);
  std::vector<double> out;
  for (extent i = 0; i < n; ++i)
    out.push_back(
        rounded(i < n / 2 ? first + step * static_cast<double>(i) : last - step * static_cast<double>(n - 1 - i), p));
  return out;
}

inline beta_table table_of(std::vector<double> betas, table_precision p) {
  beta_table t{std::move(betas), {}};
  double product = 1;
  for (const double beta : t.betas) {
    if (!(beta > 0 && beta < 1)) fail("beta_table: a beta is ", beta, ", expected between 0 and 1");
    product = rounded(product * rounded(1 - beta, p), p);
    t.alpha_bar.push_back(product);
  }
  return t;
}

inline void check_table(const char* what, extent n) {
  if (n < 2) fail(what, ": ", n, " steps, expected at least 2");
}

}  // namespace detail

// beta linear over n steps. Source: Ho et al., arXiv 2006.11239, section 4: 1e-4 to 0.02 over 1000.
inline beta_table linear_beta_table(extent n = 1000, double beta_first = 1e-4, double beta_last = 0.02,
                                    table_precision p = table_precision::float64) {
  detail::check_table("linear_beta_table", n);
  return detail::table_of(detail::spaced(beta_first, beta_last, n, p), p);
}

// The square root of beta linear over n steps. Source: Rombach et al., arXiv 2112.10752, and their code.
inline beta_table scaled_linear_beta_table(extent n = 1000, double beta_first = 0.00085, double beta_last = 0.012,
                                           table_precision p = table_precision::float64) {
  detail::check_table("scaled_linear_beta_table", n);
  std::vector<double> betas = detail::spaced(sqrt(beta_first), sqrt(beta_last), n, p);
  for (double& beta : betas) beta = detail::rounded(beta * beta, p);
  return detail::table_of(std::move(betas), p);
}

// beta from alpha_bar = cos^2 of the time, offset at both ends, each beta at most `cap`.
// Source: Nichol and Dhariwal, arXiv 2102.09672, equation 17: offset 0.008, cap 0.999.
inline beta_table cosine_beta_table(extent n = 1000, double offset = 0.008, double cap = 0.999,
                                    table_precision p = table_precision::float64) {
  detail::check_table("cosine_beta_table", n);
  const auto kept = [&](extent i) {
    const double angle = (static_cast<double>(i) / static_cast<double>(n) + offset) / (1 + offset) * 1.5707963267948966;
    return cos(angle) * cos(angle);
  };
  std::vector<double> betas;
  for (extent i = 0; i < n; ++i) betas.push_back(detail::rounded(minimum(1 - kept(i + 1) / kept(i), cap), p));
  return detail::table_of(std::move(betas), p);
}

// The table stretched in alpha so that its last step is pure noise (log-SNR -infinity) and its first is unchanged.
// Source: Lin et al., Common Diffusion Noise Schedules and Sample Steps are Flawed, arXiv 2305.08891, algorithm 1.
inline beta_table with_zero_terminal_snr(beta_table t) {
  const double first = sqrt(t.alpha_bar.front()), last = sqrt(t.alpha_bar.back());
  double before = 1;
  for (std::size_t i = 0; i < t.alpha_bar.size(); ++i) {
    const double root = (sqrt(t.alpha_bar[i]) - last) * first / (first - last);
    t.alpha_bar[i] = root * root;
    t.betas[i] = 1 - t.alpha_bar[i] / before;
    before = t.alpha_bar[i];
  }
  return t;
}

}  // namespace ul
