#pragma once
// Checks hand-written adjoints against central differences, in double. For an op of one's own:
//   check_gradient(my_op{}, x, weight);                                    an op, or a function of variables
//   check_parameter_gradient(store, [&](const auto& x) { return block(x); }, x);
// Every output is weighed by a fixed random number, so that one backward pass tests them all.

#include <cmath>
#include <tuple>
#include <vector>

#include <ul/core/normal.hpp>
#include <ul/grad/apply.hpp>
#include <ul/op/arithmetic.hpp>

namespace ul {

// |adjoint - difference| <= absolute + relative |difference| is asked of every element.
struct gradient_check {
  double step = 1e-6;  // x is moved by step * max(1, |x|) both ways
  double absolute = 1e-7, relative = 1e-6;
  extent stride = 1;  // only every stride-th element is moved
  std::uint64_t seed = 1;

  // The gradients of f (an op, or a callable from variables to a variable) in all its double inputs; others, such as
  // labels, are held. Also that each gradient is the same when it alone is wanted, that gradients add up where two
  // arrive, and that recording changes no value. Returns the worst |adjoint - difference|.
  // Throws ul::error naming the input and the element of the first breach.
  template <class F, class First, class... X>
  double inputs(const F& f, const First& first, const X&... rest) const {
    using B = typename First::backend_type;
    const std::tuple own{copy(first), copy(rest)...};
    constexpr std::size_t count = 1 + sizeof...(X);
    constexpr auto all = std::make_index_sequence<count>();
    const std::vector<double> plain =
        std::apply([&](const auto&... x) { return values(run(f, untracked(x)...)); }, own);
    const std::vector<double> weights = direction(plain.size());

    // The gradients of those inputs whose bit is set in `wanted`.
    const auto adjoint = [&]<std::size_t... I>(std::size_t wanted, bool twice, std::index_sequence<I...>) {
      tape<B> t;
      const std::tuple v{tracked(t, std::get<I>(own), (wanted >> I & 1) != 0)...};
      auto y = run(f, std::get<I>(v)...);
      compare_values(values(y), plain);
      if (twice) y = add(y, run(f, std::get<I>(v)...));
      if (y.wants_gradient()) t.backward(y, from_host<double>(y.device(), y.shape(), weights));
      return std::vector<std::vector<double>>{gradient_in(t, std::get<I>(v))...};
    };
    const auto found = adjoint((std::size_t{1} << count) - 1, false, all);
    compare_adjoints(adjoint((std::size_t{1} << count) - 1, true, all), found, 2, "twice in use");
    for (std::size_t i = 0; count > 1 && i < count; ++i) {
      auto alone = found;
      alone[i] = adjoint(std::size_t{1} << i, false, all)[i];
      compare_adjoints(alone, found, 1, "wanted alone");
    }

    double worst = 0;
    std::size_t input = 0;
    const auto evaluate = [&] {
      return weighed(std::apply([&](const auto&... x) { return values(run(f, untracked(x)...)); }, own), weights);
    };
    const auto compare = [&](const auto& x) {
      if constexpr (checked<decltype(x)>)
        if (x) worst = (std::max)(worst, moved(x, found[input], describe("input ", input).c_str(), evaluate));
      ++input;
    };
    std::apply([&](const auto&... x) { (compare(x), ...); }, own);
    return worst;
  }

  // The same for every parameter of a store that f uses; its inputs are held. Leaves the store's gradient behind.
  template <backend B, class F, class... X>
  double of_parameters(parameters<B, double>& store, const F& f, const X&... x) const {
    store.zero_gradient();
    std::vector<double> weights;
    {
      tape<B> t;
      const auto y = run(f, t.constant(x)...);
      weights = direction(static_cast<std::size_t>(y.size()));
      t.backward(y, from_host<double>(y.device(), y.shape(), weights));
    }
    const std::vector<double> found = to_host(store.gradient());
    double worst = 0;
    for (const parameter_entry& e : store.entries()) {
      const std::vector<double> part(found.begin() + e.offset, found.begin() + e.offset + e.shape.size());
      worst = (std::max)(worst, moved(store.part(store.value(), e), part, e.path.c_str(),
                                      [&] { return weighed(values(run(f, untracked(x)...)), weights); }));
    }
    return worst;
  }

 private:
  template <class X>
  static constexpr bool checked = std::is_same_v<typename std::remove_cvref_t<X>::value_type, double>;

  template <class F, class... V>
  static auto run(const F& f, const V&... x) {
    if constexpr (std::is_invocable_v<const F&, const V&...>)
      return f(x...);
    else
      return apply(f, x...);
  }
  template <backend B, element T>
  static tensor<B, T> copy(const tensor<B, T>& x) {
    return x ? clone(x) : x;
  }
  template <backend B, element T>
  static var<B, T> untracked(const tensor<B, T>& x) {
    return var<B, T>(x);
  }
  template <backend B, element T>
  static var<B, T> tracked(tape<B>& t, const tensor<B, T>& x, bool wanted) {
    if (!x) return {};
    if constexpr (std::is_same_v<T, double>)
      if (wanted) return t.watch(x);
    return t.constant(x);
  }
  template <backend B, element T>
  static std::vector<double> gradient_in(const tape<B>& t, const var<B, T>& x) {
    if constexpr (std::is_same_v<T, double>)
      if (x.wants_gradient() && t.gradient_of(x)) return to_host(t.gradient_of(x));
    return std::vector<double>(x ? static_cast<std::size_t>(x.size()) : 0);
  }
  template <class Y>
  static std::vector<double> values(const Y& y) {
    static_assert(std::is_same_v<typename Y::value_type, double>, "gradients are checked in double");
    return to_host(detail::value_of(y));
  }

  std::vector<double> direction(std::size_t count) const {
    std::vector<double> w(count);
    fill_normal(w.data(), static_cast<extent>(count), key(seed), 0);
    return w;
  }
  static double weighed(const std::vector<double>& y, const std::vector<double>& w) {
    long double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<long double>(w[i]) * y[i];
    return static_cast<double>(sum);
  }

  // Moves each element of x, which nobody else shares, and compares.
  template <backend B, class Evaluate>
  double moved(const tensor<B, double>& x, const std::vector<double>& adjoint, const char* what,
               const Evaluate& evaluate) const {
    const std::vector<double> at = to_host(x);
    double worst = 0;
    for (extent i = 0; i < x.size(); i += stride) {
      const double value = at[static_cast<std::size_t>(i)], h = step * (std::max)(1.0, std::fabs(value));
      const double up = value + h, down = value - h;
      const auto put = [&](double v) { x.device().upload(x.data() + i, &v, extent{sizeof v}); };
      put(up);
      const double above = evaluate();
      put(down);
      const double difference = (above - evaluate()) / (up - down);
      put(value);
      const double found = adjoint[static_cast<std::size_t>(i)], error = std::fabs(found - difference);
      if (!(error <= absolute + relative * std::fabs(difference)))
        fail("gradient_check: ", what, ", element ", i, " of ", x.shape(), ": the adjoint gives ", found,
             ", differences give ", difference);
      worst = (std::max)(worst, error);
    }
    return worst;
  }

  static void compare_values(const std::vector<double>& recorded, const std::vector<double>& plain) {
    for (std::size_t i = 0; i < plain.size(); ++i)
      if (!(std::fabs(recorded[i] - plain[i]) <= 1e-12 * (1 + std::fabs(plain[i]))))
        fail("gradient_check: element ", i, " of the result is ", recorded[i], " when recorded, else ", plain[i]);
  }
  static void compare_adjoints(const std::vector<std::vector<double>>& found,
                               const std::vector<std::vector<double>>& once, double factor, const char* when) {
    for (std::size_t k = 0; k < once.size(); ++k)
      for (std::size_t i = 0; i < once[k].size(); ++i)
        if (!(std::fabs(found[k][i] - factor * once[k][i]) <= 1e-11 * (1 + std::fabs(once[k][i]))))
          fail("gradient_check: input ", k, ", element ", i, ": ", when, " its gradient is ", found[k][i],
               ", expected ", factor * once[k][i]);
  }
};

template <class F, class... X>
double check_gradient(const F& f, const X&... x) {
  return gradient_check{}.inputs(f, x...);
}
template <backend B, class F, class... X>
double check_parameter_gradient(parameters<B, double>& store, const F& f, const X&... x) {
  return gradient_check{}.of_parameters(store, f, x...);
}

}  // namespace ul
