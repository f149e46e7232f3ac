// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

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

TEST_CASE("what cannot be opened or written is an error that names the file") {
    CHECK_THROWS_WITH_AS(recsys::detail::read_file("no/such/file.bin"), "no/such/file.bin: cannot be opened: No such file or directory",
                         recsys::format_error);
    CHECK_THROWS_AS(recsys::detail::file_writer("no/such/folder/file.bin"), recsys::format_error);
}
