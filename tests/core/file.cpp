// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string const path = "file_test.bin";

std::string text_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(std::string const& text, bool commit) {
    recsys::detail::file_writer out(path);
    out.write(text.data(), text.size());
    if (commit) out.commit();
}

}

TEST_CASE("a file that was not committed leaves the old one and nothing beside it") {
    write_text("old", true);
    write_text("new", false);
    CHECK(text_of(path) == "old");
    CHECK_FALSE(std::ifstream(path + ".part").good());
    write_text("newer", true);
    CHECK(text_of(path) == "newer");
    std::remove(path.c_str());
}

TEST_CASE("reading gives every byte, aligned; an empty file is empty") {
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(i % 256));
    write_text(bytes, true);
    auto const read = recsys::detail::read_file(path);
    REQUIRE(read.size() == bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) REQUIRE(static_cast<char>(read[i]) == bytes[i]);
    write_text("", true);
    CHECK(recsys::detail::read_file(path).empty());
    std::remove(path.c_str());
}

TEST_CASE("a mapped file has the bytes that reading gives, and keeps them when it is replaced or removed") {
    std::string bytes(100'000, 'a');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_text(bytes, true);
    auto const read = recsys::detail::read_file(path);
    auto mapped = recsys::detail::map_file(path), again = recsys::detail::map_file(path);
    auto const same = [&](auto const& a) { return a.size() == read.size() && std::equal(a.begin(), a.end(), read.begin()); };
    CHECK(same(mapped));
    CHECK(same(again));
    auto const part = mapped.part(5000, 3);
    mapped = {};
    CHECK(part[0] == read[5000]);
#if !defined(_WIN32)
    write_text("new", true);
    CHECK(recsys::detail::map_file(path).size() == 3);
    CHECK(same(again));
    std::remove(path.c_str());
    CHECK(same(again));
#endif
    again = {};
    write_text("", true);
    CHECK(recsys::detail::map_file(path).empty());
    std::remove(path.c_str());
}

#if defined(__linux__)
TEST_CASE("two maps of a file are the same memory: none of it is private") {
    write_text(std::string(1 << 20, 'x'), true);
    auto const first = recsys::detail::map_file(path), second = recsys::detail::map_file(path);
    std::size_t sum = 0;
    for (auto const& map : {first, second})
        for (auto const b : map) sum += static_cast<std::size_t>(b);
    CHECK(sum == std::size_t{'x'} << 21);
    std::ifstream in("/proc/self/smaps");
    std::string line;
    int n_maps = 0;
    long shared = 0, own = 0;
    for (bool of_file = false; std::getline(in, line);) {
        if (line.find(path) != std::string::npos) of_file = true, ++n_maps;
        else if (line.find('-') < 17 && line.find('-') < line.find(':')) of_file = false; // the next one's addresses
        else if (of_file && line.rfind("Shared_Clean:", 0) == 0) shared += std::stol(line.substr(13));
        else if (of_file && line.rfind("Private_", 0) == 0) own += std::stol(line.substr(line.find(':') + 1));
    }
    CHECK(n_maps == 2);
    CHECK(shared == 2 * 1024); // KiB: mapped twice, there once
    CHECK(own == 0);
    std::remove(path.c_str());
}
#endif

TEST_CASE("what cannot be opened or written is an error that names the file") {
    CHECK_THROWS_WITH_AS(recsys::detail::read_file("no/such/file.bin"), "no/such/file.bin: cannot be opened: No such file or directory",
                         recsys::format_error);
    CHECK_THROWS_WITH_AS(recsys::detail::map_file("no/such/file.bin"), "no/such/file.bin: cannot be opened: No such file or directory",
                         recsys::format_error);
    CHECK_THROWS_AS(recsys::detail::file_writer("no/such/folder/file.bin"), recsys::format_error);
}
