#pragma once
// A training run from its directory's state to the end: both stages, with metrics, pictures, checkpoints and the
// model's file on the way.
//
//   ul::training_run<ul::cpu> run(device, directory, settings, data, {.observers = {std::ref(progress)}, .stop =
//   &stop}); const bool finished = run.train();           // false: it was stopped, and can be resumed
//
// All randomness comes from the seed and the number of the step. So a run that was interrupted, in whatever way, goes
// on from its newest checkpoint to the same bits that it would have had without.

#include <set>
#include <string_view>

#include <ul/data/fingerprint.hpp>
#include <ul/data/loader.hpp>
#include <ul/data/subset.hpp>
#include <ul/train/config_difference.hpp>
#include <ul/train/exhibits.hpp>
#include <ul/train/metrics_log.hpp>
#include <ul/train/run_directory.hpp>
#include <ul/train/settings_json.hpp>
#include <ul/train/trainees.hpp>

namespace ul {

struct run_hooks {
  std::vector<step_observer> observers = {};          // called after every step
  std::function<void(const std::string&)> tell = {};  // for what deserves a line of text
  const stop_flag* stop = nullptr;                    // looked at after every step
  double stage1_flops = 0, stage2_flops = 0;          // of a step, for each picture; told to the observers
};

// The settings without what touches no weight. Where the data lie is not decisive, what they are is.
inline json decisive_settings(const run_settings& s) {
  json all = to_json(s);
  return all.set("watch", nullptr).set("data", nullptr);
}

// Throws ul::error unless the model is for pictures and classes such as those of the data.
inline void require_fit(const run_settings& s, const data_split& data) {
  const extents image = data.train.extents();
  if (!(s.model.image == image)) fail("settings: model.image is ", s.model.image, ", the pictures are ", image);
  if (s.model.classes != 0 && s.model.classes != data.train.classes())
    fail("settings: model.classes is ", s.model.classes, ", the data set has ", data.train.classes(), " classes");
}

template <backend B, element T = float>
class training_run {
 public:
  // Everything must outlive this. Goes back to the newest whole checkpoint, or begins. Throws ul::error when settings
  // and data do not fit each other or the checkpoint, naming what differs.
  training_run(B& device, const run_directory& directory, const run_settings& settings, const data_split& data,
               run_hooks hooks = {});

  // Throws what keeps such a run from beginning, before there is a directory for it.
  static void require_start(B& device, const run_settings& settings, const data_split& data);

  extent step() const { return step_; }
  latent_model<B, T>& model() { return trainees_.model(); }

  // Trains to the end (true) or until it is asked to stop (false); either way all is saved. Throws ul::error when
  // numbers stay without finite values, files cannot be written, or what an observer throws.
  bool train();

 private:
  static constexpr extent enough_latents = 4096;  // to know their scale

  void resume(const checkpoint& saved) {
    for (const std::string& reason : saved.passed_over) tell("passed over: " + reason);
    require_same_config(decisive_settings(run_settings_from(saved.config, saved.path)), decisive_settings(settings_));
    if (saved.state["data"].integer<std::uint32_t>("data") != data_sum_)
      fail_as(error_kind::input, "the data set ", printable(settings_.data), " is not the one the run began with");
    trainees_.restore(saved);
    step_ = saved_ = saved.step;
    tell("resumed at step " + std::to_string(step_));
  }

  bool stopped() const { return hooks_.stop && hooks_.stop->requested(); }
  void tell(const std::string& text) const {
    if (hooks_.tell) hooks_.tell(text);
  }

  bool train_stage1() {
    if (!trainees_.stage1()) return true;
    const any_set& set = data_.train;
    const order visit(set.size(), seed_.split(4));
    const loader_options from{.batch = settings_.stage1.batch, .first_step = step_};
    const auto train = [&](auto augment) {
      loader<any_set, decltype(augment)> pictures(set, visit, from, augment);
      return train_stage(
          *trainees_.stage1(), 0, settings_.stage1.steps, hooks_.stage1_flops,
          [&](const batch& b) { return on_device(b); }, pictures);
    };
    if (!(settings_.flip ? train(random_flip{}) : train(as_is{}))) return false;
    if (saved_ != step_) save();
    return true;
  }

  bool train_stage2() {
    if (step_ == settings_.steps()) return true;
    trainees_.end_stage1();
    const bool cached = settings_.cache_latents;
    std::optional<memory_set<float>> latents;
    if (cached || !trainees_.stage2()) {
      tell("encoding the pictures");
      latents = encode_set(trainees_.model(), data_.train,
                           {.flip = settings_.flip, .count = cached ? -1 : enough_latents, .stop = hooks_.stop});
      if (!latents) return false;
      if (!trainees_.stage2()) trainees_.begin_stage2(rms_of(*latents));
    }
    const extent first = settings_.stage1.steps;
    const loader_options from{.batch = settings_.stage2.batch, .first_step = step_ - first};
    const auto train = [&](const auto& set, auto augment, auto&& to_latents) {
      const order visit(set.size(), seed_.split(5));
      loader<std::decay_t<decltype(set)>, decltype(augment)> batches(set, visit, from, augment);
      return train_stage(*trainees_.stage2(), first, settings_.stage2.steps, hooks_.stage2_flops, to_latents, batches);
    };
    const auto encoded = [&](const batch& b) { return encode(trainees_.model(), on_device(b)); };
    if (cached) return train(*latents, as_is{}, [&](const batch& b) { return on_device(b); });
    return settings_.flip ? train(data_.train, random_flip{}, encoded) : train(data_.train, as_is{}, encoded);
  }

  // Steps `first` to first + steps of the run.
  template <class Trainer, class ToInput, class Batches>
  bool train_stage(Trainer& trainer, extent first, extent steps, double flops, ToInput&& to_input, Batches& batches) {
    if (saved_ != step_) save();  // so that whatever is unusual about the beginning need not happen again
    while (step_ < first + steps) {
      if (stopped()) return false;
      const batch& b = batches.next();
      step_report r = trainer.step(step_ - first, to_input(b), b.labels);
      r.step = ++step_;
      r.steps = settings_.steps();
      r.flops = flops * static_cast<double>(r.images);
      look(r, step_ == first + steps);
      notify(hooks_.observers, r);
      note(r);
      if (step_ % settings_.watch.checkpoint_every == 0) try_save();
    }
    return true;
  }

  tensor<B, T> on_device(const batch& b) const { return tensor_of<T>(device_, b.shape, b.values); }

  // What is measured and shown now and then, by the averaged weights.
  void look(step_report& r, bool last) {
    const watch_settings& w = settings_.watch;
    const auto due = [&](extent every) { return every > 0 && (last || step_ % every == 0); };
    const bool shown = due(w.preview_every) && can_be_shown();
    if (!due(w.held_out_every) && !shown) return;
    trainees_.with_averaged_weights([&] {
      const latent_model<B, T>& m = trainees_.model();
      if (due(w.held_out_every)) r.values.emplace_back("held_out_bits_per_pixel", held_out_.bits_per_pixel(m));
      if (shown) show(r);
    });
  }
  // Pictures of other numbers of channels are trained on without previews.
  bool can_be_shown() const { return settings_.model.image[2] == 1 || settings_.model.image[2] == 3; }
  void show(step_report& r) {
    const watch_settings& w = settings_.watch;
    const std::string directory = directory_ / run_directory::previews_name;
    const std::string name = checkpoint_name(step_).substr(std::string_view("checkpoint-").size());
    guarded("previews", [&] {
      std::error_code problem;
      std::filesystem::create_directories(directory, problem);
      if (problem) detail::fail_system(directory, "cannot create", problem.value());
      const double quality =
          held_out_.show(trainees_.model(), directory + "/" + name + "-", w.previews, w.preview_steps);
      r.values.emplace_back("preview_psnr", quality);
    });
  }

  void note(const step_report& r) {
    guarded("metrics", [&] { log_->append(to_json(r)); });
  }

  // A full disk is told once and does not end training; what comes after it works again.
  template <class Action>
  void guarded(std::string_view what, Action&& action) {
    try {
      action();
      if (troubled_.erase(what) > 0) tell(std::string(what) + ": can be written again");
    } catch (const error& e) {
      if (e.kind() != error_kind::system) throw;
      if (troubled_.insert(what).second) tell(std::string(what) + ": " + e.what());
    }
  }

  json state_of(checkpoint_contents<master_t<T>>& contents) const {
    contents.state.set("data", data_sum_);
    trainees_.save(contents);
    return contents.state;
  }
  void save() {
    checkpoint_contents<master_t<T>> contents;
    const json state = state_of(contents);
    writer_.save(step_, state, contents.parts);
    saved_ = step_;
  }
  void try_save() {
    checkpoint_contents<master_t<T>> contents;
    const json state = state_of(contents);
    const std::string problem = writer_.try_save(step_, state, contents.parts);
    if (!problem.empty()) return tell("no checkpoint at step " + std::to_string(step_) + ": " + problem);
    saved_ = step_;
    guarded("model", [&] { write_model(); });
  }
  void write_model() {
    const std::string path = directory_ / run_directory::model_name;
    trainees_.with_averaged_weights([&] {
      settings_.watch.half_precision ? ul::save<fp16>(path, trainees_.model()) : ul::save(path, trainees_.model());
    });
  }

  B& device_;
  const run_directory& directory_;
  run_settings settings_;
  const data_split& data_;
  run_hooks hooks_;
  key seed_;
  trainees<B, T> trainees_;
  exhibits<B, T> held_out_;
  checkpoint_writer<> writer_;
  std::optional<metrics_log> log_;
  std::uint32_t data_sum_;
  extent step_ = 0, saved_ = -1;
  std::set<std::string_view> troubled_;  // what cannot be written at the moment
};

// Not inside the class, so that a program that links ul::compiled compiles none of it.
template <backend B, element T>
training_run<B, T>::training_run(B& device, const run_directory& directory, const run_settings& settings,
                                 const data_split& data, run_hooks hooks)
    : device_(device),
      directory_(directory),
      settings_(settings),
      data_(data),
      hooks_(std::move(hooks)),
      seed_(settings.seed),
      trainees_(device, settings),
      held_out_(device, data.held_out, settings.watch.held_out),
      writer_(directory.path(), to_json(settings), {.keep = settings.watch.keep}),
      data_sum_(fingerprint(data.train)) {
  require_fit(settings, data);
  if (auto saved = read_latest_checkpoint(directory.path())) {
    resume(*saved);
  } else {
    trainees_.begin();
  }
  log_.emplace(directory / run_directory::metrics_name, metrics_options{.last_step = step_});
}

template <backend B, element T>
void training_run<B, T>::require_start(B& device, const run_settings& settings, const data_split& data) {
  require_fit(settings, data);
  trainees<B, T>(device, settings).begin();
}

template <backend B, element T>
bool training_run<B, T>::train() {
  const bool finished = train_stage1() && train_stage2();
  if (saved_ != step_ && trainees_.in_training()) save();
  write_model();
  return finished;
}

}  // namespace ul
