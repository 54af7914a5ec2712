#include <doctest/doctest.h>
#include <ul/io/fields.hpp>
#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/io/write_file.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;
using ul::json;

std::string parse_error(std::string_view text, const ul::json_limits& limits = {}) {
  return error_of([&] { ul::parse_json(text, "a.json", limits); });
}

// Reading and writing again.
std::string again(std::string_view text) { return ul::to_text(ul::parse_json(text)); }

std::string repeat(std::string_view part, std::size_t count) {
  std::string out;
  while (count-- > 0) out += part;
  return out;
}

}  // namespace

TEST_CASE("json: every kind of value") {
  const json value = ul::parse_json(R"( {"a": [1, -2.5, true, false, null], "b": {"c": "x"}, "": {}} )");
  const auto& a = value["a"].elements();
  REQUIRE(a.size() == 5);
  CHECK(a[0].integer<int>() == 1);
  CHECK(a[1].number() == -2.5);
  CHECK(a[2].boolean());
  CHECK(!a[3].boolean());
  CHECK(a[4].is_null());
  CHECK(value["b"]["c"].string() == "x");
  CHECK(value[""].members().empty());
  CHECK(value.find("d") == nullptr);
  CHECK(ul::to_text(value) == R"({"a": [1, -2.5, true, false, null], "b": {"c": "x"}, "": {}})");
  CHECK(again("[]") == "[]");
  CHECK(again(" 7\n") == "7");
  CHECK(again(R"("")") == R"("")");
}

TEST_CASE("json: integers of 64 bits are exact, reals are the shortest that read back") {
  for (const char* text :
       {"0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
        "18446744073709551615", "0.1", "-2.5e-07", "1e+300", "5e-324", "3.0", "1.7976931348623157e+308"}) {
    CHECK(again(text) == text);
  }
  CHECK(again("-0.0") == "-0.0");
  CHECK(again("1E3") == "1000.0");
  CHECK(ul::parse_json("1e3").is_real());
  CHECK(ul::parse_json("18446744073709551615").integer<std::uint64_t>() == 18446744073709551615u);
  CHECK(json(0.1f).number() == 0.1f);
  CHECK(json(7u) == json(7l));
  CHECK(json(7) != json(7.0));
}

TEST_CASE("json: strings and escapes") {
  CHECK(ul::parse_json(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")").string() ==
        "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(ul::parse_json(R"("\u0000")").string() == std::string(1, '\0'));
  CHECK(ul::to_text(std::string("\x01\x1f\"\\\n\x7f", 6)) == "\"\\u0001\\u001f\\\"\\\\\\n\x7f\"");
  CHECK(again("\"caf\xc3\xa9\"") == "\"caf\xc3\xa9\"");
  CHECK(contains(parse_error("\"abc"), "a.json:1:1: the string has no end"));
  CHECK(contains(parse_error("\"abc\\"), "unknown escape end of text"));
  CHECK(contains(parse_error(R"("\x41")"), "a.json:1:3: unknown escape 'x'"));
  CHECK(contains(parse_error(R"("\u00g0")"), "four hexadecimal digits"));
  CHECK(contains(parse_error(R"("\u00)"), "four hexadecimal digits"));
  for (const char* half : {R"("\ud800")", R"("\ud800x")", R"("\ud800\u0041")", R"("\udc00")", R"("\ud800\ud800")"}) {
    CHECK(contains(parse_error(half), "a.json:1:2: half of a surrogate pair"));
  }
  CHECK(contains(parse_error("\"a\nb\""), "a.json:1:3: a control character in a string"));
}

TEST_CASE("json: UTF-8 must be well-formed") {
  for (const char* good : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(ul::find_invalid_utf8(good) == std::string_view::npos);
    CHECK(ul::parse_json("\"" + std::string(good) + "\"").string() == good);
  }
  for (const char* bad : {"\xff", "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2 "}) {
    CHECK(ul::find_invalid_utf8("ab" + std::string(bad)) == 2);
    CHECK(contains(parse_error("\"ab" + std::string(bad) + "\""), "a.json:1:4: invalid UTF-8"));
    CHECK(contains(error_of([&] { ul::to_text(std::string(bad)); }), "byte 0 is not UTF-8"));
  }
}

TEST_CASE("json: what is not JSON is named with line and column") {
  CHECK(contains(parse_error(""), "the text is empty"));
  CHECK(contains(parse_error(" \n\t\r\n"), "a.json:3:1: there is no value"));
  CHECK(contains(parse_error("\xef\xbb\xbf{}"), "a byte order mark"));
  CHECK(contains(parse_error("{\n  // size\n  \"a\": 1}"), "a.json:2:3: expected a key in double quotes, found '/'"));
  CHECK(contains(parse_error("[1, /* two */ 2]"), "a.json:1:5: comments are not JSON"));
  CHECK(contains(parse_error("{\"a\": 1,\n \"b\": 2,\n}"), "a.json:2:8: a comma before '}'"));
  CHECK(contains(parse_error("[1,]"), "a.json:1:3: a comma before ']'"));
  CHECK(contains(parse_error("{'a': 1}"), "strings need double quotes"));
  CHECK(contains(parse_error("{\"a\": 'b'}"), "strings need double quotes"));
  CHECK(contains(parse_error("{\"a\" 1}"), "a.json:1:6: expected ':' after the key, found '1'"));
  CHECK(contains(parse_error("{\"a\": 1"), "expected ',' or '}', found end of text"));
  CHECK(contains(parse_error("[1 2]"), "a.json:1:4: expected ',' or ']', found '2'"));
  CHECK(contains(parse_error("[1}"), "found '}'"));
  CHECK(contains(parse_error("{1: 2}"), "expected a key in double quotes, found '1'"));
  CHECK(contains(parse_error("{} {}"), "a.json:1:4: unexpected '{' after the value"));
  CHECK(contains(parse_error("{}\x01"), "unexpected '\\x01' after the value"));
  CHECK(contains(parse_error(std::string_view("{}\0", 3)), "unexpected '\\x00' after the value"));
  CHECK(contains(parse_error("truth"), "expected a value, found 't'"));
  CHECK(contains(parse_error("nul"), "expected a value, found 'n'"));
  for (const char* word : {"NaN", "Infinity"}) CHECK(contains(parse_error(word), "is not JSON"));
}

TEST_CASE("json: numbers are strict") {
  CHECK(contains(parse_error("-Infinity"), "expected a digit, found 'I'"));
  CHECK(contains(parse_error("1e999"), "a.json:1:1: the number is out of the range of a double"));
  CHECK(contains(parse_error("-1e999"), "out of the range of a double"));
  CHECK(contains(parse_error("01"), "must not start with 0"));
  CHECK(contains(parse_error("-012"), "must not start with 0"));
  CHECK(contains(parse_error("0x10"), "hexadecimal"));
  CHECK(contains(parse_error("+1"), "expected a value, found '+'"));
  CHECK(contains(parse_error(".5"), "expected a value, found '.'"));
  CHECK(contains(parse_error("1."), "expected a digit, found end of text"));
  CHECK(contains(parse_error("1.e3"), "expected a digit, found 'e'"));
  CHECK(contains(parse_error("1e"), "expected a digit"));
  CHECK(contains(parse_error("-"), "expected a digit"));
  CHECK(contains(parse_error("18446744073709551616"), "the integer does not fit 64 bits"));
  CHECK(contains(parse_error("-9223372036854775809"), "the integer does not fit 64 bits"));
}

TEST_CASE("json: duplicate keys are named with their path") {
  CHECK(contains(parse_error(R"({"a": 1, "a": 2})"), "a.json:1:10: duplicate key a"));
  CHECK(
      contains(parse_error("{\"train\": {\"lr\": 1,\n \"x\": 0, \"lr\": 2}}"), "a.json:2:10: duplicate key train.lr"));
  CHECK(contains(parse_error(R"([{"b": [0, {"k": 1, "k": 1}]}])"), "duplicate key [0].b[1].k"));
  CHECK(contains(parse_error(R"({"\u0061": 1, "a": 2})"), "duplicate key a"));
  std::string many = "{";
  for (int i = 0; i < 100000; ++i) many += "\"k" + std::to_string(i) + "\": 0, ";
  CHECK(ul::parse_json(many + "\"z\": 0}").members().size() == 100001);
  CHECK(contains(parse_error(many + "\"k7\": 0}"), "duplicate key k7"));
}

TEST_CASE("json: depth and size are bounded") {
  CHECK(parse_error(repeat("[", 64) + repeat("]", 64)) == "no error");
  CHECK(contains(parse_error(repeat("[", 65) + repeat("]", 65)), "a.json:1:65: nested too deep, the limit is 64"));
  CHECK(contains(parse_error(repeat("{\"a\":", 100000)), "nested too deep"));
  CHECK(contains(parse_error("[1, 2]", {.bytes = 5}), "a.json: the text has 6 bytes, the limit is 5"));
  const support::scratch directory;
  ul::write_file(directory / "a.json", "[1, 2]");
  CHECK(ul::read_json(directory / "a.json").elements().size() == 2);
  CHECK(contains(error_of([&] { ul::read_json(directory / "a.json", {.bytes = 5}); }), "the limit is 5"));
  CHECK(contains(error_of([&] { ul::read_json(directory / "b.json"); }), "b.json: cannot open"));
}

TEST_CASE("json: a wrong kind is told by name") {
  const json value = ul::parse_json(R"({"s": "x", "n": 300, "r": 1.5, "k": 1e3})");
  CHECK(contains(error_of([&] { value["s"].integer<int>("steps"); }), "steps must be an integer, got string"));
  CHECK(contains(error_of([&] { value["n"].string("name"); }), "name must be a string, got integer"));
  CHECK(contains(error_of([&] { value["n"]["x"]; }), "must be an object, got integer"));
  CHECK(contains(error_of([&] { value["r"].integer<int>("steps"); }), "steps must be an integer, got 1.5"));
  CHECK(contains(error_of([&] { value["n"].integer<unsigned char>("b"); }), "b is 300, expected 0 to 255"));
  CHECK(contains(error_of([&] { json(-1).integer<unsigned>("b"); }), "b is -1, expected 0 to 4294967295"));
  CHECK(contains(error_of([&] { json(1e300).integer<long>("b"); }), "b must be an integer"));
  CHECK(contains(error_of([&] { value["missing"]; }), "there is no member \"missing\""));
  CHECK(value["k"].integer<int>() == 1000);
  CHECK(value["n"].number() == 300);
}

TEST_CASE("json: building and writing") {
  json value;
  value.set("step", 3).set("loss", 0.5).set("step", 4).set("ok", true).set("note", nullptr);
  value.set("list", json::array{1, "two", json::object{{"three", 3}}}).set("none", json::array{});
  CHECK(ul::to_text(value) ==
        R"({"step": 4, "loss": 0.5, "ok": true, "note": null, "list": [1, "two", {"three": 3}], "none": []})");
  const json small(json::object{{"a", json::array{1, 2}}, {"b", json::object{{"c", 1}}}});
  CHECK(ul::to_text(small, 2) == "{\n  \"a\": [1, 2],\n  \"b\": {\n    \"c\": 1\n  }\n}");
  CHECK(ul::parse_json(ul::to_text(value, 2)) == value);
  CHECK(contains(error_of([] { ul::to_text(json(1.0 / 0.0)); }), "cannot write inf"));
  CHECK(contains(error_of([] { json(1).set("a", 1); }), "must be an object"));
}

TEST_CASE("json: damaged texts give an error or a value that survives writing") {
  const std::string text =
      R"({"train": {"lr": 1e-3, "steps": 20000, "name": "t\u00e9st \ud83d\ude00"}, "list": [1, -2.5, null, true]})";
  const int refused = support::torture(ul::as_bytes(text), [](ul::byte_view bytes) {
    const json value = ul::parse_json(ul::as_text(bytes));
    CHECK(ul::parse_json(ul::to_text(value)) == value);
  });
  CHECK(refused >= static_cast<int>(text.size()) + 1);
}

TEST_CASE("fields: members into variables, by name") {
  const json value = ul::parse_json(
      R"({"steps": 100, "rate": 0.5, "name": "x", "on": true, "axes": [1, 2], "model": {"width": 8}, "kind": "b", "any": [{}]})");
  int steps = 1, absent = 7, kind = 0;
  float rate = 0;
  std::string name;
  bool on = false;
  std::vector<long> axes;
  unsigned width = 0;
  json any;
  ul::fields f(value, "run.json");
  CHECK(f.read("steps", steps));
  CHECK(f.read("rate", rate));
  CHECK(!f.read("absent", absent));
  f.require("name", name);
  f.read("on", on);
  f.read("axes", axes);
  f.read("kind", kind, {{"a", 1}, {"b", 2}});
  f.read("any", any);
  CHECK(f.nested("model", [&](ul::fields& m) { m.require("width", width); }));
  f.finish();
  CHECK(steps == 100);
  CHECK(absent == 7);
  CHECK(rate == 0.5f);
  CHECK(name == "x");
  CHECK(on);
  CHECK(axes == std::vector<long>{1, 2});
  CHECK(kind == 2);
  CHECK(width == 8);
  CHECK(any == json(json::array{json::object{}}));
}

TEST_CASE("fields: every mistake is named with its path") {
  const auto fields_error = [](const char* text, auto&& visit) {
    const json value = ul::parse_json(text);
    return error_of([&] {
      ul::fields f(value, "run.json");
      f.nested("train", visit);
      f.finish();
    });
  };
  int steps = 3;
  float rate = 0;
  const auto visit = [&](ul::fields& f) {
    f.read("steps", steps);
    f.read("rate", rate);
    std::vector<int> axes;
    f.read("axes", axes);
    int kind = 0;
    f.read("kind", kind, {{"cosine", 1}, {"linear", 2}});
  };
  CHECK(fields_error(R"({"train": {"stpes": 1}})", visit) ==
        "run.json: unknown key train.stpes, did you mean train.steps?");
  CHECK(fields_error(R"({"trian": {}})", visit) == "run.json: unknown key trian, did you mean train?");
  CHECK(fields_error(R"({"colour": 1})", visit) == "run.json: unknown key colour");
  CHECK(fields_error(R"({"train": {"steps": "x"}})", visit) == "run.json: train.steps must be an integer, got string");
  CHECK(fields_error(R"({"train": {"steps": 1.5}})", visit) == "run.json: train.steps must be an integer, got 1.5");
  CHECK(contains(fields_error(R"({"train": {"steps": 4294967296}})", visit),
                 "train.steps is 4294967296, expected -21474"));
  CHECK(contains(fields_error(R"({"train": {"rate": 1e300}})", visit), "train.rate is 1e+300, out of range"));
  CHECK(contains(fields_error(R"({"train": {"axes": [1, "2"]}})", visit), "train.axes[1] must be an integer"));
  CHECK(contains(fields_error(R"({"train": {"kind": "cos"}})", visit),
                 "train.kind is \"cos\", expected one of cosine, linear"));
  CHECK(contains(fields_error(R"({"train": 1})", visit), "run.json: train must be an object, got integer"));
  CHECK(contains(fields_error("[]", visit), "run.json: the top level must be an object, got array"));
  CHECK(contains(fields_error(R"({"train": {}})", [&](ul::fields& f) { f.require("steps", steps); }),
                 "run.json: train.steps is missing"));
  CHECK(contains(fields_error(R"({"\u001b[2J": 1})", visit), "unknown key \\x1b[2J"));
  CHECK(steps == 3);
}

TEST_CASE("nearest_name: slips are recognised, other words are not") {
  CHECK(ul::edit_distance("", "abc") == 3);
  CHECK(ul::edit_distance("kitten", "sitting") == 3);
  CHECK(ul::edit_distance("stpes", "steps") == 1);
  CHECK(ul::edit_distance("abc", "abc") == 0);
  const std::vector<std::string> known{"learning_rate", "steps", "seed"};
  CHECK(ul::nearest_name("learning-rate", known) == "learning_rate");
  CHECK(ul::nearest_name("sede", known) == "seed");
  CHECK(ul::nearest_name("batch", known).empty());
  CHECK(ul::nearest_name(std::string(100000, 'x'), known).empty());
}
