// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace {

struct thing {
    recsys::detail::shared_array<float> numbers;
    std::vector<std::string> names;
    std::int32_t count = 0;
};

std::string const path = "archive_test.rsm";

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(std::string const& file, std::string const& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

thing sample() { return {{1.5f, -2.f, 3.f}, {"a", "", "tr\xC3\xA4um"}, 42}; }

}

namespace recsys {
template <> struct detail::archived<thing> {
    static std::string name() { return "thing"; }
    static void save(thing const& t, object_writer& out) {
        out.array("numbers", t.numbers);
        out.texts("names", t.names);
        out.value("count", t.count);
    }
    static thing load(object_reader const& in) { return {in.array<float>("numbers"), in.texts("names"), in.value<std::int32_t>("count")}; }
};
}

TEST_CASE("values come back as they were saved, in place and aligned") {
    recsys::save(path, sample(), thing{});
    auto const [first, second] = recsys::load<thing, thing>(path);
    CHECK(std::vector<float>(first.numbers.begin(), first.numbers.end()) == std::vector<float>{1.5f, -2.f, 3.f});
    CHECK(first.names == sample().names);
    CHECK(first.count == 42);
    CHECK(second.numbers.empty());
    CHECK(second.names.empty());
    CHECK(reinterpret_cast<std::uintptr_t>(first.numbers.data()) % 64 == 0);
    CHECK(recsys::load<thing>(path).count == 42);
    std::remove(path.c_str());
}

TEST_CASE("the same values give the same bytes") {
    recsys::save(path, sample());
    auto const once = bytes_of(path);
    recsys::save(path, sample());
    CHECK(once == bytes_of(path));
    std::remove(path.c_str());
}

TEST_CASE("c55 every truncation and every altered byte of a file is a format error, read or mapped") {
    recsys::load_options options;
    SUBCASE("read") {}
    SUBCASE("mapped") { options.map = true; }
    recsys::save(path, sample());
    auto const whole = bytes_of(path);
    std::string const damaged = "archive_damaged.rsm";
    CHECK(recsys::load<thing>(path, options).count == 42);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        write_bytes(damaged, whole.substr(0, n));
        CHECK_THROWS_AS((void)recsys::load<thing>(damaged, options), recsys::format_error);
    }
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (int const flip : {0x01, 0x80, 0xff}) {
            auto bad = whole;
            bad[i] = static_cast<char>(bad[i] ^ flip);
            write_bytes(damaged, bad);
            CHECK_THROWS_AS((void)recsys::load<thing>(damaged, options), recsys::format_error);
        }
    write_bytes(damaged, whole + "x");
    CHECK_THROWS_AS((void)recsys::load<thing>(damaged, options), recsys::format_error);
    std::remove(damaged.c_str());
    std::remove(path.c_str());
}

TEST_CASE("without verifying only what stands in the sections is believed: sizes, places and names are checked all the same") {
    recsys::save(path, sample());
    auto const whole = bytes_of(path);
    recsys::load_options const quick{.map = true, .verify = false};
    std::size_t const table = 40 + 6 * 64; // header, and an entry a section
    std::string const damaged = "archive_damaged.rsm";
    std::size_t n_believed = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto bad = whole;
        bad[i] = static_cast<char>(bad[i] ^ 0x01);
        write_bytes(damaged, bad);
        try {
            static_cast<void>(recsys::load<thing>(damaged, quick));
            ++n_believed;
            CHECK(i >= table);
        } catch (recsys::format_error const&) {}
    }
    CHECK(n_believed >= 12 + 4); // the numbers and the count
    for (std::size_t n = 0; n < whole.size(); ++n) {
        write_bytes(damaged, whole.substr(0, n));
        CHECK_THROWS_AS((void)recsys::load<thing>(damaged, quick), recsys::format_error);
    }
    std::remove(damaged.c_str());
    std::remove(path.c_str());
}

TEST_CASE("a file of another kind, a missing one and a wrong type are told apart") {
    CHECK_THROWS_WITH_AS((void)recsys::load<thing>("no/such/file.rsm"), "no/such/file.rsm: cannot be opened: No such file or directory",
                         recsys::format_error);
    write_bytes(path, std::string(100, 'x'));
    CHECK_THROWS_WITH_AS((void)recsys::load<thing>(path), "archive_test.rsm: is not a recsys file", recsys::format_error);
    recsys::save(path, recsys::lists{});
    CHECK_THROWS_WITH_AS((void)recsys::load<thing>(path), "archive_test.rsm: object 1 is 'lists', expected 'thing'", recsys::format_error);
    recsys::save(path, sample());
    CHECK_THROWS_WITH_AS((void)(recsys::load<thing, thing>(path)), "archive_test.rsm: holds 1 object(s), number 2 (thing) was asked for",
                         recsys::format_error);
    std::remove(path.c_str());
}

TEST_CASE("a file that cannot be written is an error and leaves the old one") {
    CHECK_THROWS_AS(recsys::save("no/such/folder/x.rsm", sample()), recsys::format_error);
    write_bytes(path, "old");
    {
        recsys::detail::file_writer writer(path);
        writer.write("new", 3);
    } // not committed
    CHECK(bytes_of(path) == "old");
    std::remove(path.c_str());
}

TEST_CASE("CRC-32 is the one of zlib") {
    std::string const text = "123456789";
    CHECK(recsys::detail::crc32(std::as_bytes(std::span(text))) == 0xCBF43926u);
    auto const head = recsys::detail::crc32(std::as_bytes(std::span(text.data(), 4)));
    CHECK(recsys::detail::crc32(std::as_bytes(std::span(text.data() + 4, 5)), head) == 0xCBF43926u);
}

TEST_CASE("lists are saved and loaded") {
    using recsys::item_index, recsys::user_index;
    recsys::time_point const moment(std::chrono::microseconds(5));
    recsys::lists const made({user_index{3}, user_index{1}}, {2, 2}, {{item_index{7}, 0.5f}, {item_index{9}, 0.25f}}, {11, 12, moment});
    recsys::save(path, made);
    auto const read = recsys::load<recsys::lists>(path);
    CHECK(read.size() == 2);
    CHECK(read[0].user == user_index{3});
    CHECK(read[0].list.size() == 2);
    CHECK(read[0].list[1] == recsys::scored{item_index{9}, 0.25f});
    CHECK(read[1].list.empty());
    CHECK(read.provenance().items == 12);
    CHECK(read.provenance().as_of == moment);
    std::remove(path.c_str());
}
