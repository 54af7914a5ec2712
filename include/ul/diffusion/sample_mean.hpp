#pragma once

#include <ul/core/checked.hpp>
#include <ul/core/math.hpp>

namespace ul {

// The mean of numbers that arrive one by one, with its standard error. Two can be merged.
// Source: Welford, Technometrics 4 (1962) 419; merging: Chan, Golub and LeVeque, COMPSTAT 1982.
class sample_mean {
 public:
  void add(double x) {
    ++count_;
    const double before = x - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (x - mean_);
  }
  void merge(const sample_mean& other) {
    if (other.count_ == 0) return;
    const double n = static_cast<double>(count_), m = static_cast<double>(other.count_), d = other.mean_ - mean_;
    count_ += other.count_;
    mean_ += d * m / (n + m);
    squares_ += other.squares_ + d * d * n * m / (n + m);
  }

  extent count() const { return count_; }
  double mean() const { return mean_; }
  double variance() const { return count_ < 2 ? 0 : squares_ / static_cast<double>(count_ - 1); }
  // Of the mean, for independent numbers; 0 for fewer than two.
  double standard_error() const { return count_ < 2 ? 0 : sqrt(variance() / static_cast<double>(count_)); }

 private:
  extent count_ = 0;
  double mean_ = 0, squares_ = 0;
};

}  // namespace ul
