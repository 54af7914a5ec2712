#include <doctest/doctest.h>
#include <ul/data/open.hpp>
#include <ul/io/gzip.hpp>
#include <ul/io/image_file.hpp>
#include <ul/io/write_file.hpp>

#include <set>

#include "support.hpp"

namespace {

using support::append_entry;
using support::contains;
using support::error_of;
using support::png;

const ul::data_decoders decoders{.unpack = ul::gunzip, .decode = ul::decode_image};

// A set of one's own, without labels.
struct ramp {
  ul::extent count = 25;
  ul::extent size() const { return count; }
  ul::extents extents() const { return {1, 2, 1}; }
  void read(ul::extent i, float* out) const { out[0] = out[1] = static_cast<float>(i) / 100; }
};

float first_value(const ul::any_set& set, ul::extent i) {
  std::vector<float> item(static_cast<std::size_t>(set.extents().size()));
  set.read(i, item.data());
  return item[0];
}

ul::error_kind kind_of(std::string_view text) {
  try {
    ul::open_data(text, decoders);
  } catch (const ul::error& e) {
    return e.kind();
  }
  return ul::error_kind::usage;
}

template <class T>
void write_array(const std::string& path, ul::npy_type type, const ul::extents& axes, const std::vector<T>& values) {
  ul::write_npy(path, values.data(), type, axes);
}

static_assert(ul::labelled_data_set<ul::any_set> && ul::labelled_data_set<ul::subset>);

}  // namespace

TEST_CASE("any_set: a handle to any set, with labels or without") {
  const ul::any_set plain = ramp{}, stars = ul::galaxies({.count = 8, .resolution = 16}), copy = stars;
  CHECK(plain.size() == 25);
  CHECK(plain.extents() == ul::extents{1, 2, 1});
  CHECK(plain.classes() == 0);
  CHECK(ul::label_of(plain, 3) == -1);
  CHECK(first_value(plain, 3) == 0.03f);
  CHECK(copy.classes() == 4);
  CHECK(ul::label_of(copy, 5) == 1);
  CHECK(first_value(copy, 5) == first_value(stars, 5));
  CHECK(!ul::any_set());
  CHECK(contains(error_of([] { ul::any_set().size(); }), "any_set: there is no set"));
}

TEST_CASE("hold_out: one in ten, apart, the same ones every time") {
  const ul::data_split split = ul::hold_out(ramp{});
  CHECK(split.train.size() == 22);
  CHECK(split.held_out.size() == 3);
  std::set<float> all;
  for (const ul::any_set& part : {split.train, split.held_out}) {
    for (ul::extent i = 0; i < part.size(); ++i) {
      all.insert(first_value(part, i));
      if (i > 0) CHECK(first_value(part, i) > first_value(part, i - 1));
    }
  }
  CHECK(all.size() == 25);
  const ul::data_split again = ul::hold_out(ramp{});
  for (ul::extent i = 0; i < 3; ++i) CHECK(first_value(again.held_out, i) == first_value(split.held_out, i));
  CHECK(ul::hold_out(ramp{2}).train.size() == 1);
  CHECK(ul::hold_out(ramp{200000}).held_out.size() == 10000);
  CHECK(contains(error_of([] { ul::hold_out(ramp{1}); }), "1 items, expected at least 2"));
  CHECK(contains(error_of([&] { first_value(split.held_out, 3); }), "item 3 does not exist, there are 3"));
}

TEST_CASE("open_data: galaxies with options") {
  const ul::data_split split = ul::open_data("galaxies:size=16,channels=1,count=60");
  CHECK(split.train.size() == 60);
  CHECK(split.held_out.size() == 60);
  CHECK(split.train.extents() == ul::extents{16, 16, 1});
  CHECK(split.train.classes() == 4);
  std::vector<float> trained(256), held_out(256);
  split.train.read(1, trained.data());
  split.held_out.read(1, held_out.data());
  CHECK(trained != held_out);
  CHECK(ul::open_data("galaxies").held_out.size() == 1000);
  CHECK(contains(error_of([] { ul::open_data("galaxies:seize=16"); }), "unknown option seize"));
  CHECK(contains(error_of([] { ul::open_data("galaxies:size=big"); }), "size is \"big\", expected a number"));
  CHECK(contains(error_of([] { ul::open_data("galaxies:size=2"); }), "resolution is 2"));
}

TEST_CASE("open_data: what is no data set is refused") {
  CHECK(error_of([] { ul::open_data("galaxy"); }) ==
        "data: unknown kind \"galaxy\", did you mean galaxies? (KIND:PATH with galaxies, idx, cifar10, shards, folder "
        "or npy)");
  CHECK(contains(error_of([] { ul::open_data("idx"); }), "idx needs a path: idx:PATH"));
  CHECK(contains(error_of([] { ul::open_data("npy:"); }), "npy needs a path"));
  CHECK(kind_of("galaxy:") == ul::error_kind::usage);
  const support::scratch d;
  CHECK(kind_of("idx:" + d.path().string()) == ul::error_kind::system);  // no such file
  CHECK(kind_of("folder:" + (d / "none")) == ul::error_kind::system);
  CHECK(kind_of("shards:" + d.path().string()) == ul::error_kind::input);
  ul::write_file(d / "train-images-idx3-ubyte", std::string_view("\0\0\x08\x03", 4));
  ul::write_file(d / "train-labels-idx1-ubyte", std::string_view("\0\0\x08\x01", 4));
  CHECK(kind_of("idx:" + d.path().string()) == ul::error_kind::input);
}

TEST_CASE("open_data: a directory of test files alone has nothing to train on") {
  const ul::data_split data =
      ul::open_data(std::string("idx:") + UL_SOURCE_DIR + "/models/fashion-test-100", {.unpack = ul::gunzip});
  CHECK(!data.train);
  CHECK(data.held_out.size() == 100);
  CHECK(data.held_out.extents() == ul::extents{28, 28, 1});
  for (ul::extent i = 0; i < 100; ++i) CHECK(data.held_out.label(i) == i % 10);
}

TEST_CASE("open_data: arrays of NumPy") {
  const support::scratch d;
  using ul::npy_type;
  std::vector<unsigned char> bytes(20 * 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i);
  write_array(d / "images.npy", npy_type::uint8, {20, 2, 2}, bytes);

  const ul::data_split file = ul::open_data("npy:" + (d / "images.npy"));
  CHECK(file.train.size() == 18);
  CHECK(file.train.extents() == ul::extents{2, 2, 1});
  CHECK(file.train.classes() == 0);
  CHECK(ul::open_data("npy:" + d.path().string()).train.classes() == 0);

  std::vector<std::int64_t> labels(20);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
  write_array(d / "labels.npy", npy_type::int64, {20}, labels);
  const ul::any_set set = ul::read_npy_set(d.path().string());
  CHECK(set.classes() == 3);
  CHECK(set.label(4) == 1);
  CHECK(first_value(set, 4) == ul::value_of(16));

  const std::vector<float> reals{-1, 0.25f, 1, 0, 0.5f, -0.5f};
  write_array(d / "reals.npy", npy_type::float32, {2, 1, 1, 3}, reals);
  CHECK(first_value(ul::read_npy_set(d / "reals.npy"), 1) == 0.0f);
  CHECK(ul::read_npy_set(d / "reals.npy").extents() == ul::extents{1, 1, 3});

  const auto read_error = [&](const char* name) { return error_of([&] { ul::read_npy_set(d / name); }); };
  write_array(d / "bad.npy", npy_type::float64, {1, 1, 2}, std::vector<double>{0, NAN});
  CHECK(contains(read_error("bad.npy"), "bad.npy: element 1 is nan, expected in [-1, 1]"));
  write_array(d / "bad.npy", npy_type::float32, {1, 1, 2}, std::vector<float>{255, 0});
  CHECK(contains(read_error("bad.npy"), "element 0 is 255"));
  write_array(d / "bad.npy", npy_type::float32, {2}, std::vector<float>{0, 0});
  CHECK(contains(read_error("bad.npy"), "rank is 1, expected rank 3 or 4"));
  write_array(d / "bad.npy", npy_type::int32, {1, 1, 1}, std::vector<std::int32_t>{0});
  CHECK(contains(read_error("bad.npy"), "elements are <i4, expected |u1, <f4 or <f8"));

  const auto label_error = [&] { return error_of([&] { ul::read_npy_set(d.path().string()); }); };
  labels[7] = -1;
  write_array(d / "labels.npy", npy_type::int64, {20}, labels);
  CHECK(contains(label_error(), "labels.npy: label out of range: item 7 has -1"));
  labels[7] = 0;
  write_array(d / "labels.npy", npy_type::int64, {19}, labels);
  CHECK(contains(label_error(), "19 labels do not match the 20 images"));
  write_array(d / "labels.npy", npy_type::float32, {2}, std::vector<float>{0, 0});
  CHECK(contains(label_error(), "elements are <f4, expected |u1, <i4 or <i8 for labels"));
}

TEST_CASE("open_data: folders, whole or split by name") {
  const support::scratch d;
  const auto fill = [&](const std::string& place, int count) {
    for (const char* name : {"cat", "dog"}) {
      std::filesystem::create_directories(d / place + "/" + name);
      for (int i = 0; i < count; ++i)
        ul::write_file(d / place + "/" + name + "/" + std::to_string(i) + ".png", png(2, 3, 3, 100));
    }
  };
  fill("train", 3);
  const ul::data_split whole = ul::open_data("folder:" + (d / "train"), decoders);
  CHECK(whole.train.size() == 5);
  CHECK(whole.held_out.size() == 1);
  CHECK(whole.train.classes() == 2);
  fill("val", 2);
  const ul::data_split apart = ul::open_data("folder:" + d.path().string(), decoders);
  CHECK(apart.train.size() == 6);
  CHECK(apart.held_out.size() == 4);
  CHECK(apart.train.extents() == ul::extents{2, 3, 3});
  // Classes are known by their names, whether or not all of them are held out.
  std::filesystem::remove_all(d / "val/cat");
  const ul::data_split fewer = ul::open_data("folder:" + d.path().string(), decoders);
  CHECK(fewer.held_out.size() == 2);
  CHECK(fewer.held_out.classes() == 2);
  CHECK(fewer.held_out.label(0) == 1);
  std::filesystem::rename(d / "val/dog", d / "val/eel");
  CHECK(contains(error_of([&] { ul::open_data("folder:" + d.path().string(), decoders); }),
                 "val/eel: there is no such class among the pictures to train on"));
}

TEST_CASE("open_data: shards, whole or split by name") {
  const support::scratch d;
  const auto write = [&](const char* name, int count, ul::extent width = 3, int classes = 2) {
    ul::byte_vector tar;
    for (int i = 0; i < count; ++i) {
      append_entry(tar, std::to_string(i) + ".png", png(2, width, 3, 7));
      append_entry(tar, std::to_string(i) + ".cls", std::to_string(i % classes));
    }
    tar.resize(tar.size() + 1024);
    ul::write_file(d / name, tar);
  };
  write("train-0.tar", 4);
  write("train-1.tar", 3);
  const std::string place = "shards:" + d.path().string();
  CHECK(ul::open_data(place, decoders).train.size() == 6);
  CHECK(ul::open_data("shards:" + (d / "train-0.tar"), decoders).held_out.size() == 1);
  write("test-0.tar", 2);
  CHECK(ul::open_data(place, decoders).train.size() == 7);
  CHECK(ul::open_data(place, decoders).held_out.size() == 2);
  CHECK(ul::open_data(place, decoders).held_out.classes() == 2);
  write("test-0.tar", 3, 3, 3);
  CHECK(contains(error_of([&] { ul::open_data(place, decoders); }), "to train on have 2 classes, those held out 3"));
  write("test-0.tar", 2, 5);
  CHECK(contains(error_of([&] { ul::open_data(place, decoders); }),
                 "to train on are (2, 3, 3), those held out (2, 5, 3)"));
}

TEST_CASE("open_data: the sets that are at hand") {
  const std::string shared = UL_SOURCE_DIR "/../shared/data/";
  if (!std::filesystem::exists(shared)) {
    MESSAGE("skipped: Fashion-MNIST and CIFAR-10 are not in " << shared);
    return;
  }
  const ul::data_split fashion = ul::open_data("idx:" + shared + "fashion-mnist-idx", decoders);
  CHECK(fashion.train.size() == 60000);
  CHECK(fashion.held_out.size() == 10000);
  const ul::data_split cifar =
      ul::open_data("cifar10:" + shared + "cifar10-lossless-4k/data_batch_lossless_4000.bin.gz", decoders);
  CHECK(cifar.train.size() == 3600);
  CHECK(cifar.train.classes() == 10);
}
