// A run that is stopped and resumed ends with the bits of one that is not.

#include <doctest/doctest.h>

#include <ul/io/parameters_file.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/guard.hpp>
#include <ul/train/run_directory.hpp>
#include <ul/train/state_file.hpp>

#include "checkpoint_support.hpp"
#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

// A model in training: everything a step depends on is in here, or follows from the seed and the number of the step.
template <class T>
struct trainee {
  using M = ul::master_t<T>;

  ul::reference device;
  ul::parameters<ul::reference, T> p{device};
  test::network<ul::reference, T> net{p.root(), 3, 5, 2};
  std::optional<ul::adam<ul::reference, T>> optimiser;
  std::optional<ul::ema<ul::reference, T>> average;
  ul::finite_guard guard{3};
  ul::extent step = 0;

  explicit trainee(std::uint64_t seed) {
    p.allocate(ul::key(seed));
    optimiser.emplace(p, ul::adam_options{.decay = 0.01});
    average.emplace(p, ul::warm_up_average{});
  }

  void run_to(ul::extent end) {
    for (; step < end; ++step) {
      const ul::key noise = ul::key(5).fold_in(static_cast<std::uint64_t>(step));
      test::sum_gradient(p, net, ul::cast<T>(ul::normal<M>(device, {4, 3}, noise)));
      const double loss = step == 6 ? NAN : 1;  // one bad batch
      if (guard.admits(loss, 1)) optimiser->step({.rate = 0.01 / static_cast<double>(step + 1)}, *average);
    }
  }

  void save(ul::checkpoint_writer<>& writer) const {
    ul::parameter_tensors<M> model;
    model.add(p, p.master());
    ul::state_tensors<M> training;
    training.add(optimiser->state());
    training.add(average->state());
    const ul::json counters = ul::json::object{{"adam", optimiser->steps()},
                                               {"ema", average->updates()},
                                               {"skipped", guard.skipped()},
                                               {"in_row", guard.in_row()}};
    writer.save(step, counters, {{"model", model.list()}, {"training", training.list()}});
  }

  void load(const ul::checkpoint& saved) {
    ul::load_parameters(p, saved["model"]);
    ul::restore(optimiser->state(), saved["training"]);
    ul::restore(average->state(), saved["training"]);
    const auto counter = [&](const char* name) { return saved.state[name].template integer<ul::extent>(name); };
    optimiser->resume(counter("adam"));
    average->resume(counter("ema"));
    guard.resume(counter("skipped"), counter("in_row"));
    step = saved.step;
  }

  std::vector<std::vector<M>> bits() const {
    const auto moments = optimiser->state();
    return {to_host(p.master()), to_host(moments[0].values), to_host(moments[1].values), to_host(average->average())};
  }
};

template <class T>
void check_resume() {
  trainee<T> straight(1);
  straight.run_to(15);
  for (const ul::extent stop : {1, 7, 13}) {
    CAPTURE(stop);
    const support::scratch scratch;
    {
      const auto run = ul::run_directory::create(scratch / "run", ul::json::object{});
      ul::checkpoint_writer<> writer(run.path(), run.config());
      trainee<T> first(1);
      first.run_to(stop);
      first.save(writer);
    }
    const auto run = ul::run_directory::open(scratch / "run");
    trainee<T> second(2);
    second.load(ul::read_latest_checkpoint(run.path()).value());
    second.run_to(15);
    CHECK(second.bits() == straight.bits());
    CHECK(to_host(second.p.value()) == to_host(straight.p.value()));
    CHECK(second.guard.skipped() == 1);
    CHECK(second.optimiser->steps() == 14);
  }
}

}  // namespace

TEST_CASE("resume: the bits of the uninterrupted run") {
  check_resume<float>();
  check_resume<double>();
}
TEST_CASE("resume: a bf16 model too, with its masters and its shadow") { check_resume<ul::bf16>(); }

TEST_CASE("resume: a state that does not fit has its error, and changes nothing") {
  trainee<float> t(1);
  t.run_to(2);
  const auto before = t.bits();
  const ul::extent size = t.p.flat_size();
  const std::vector<float> good(static_cast<std::size_t>(size), 1.f), small(3);
  std::vector<float> bad = good;
  bad[2] = INFINITY;
  const std::vector<double> wide(good.begin(), good.end());
  const std::string n = std::to_string(size);
  const auto with = [&](const std::vector<ul::safetensors_tensor>& tensors) {
    const ul::byte_vector bytes = ul::encode_safetensors(tensors);
    return error_of([&] { ul::restore(t.optimiser->state(), ul::parse_safetensors(bytes, "s.st")); });
  };
  const ul::safetensors_tensor first = ul::named_tensor("adam/first", good);
  CHECK(with({first}) == "s.st: missing tensor adam/second");
  CHECK(with({first, ul::named_tensor("adam/second", small)}) ==
        "s.st: tensor adam/second: expected F32 (" + n + "), got F32 (3)");
  CHECK(with({first, ul::named_tensor("adam/second", wide)}) ==
        "s.st: tensor adam/second: expected F32 (" + n + "), got F64 (" + n + ")");
  CHECK(with({first, ul::named_tensor("adam/second", bad)}) ==
        "s.st: tensor adam/second: element 2 is inf, expected a finite number");
  CHECK(t.bits() == before);
  CHECK(with({first, ul::named_tensor("adam/second", good)}) == "no error");
  CHECK(to_host(t.optimiser->state()[1].values) == good);
  CHECK(contains(error_of([&] { t.guard.resume(-1, 0); }), "finite_guard: resumed at -1"));
}
