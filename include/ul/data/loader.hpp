#pragma once
// Batches of a data set, read ahead by a thread of their own. Batch s holds positions s * B to s * B + B - 1 of the
// order, whatever the timing, so a run that starts at step s sees what an uninterrupted one would see there.

#include <condition_variable>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <ul/data/augment.hpp>
#include <ul/data/data_set.hpp>
#include <ul/data/order.hpp>

namespace ul {

struct batch {
  extent step = 0;
  extents shape;               // (B, H, W, C)
  std::vector<float> values;   // in [-1, 1]
  std::vector<extent> labels;  // B of them, -1 without
  std::vector<extent> items;   // which of the set's
};

struct loader_options {
  extent batch = 32;
  extent first_step = 0;
  extent ahead = 2;  // batches read in advance; 0: no thread, each is read when it is asked for
};

// `set` must outlive the loader and allow reading from another thread. One thread may call next().
template <data_set S, class Augment = as_is>
class loader {
 public:
  // Throws ul::error on an empty batch, a negative step, or an order of another size than the set's.
  loader(const S& set, const order& visit, const loader_options& options = {}, Augment augment = {})
      : set_(set),
        order_(visit),
        options_(options),
        augment_(std::move(augment)),
        produced_(options.first_step),
        consumed_(options.first_step) {
    const auto& o = options_;
    if (o.batch < 1) fail("loader: batch is ", o.batch, ", expected at least 1");
    if (o.first_step < 0) fail("loader: first_step is ", o.first_step, ", expected at least 0");
    if (o.ahead < 0 || o.ahead > 1000) fail("loader: ahead is ", o.ahead, ", expected 0 to 1000");
    if (visit.size() != set.size()) {
      fail("loader: the order is of ", visit.size(), " items, the set has ", extent{set.size()});
    }
    const extents item = set.extents();
    if (item.rank() != 3) fail("loader: items are ", item, ", expected (H, W, C)");
    const auto count = static_cast<std::size_t>(o.batch);
    const std::size_t values = static_cast<std::size_t>(checked_mul(o.batch, item.size(), "loader"));
    slots_.resize(static_cast<std::size_t>(o.ahead + 1));
    for (ul::batch& slot : slots_) {
      slot = {0,
              {o.batch, item[0], item[1], item[2]},
              std::vector<float>(values),
              std::vector<extent>(count),
              std::vector<extent>(count)};
    }
    if (o.ahead > 0) thread_ = std::jthread([this](std::stop_token stop) { produce(stop); });
  }
  loader(const loader&) = delete;

  // The next batch, valid until the next call. Throws what reading threw; then every further call throws it again.
  const ul::batch& next() {
    if (options_.ahead == 0) {
      fill(slots_[0], produced_);
      ++produced_;
      return slots_[0];
    }
    std::unique_lock lock(mutex_);
    holding_ = false;  // the batch of the last call is given back
    changed_.notify_all();
    changed_.wait(lock, [this] { return produced_ > consumed_ || problem_; });
    if (produced_ == consumed_) std::rethrow_exception(problem_);
    holding_ = true;
    return slot(consumed_++);
  }

 private:
  ul::batch& slot(extent step) { return slots_[static_cast<std::size_t>(step % static_cast<extent>(slots_.size()))]; }

  void fill(ul::batch& out, extent step) const {
    const extent count = out.shape.product(1, 4);
    const extents item = out.shape.without(0);
    out.step = step;
    for (extent b = 0; b < options_.batch; ++b) {
      const extent position = checked_add(checked_mul(step, options_.batch, "loader"), b, "loader"),
                   i = order_(position);
      float* values = out.values.data() + b * count;
      set_.read(i, values);
      augment_(values, item, order_.augmentation(position));
      out.items[static_cast<std::size_t>(b)] = i;
      out.labels[static_cast<std::size_t>(b)] = label_of(set_, i);
    }
  }

  void produce(std::stop_token stop) {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        const auto room = [this] {
          return produced_ - consumed_ + (holding_ ? 1 : 0) < static_cast<extent>(slots_.size());
        };
        if (!changed_.wait(lock, stop, room)) return;
      }
      try {
        fill(slot(produced_), produced_);  // nobody else touches this slot or changes produced_
      } catch (...) {
        const std::lock_guard lock(mutex_);
        problem_ = std::current_exception();
        changed_.notify_all();
        return;
      }
      const std::lock_guard lock(mutex_);
      ++produced_;
      changed_.notify_all();
    }
  }

  const S& set_;
  order order_;
  loader_options options_;
  Augment augment_;
  std::vector<ul::batch> slots_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  extent produced_, consumed_;  // the next step to read, the next to hand out
  bool holding_ = false;
  std::exception_ptr problem_;
  std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace ul
