// Checkpoints: what is written and read back, damage of every kind, and which ones are kept.

#include <doctest/doctest.h>
#include <unistd.h>

#include <random>

#include "checkpoint_support.hpp"

namespace {

using support::contains;
using support::error_of;
using test::latest_step;
using test::names_in;
using test::save;

std::string read_error(const std::string& path) {
  return error_of([&] { ul::read_checkpoint(path); });
}

void write(const std::string& path, ul::byte_view bytes) { ul::write_file(path, bytes); }

// A manifest with a right checksum whatever it says.
void forge(const std::string& path, const std::string& from, const std::string& to) {
  const ul::byte_vector bytes = ul::read_file(path);
  std::string line(ul::as_text(bytes).substr(0, ul::as_text(bytes).find('\n') + 1));
  REQUIRE(line.find(from) != line.npos);
  line.replace(line.find(from), from.size(), to);
  ul::write_file(path, line + "{\"crc32\": \"" + ul::detail::checksum_text(ul::crc32(ul::as_bytes(line))) + "\"}\n");
}

constexpr const char* files[] = {"manifest.jsonl", "model.safetensors", "optimiser.safetensors"};

}  // namespace

TEST_CASE("checkpoint: what was saved comes back, bit for bit") {
  const support::scratch run;
  CHECK(!ul::read_latest_checkpoint(run.path()));
  const std::string path = save(run.path(), 7);
  CHECK(path == run / "checkpoint-000000007");
  CHECK(names_in(run.path()) == "checkpoint-000000007 ");
  CHECK(names_in(path) == "manifest.jsonl model.safetensors optimiser.safetensors ");
  const auto found = ul::read_latest_checkpoint(run.path());
  REQUIRE(found.has_value());
  CHECK(found->path == path);
  CHECK(found->step == 7);
  CHECK(test::is_whole(*found));
  CHECK(found->passed_over.empty());
  CHECK(found->config == ul::json(ul::json::object{{"width", 8}}));
  CHECK(found->state["seed"].integer<std::uint64_t>() == ~std::uint64_t{0});
  CHECK((*found)["model"].metadata == ul::safetensors_metadata{{"format", "ul"}});
  CHECK(contains(error_of([&] { (*found)["ema"]; }), "there is no part ema"));

  ul::checkpoint moved = ul::read_checkpoint(path);
  const ul::checkpoint here = std::move(moved);
  CHECK(test::is_whole(here));

  // A step is never written over: the second one of a step counts as newer.
  CHECK(save(run.path(), 7) == run / "checkpoint-000000007-1");
  CHECK(save(run.path(), 7) == run / "checkpoint-000000007-2");
  CHECK(ul::read_latest_checkpoint(run.path())->path == run / "checkpoint-000000007-2");
}

TEST_CASE("checkpoint: names tell the order, clocks do not") {
  const support::scratch run;
  CHECK(ul::checkpoint_name(12) == "checkpoint-000000012");
  CHECK(ul::checkpoint_name(1'000'000'000'000, 3) == "checkpoint-1000000000000-3");
  for (const char* name :
       {"checkpoint-000000002", "checkpoint-000000010", "checkpoint-000000010-1", "checkpoint-3",
        "checkpoint-000000004.tmp", "checkpoint-000000005-", "checkpoint-000000005-0", "checkpoint--00000001",
        "checkpoint-99999999999999999999", ".saving-checkpoint-000000011", "backup", "checkpoint-"}) {
    std::filesystem::create_directory(run / name);
  }
  ul::write_file(run / "checkpoint-000000020", "a file");
  REQUIRE(::symlink("checkpoint-000000002", (run / "checkpoint-000000030").c_str()) == 0);
  std::string order;
  for (const ul::checkpoint_place& place : ul::list_checkpoints(run.path())) order += place.name + ' ';
  CHECK(order == "checkpoint-000000010-1 checkpoint-000000010 checkpoint-000000002 ");
  CHECK(contains(error_of([&] { ul::list_checkpoints(run / "none"); }), "cannot list: no such file or directory"));
}

TEST_CASE("checkpoint: the latest are kept, and every so many") {
  const support::scratch run;
  for (ul::extent step = 1; step <= 6; ++step) save(run.path(), step, {.keep = 2, .keep_every = 3});
  CHECK(names_in(run.path()) == "checkpoint-000000003 checkpoint-000000005 checkpoint-000000006 ");
  save(run.path(), 7, {.keep = 1});
  CHECK(names_in(run.path()) == "checkpoint-000000007 ");
  ul::write_file(run / "notes.txt", "kept");
  std::filesystem::create_directory(run / "other");
  save(run.path(), 8, {.keep = 1});
  CHECK(names_in(run.path()) == "checkpoint-000000008 notes.txt other ");

  // What lies beyond the present step was passed over by a resume: it must not push out what is good.
  std::filesystem::create_directory(run / "checkpoint-000000100");
  save(run.path(), 9, {.keep = 1});
  CHECK(names_in(run.path()) == "checkpoint-000000009 checkpoint-000000100 notes.txt other ");
  CHECK(latest_step(run.path()) == 9);
  save(run.path(), 100, {.keep = 1});
  CHECK(names_in(run.path()) == "checkpoint-000000100-1 notes.txt other ");

  CHECK(contains(error_of([&] { save(run.path(), 1, {.keep = 0}); }), "keep is 0, expected at least 1"));
  CHECK(contains(error_of([&] { save(run.path(), 1, {.keep_every = -1}); }), "keep_every is -1"));
  CHECK(contains(error_of([&] { save(run.path(), -1); }), "step is -1, expected at least 0"));
}

TEST_CASE("checkpoint: residue of a crash is not seen, and goes") {
  const support::scratch run;
  std::filesystem::create_directories(run / ".saving-checkpoint-000000003/x");
  std::filesystem::create_directories(run / ".removed-checkpoint-000000001");
  std::filesystem::create_directories(run / ".other");
  CHECK(latest_step(run.path()) == -1);
  ul::clean_checkpoints(run.path());
  CHECK(names_in(run.path()) == ".other ");
  std::filesystem::create_directories(run / ".saving-checkpoint-000000004/x");  // in the way of the next one
  save(run.path(), 4);
  CHECK(names_in(run.path()) == ".other checkpoint-000000004 ");
}

TEST_CASE("checkpoint: the newest whole one is taken, and the others are named") {
  const support::scratch run;
  for (const ul::extent step : {1, 2, 3}) save(run.path(), step);
  std::filesystem::resize_file(run / "checkpoint-000000003/model.safetensors", 10);
  std::filesystem::remove(run / "checkpoint-000000002/manifest.jsonl");
  const auto found = ul::read_latest_checkpoint(run.path());
  REQUIRE(found.has_value());
  CHECK(found->step == 1);
  CHECK(test::is_whole(*found));
  REQUIRE(found->passed_over.size() == 2);
  CHECK(contains(found->passed_over[0], "checkpoint-000000003/model.safetensors: expected "));
  CHECK(contains(found->passed_over[0], " bytes, got 10"));
  CHECK(contains(found->passed_over[1], "checkpoint-000000002/manifest.jsonl: cannot open: no such file"));

  std::filesystem::remove(run / "checkpoint-000000001/optimiser.safetensors");
  const std::string all = error_of([&] { ul::read_latest_checkpoint(run.path()); });
  CHECK(contains(all, run.path().string() + ": no checkpoint can be read: "));
  for (const char* each : {"000000003/model", "000000002/manifest", "000000001/optimiser"}) CHECK(contains(all, each));
}

TEST_CASE("checkpoint: every cut, every flipped bit and every exchange of files is found") {
  const support::scratch run;
  const std::string path = save(run.path(), 5), other = save(run.path(), 6);
  std::mt19937 random(1);
  for (const char* name : files) {
    CAPTURE(name);
    const std::string file = path + "/" + name;
    const ul::byte_vector kept = ul::read_file(file);
    for (const std::size_t size : {std::size_t{0}, kept.size() / 2, kept.size() - 1}) {
      write(file, ul::byte_view(kept).first(size));
      CHECK(contains(read_error(path), name));
    }
    ul::byte_vector longer = kept;
    longer.push_back(0);
    write(file, longer);
    CHECK(contains(read_error(path), name));
    for (int trial = 0; trial < 200; ++trial) {
      ul::byte_vector flipped = kept;
      flipped[random() % kept.size()] ^= static_cast<unsigned char>(1u << random() % 8);
      std::FILE* out = std::fopen(file.c_str(), "wb");  // without the cost of a durable write
      REQUIRE(std::fwrite(flipped.data(), 1, flipped.size(), out) == flipped.size());
      std::fclose(out);
      if (!contains(read_error(path), name)) break;
    }
    write(file, ul::read_file(other + "/" + name));  // of another step
    CHECK(read_error(path) != "no error");
    std::filesystem::remove(file);
    CHECK(contains(read_error(path), std::string(name) + ": cannot open"));
    std::filesystem::create_directory(file);
    CHECK(contains(read_error(path), "not a regular file"));
    std::filesystem::remove(file);
    REQUIRE(::symlink((other + "/" + name).c_str(), file.c_str()) == 0);
    CHECK(contains(read_error(path), "not a regular file"));
    std::filesystem::remove(file);
    write(file, kept);
    CHECK(read_error(path) == "no error");
  }
  const auto swap = [&] {
    std::filesystem::rename(path + "/" + files[1], path + "/x");
    std::filesystem::rename(path + "/" + files[2], path + "/" + files[1]);
    std::filesystem::rename(path + "/x", path + "/" + files[2]);
  };
  swap();
  CHECK(contains(read_error(path), "bytes, got"));
  swap();
  ul::write_file(path + "/notes.txt", "not ours");
  CHECK(read_error(path) == "no error");
}

TEST_CASE("checkpoint: a manifest that says what it must not") {
  const support::scratch run;
  const std::string path = save(run.path(), 5), manifest = path + "/manifest.jsonl";
  const ul::byte_vector kept = ul::read_file(manifest);
  const auto forged = [&](const std::string& from, const std::string& to) {
    write(manifest, kept);
    forge(manifest, from, to);
    return read_error(path);
  };
  CHECK(forged("\"step\": 5", "\"step\": 5") == "no error");
  CHECK(contains(forged("\"version\": 1", "\"version\": 3"), "written by version 3, this reads version 1"));
  CHECK(contains(forged("\"step\": 5", "\"step\": 6"), "step is 6, the directory's name says 5"));
  CHECK(contains(forged("\"step\": 5", "\"step\": -5"), "step is -5"));
  CHECK(contains(forged("\"step\": 5", "\"step\": 9223372036854775808"), "step is 9223372036854775808, expected"));
  CHECK(contains(forged("\"step\": 5, ", ""), "step is missing"));
  CHECK(contains(forged("\"step\"", "\"stop\": 1, \"step\""), "unknown key stop"));
  for (const char* name : {"../model.safetensors", "/etc/passwd", "a/b", ".hidden", "", "a b", "..", "a\\u0000"}) {
    CHECK(contains(forged("model.safetensors", name), "illegal name"));
  }
  CHECK(contains(forged("model.safetensors", "OPTIMISER.safetensors"), "optimiser.safetensors stands there twice"));
  CHECK(contains(forged("model.safetensors", "manifest.jsonl"), "stands there twice"));
  CHECK(contains(forged("model.safetensors", "lost.safetensors"), "lost.safetensors: cannot open"));
  CHECK(contains(forged("\"crc32\": \"", "\"crc32\": \"g"), "needs 8 hexadecimal digits"));
  CHECK(contains(forged("\"size\": ", "\"size\": 1"), " bytes, got "));
  for (const char* text : {"", "\n", "{}", "{}\n", "{}\n{}\n"}) {
    write(manifest, ul::as_bytes(text));
    CHECK(contains(read_error(path), "manifest.jsonl"));
  }
  forge(manifest, "{}", "[]");
  CHECK(contains(read_error(path), "must be an object, got array"));
}

TEST_CASE("checkpoint: what cannot be written is refused, and leaves nothing") {
  const support::scratch run;
  const std::vector<float> values{1};
  ul::checkpoint_writer<> writer(run.path(), {});
  const auto refused = [&](const std::vector<ul::checkpoint_part>& parts, const ul::json& state = {}) {
    return error_of([&] { writer.save(1, state, parts); });
  };
  CHECK(contains(refused({{"../a", {}}}), "illegal name \"../a.safetensors\""));
  CHECK(contains(refused({{"a", {}}, {"A", {}}}), "the name a.safetensors stands there twice"));
  CHECK(contains(refused({{"a", {ul::named_tensor("x", values, {2})}}}), "(2) of F32 needs 8"));
  CHECK(contains(refused({}, ul::json(std::nan(""))), "finite numbers only"));
  CHECK(names_in(run.path()).empty());
  ul::checkpoint_writer<> nowhere(run / "none", {});
  CHECK(contains(error_of([&] { nowhere.save(1, {}, {}); }), "none: cannot list: no such file or directory"));
}
