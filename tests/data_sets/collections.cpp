#include <doctest/doctest.h>
#include <ul/data/cifar.hpp>
#include <ul/data/folder.hpp>
#include <ul/data/shards.hpp>
#include <ul/io/gzip.hpp>
#include <ul/io/image_file.hpp>
#include <ul/io/png.hpp>
#include <ul/io/write_file.hpp>

#include "support.hpp"

namespace {

using support::append_entry;
using support::contains;
using support::error_of;
using support::png;

ul::byte_vector cifar_file(const std::vector<int>& labels, int head = 1) {
  ul::byte_vector out;
  for (const int label : labels) {
    out.insert(out.end(), static_cast<std::size_t>(head), static_cast<unsigned char>(label));
    for (int i = 0; i < 3072; ++i) out.push_back(static_cast<unsigned char>(i / 1024 * 50 + i % 1024 % 32));
  }
  return out;
}

std::string tar_error(const ul::byte_vector& bytes) {
  return error_of([&] { ul::parse_tar(bytes, "a.tar"); });
}

}  // namespace

TEST_CASE("cifar: planes become channels, labels stay") {
  const support::scratch directory;
  ul::write_file(directory / "a.bin", cifar_file({3, 9}));
  const ul::byte_set set = ul::read_cifar(directory / "a.bin");
  CHECK(set.size() == 2);
  CHECK(set.extents() == ul::extents{32, 32, 3});
  CHECK(set.label(1) == 9);
  float out[3072];
  set.read(0, out);
  CHECK(out[3 * 33 + 2] == ul::value_of(101));  // row 1, column 1, blue
  ul::write_file(directory / "b.bin", cifar_file({99}, 2));
  CHECK(ul::read_cifar(directory / "b.bin", ul::cifar::hundred).classes() == 100);
}

TEST_CASE("cifar: bad files are named") {
  const support::scratch directory;
  const std::string path = directory / "a.bin";
  const auto cifar_error = [&](const ul::byte_vector& bytes, ul::cifar kind = ul::cifar::ten) {
    ul::write_file(path, bytes);
    return error_of([&] { ul::read_cifar(path, kind); });
  };
  ul::byte_vector cut = cifar_file({1, 2});
  cut.pop_back();
  CHECK(contains(cifar_error(cut), "a.bin: size is not a multiple of 3073: 6145 bytes"));
  CHECK(contains(cifar_error(cifar_file({1}, 2)), "this may be CIFAR-100"));
  CHECK(contains(cifar_error(cifar_file({1}), ul::cifar::hundred), "this may be CIFAR-10"));
  CHECK(
      contains(cifar_error(cifar_file({1, 10})), "byte 3073: label out of range: record 1 has 10, expected below 10"));
  CHECK(contains(cifar_error(cifar_file({100}, 2), ul::cifar::hundred), "has 100, expected below 100"));
  CHECK(contains(cifar_error({0x80, 0x04, 0x95}), "this is the Python version"));
  CHECK(contains(cifar_error({0x1f, 0x8b, 8}), "compressed: gunzip first"));
  CHECK(contains(cifar_error({}), "empty"));
}

TEST_CASE("cifar: a directory needs all its batches") {
  const support::scratch directory;
  for (const char* batch : {"1", "2", "4", "5"}) {
    ul::write_file(directory / "data_batch_" + batch + ".bin", cifar_file({1}));
  }
  const auto error = error_of([&] { ul::read_cifar(directory.path()); });
  CHECK(contains(error, "data_batch_3.bin: cannot open"));
  ul::write_file(directory / "data_batch_3.bin", cifar_file({2, 3}));
  const ul::byte_set set = ul::read_cifar(directory.path());
  CHECK(set.size() == 6);
  CHECK(set.label(3) == 3);
  CHECK(contains(error_of([&] { ul::read_cifar(directory.path(), ul::cifar::ten, "test"); }),
                 "test_batch.bin: cannot open"));
}

TEST_CASE("tar: files in their order, long names, other entries left out") {
  ul::byte_vector tar;
  append_entry(tar, "dir/", "", '5');
  append_entry(tar, "dir/a.txt", "hello");
  append_entry(tar, "empty", "");
  const std::string long_name(150, 'n');
  append_entry(tar, "././@LongLink", long_name + '\0', 'L');
  append_entry(tar, "short", "x");
  append_entry(tar, "pax", "19 path=from/pax.z\n", 'x');
  append_entry(tar, "short", std::string(512, 'y'));
  const auto without_mark = ul::parse_tar(tar, "a.tar");
  tar.resize(tar.size() + 1024);
  const auto entries = ul::parse_tar(tar, "a.tar");
  REQUIRE(entries.size() == 4);
  CHECK(without_mark.size() == 4);
  CHECK(entries[0].name == "dir/a.txt");
  CHECK(ul::as_text(entries[0].content) == "hello");
  CHECK(entries[1].content.empty());
  CHECK(entries[2].name == long_name);
  CHECK(entries[3].name == "from/pax.z");
  CHECK(entries[3].content.size() == 512);
}

TEST_CASE("tar: damage is named") {
  ul::byte_vector tar;
  append_entry(tar, "a", "hello");
  CHECK(contains(tar_error({}), "a.tar: byte 0: the archive is empty"));
  CHECK(contains(tar_error({tar.begin(), tar.begin() + 511}), "tar header: needs 512 bytes, 511 are left"));
  CHECK(contains(tar_error({tar.begin(), tar.begin() + 514}), "tar entry: needs 5 bytes, 2 are left"));
  ul::byte_vector changed = tar;
  changed[0] = 'b';
  CHECK(contains(tar_error(changed), "wrong check sum"));
  ul::byte_vector pax;
  append_entry(pax, "p", "99 path=x\n", 'x');
  CHECK(contains(tar_error(pax), "bad pax header"));
  append_entry(tar, "p", "13 path=from\n", 'x');
  append_entry(tar, "b", "text");
  support::torture(tar, [](ul::byte_view bytes) { ul::parse_tar(bytes, "a.tar"); });
}

TEST_CASE("read_shards: pictures and classes of several archives") {
  const support::scratch directory;
  ul::byte_vector first, second;
  append_entry(first, "d.ir/0.cls", "2\n");
  append_entry(first, "d.ir/0.png", png(2, 3, 3, 10));
  append_entry(first, "note.txt", "no picture");
  append_entry(second, "1.png", png(2, 3, 1, 20));
  append_entry(second, "1.cls", "0");
  ul::write_file(directory / "a.tar", first);
  ul::write_file(directory / "b.tar", second);
  const std::vector<std::string> paths{directory / "a.tar", directory / "b.tar"};
  const ul::shard_options options{.decode = ul::decode_image, .unpack = ul::gunzip};
  const ul::byte_set set = ul::read_shards(paths, options);
  CHECK(set.size() == 2);
  CHECK(set.extents() == ul::extents{2, 3, 3});
  CHECK(set.classes() == 3);
  CHECK(set.label(0) == 2);
  float out[18];
  set.read(1, out);
  CHECK(out[17] == ul::value_of(20));

  const auto shard_error = [&](std::string_view name, ul::byte_view content) {
    ul::byte_vector third = second;
    append_entry(third, name, content);
    ul::write_file(directory / "c.tar", third);
    return error_of([&] { ul::read_shards({directory / "c.tar"}, options); });
  };
  CHECK(contains(shard_error("2.png", png(3, 3, 3, 1)), "c.tar:2.png: image 1 is 3x3, expected 2x3"));
  CHECK(contains(shard_error("2.png", png(2, 3, 3, 1)), "image 1 has no label, unlike the others"));
  CHECK(contains(shard_error("2.cls", ul::as_bytes("cat")), "2.cls: \"cat\" is no class"));
  CHECK(contains(shard_error("2.png", ul::as_bytes("text")), "c.tar:2.png: not a PNG file"));
  CHECK(contains(error_of([&] { ul::read_shards({}, options); }), "there are no shards"));
  CHECK(contains(error_of([&] { ul::read_shards(paths, {}); }), "decode is missing"));
}

TEST_CASE("read_folder: classes are directories in the order of their names") {
  const support::scratch directory;
  const ul::folder_options options{.decode = ul::decode_image, .channels = 1};
  const auto folder_error = [&] { return error_of([&] { ul::read_folder(directory.path(), options); }); };
  CHECK(contains(folder_error(), "there are no pictures"));
  for (const char* name : {"dogs", "cats", ".hidden"}) std::filesystem::create_directory(directory / name);
  ul::write_file(directory / "dogs/b.PNG", png(2, 2, 1, 30));
  ul::write_file(directory / "cats/b.png", png(2, 2, 1, 20));
  ul::write_file(directory / "cats/a.png", png(2, 2, 3, 10));
  ul::write_file(directory / "cats/notes.txt", "left out");
  const ul::byte_set set = ul::read_folder(directory.path(), options);
  CHECK(set.size() == 3);
  CHECK(set.classes() == 2);
  CHECK(set.label(1) == 0);
  CHECK(set.label(2) == 1);
  float out[4];
  set.read(0, out);
  CHECK(out[3] == ul::value_of(10));
  ul::write_file(directory / "c.png", png(2, 2, 1, 20));
  CHECK(contains(folder_error(), "holds both pictures and directories of classes"));
  std::filesystem::remove_all(directory / "dogs");
  std::filesystem::remove_all(directory / "cats");
  CHECK(ul::label_of(ul::read_folder(directory.path(), options), 0) == -1);
  ul::write_file(directory / "d.png", png(2, 3, 1, 20));
  CHECK(contains(folder_error(), "d.png: image 1 is 2x3, expected 2x2"));
  CHECK(contains(error_of([&] { ul::read_folder(directory / "none", options); }),
                 "none: cannot open: no such file or directory"));
}

TEST_CASE("CIFAR-10 in both of its forms") {
  const std::string shard = UL_SOURCE_DIR "/../shared/data/cifar10-jpeg-wds/cifar10-test-000000.tar.gz";
  const std::string lossless = UL_SOURCE_DIR "/../shared/data/cifar10-lossless-4k/data_batch_lossless_4000.bin.gz";
  if (!std::filesystem::exists(shard) || !std::filesystem::exists(lossless)) {
    MESSAGE("skipped: CIFAR-10 is not at " << shard << " and " << lossless);
    return;
  }
  const ul::byte_set jpegs = ul::read_shards({shard}, {.decode = ul::decode_image, .unpack = ul::gunzip});
  CHECK(jpegs.size() == 10000);
  CHECK(jpegs.extents() == ul::extents{32, 32, 3});
  CHECK(jpegs.classes() == 10);
  const ul::byte_set plain = ul::read_cifar(lossless, ul::cifar::ten, "train", ul::gunzip);
  CHECK(plain.size() == 4000);
}
