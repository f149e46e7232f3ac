// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <locale>
#include <string>
#include <tuple>
#include <vector>

namespace rs = recsys;

namespace {

std::string const path = "model_file_test.rsm";

struct play {
    std::string user;
    std::uint32_t track;
};

auto plays() {
    std::vector<play> log;
    rs::random_stream random(1, 0);
    for (int i = 0; i < 600; ++i) log.push_back({"u" + std::to_string(random.below(30)), static_cast<std::uint32_t>(random.below(40))});
    return rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
}

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(std::string const& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

bool same(std::span<float const> a, std::span<float const> b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}

TEST_CASE("models, encoders and lists of one file come back as they were saved") {
    auto const data = plays();
    auto const seen = rs::user_items(data);
    auto const als = rs::als({.factors = 8, .iterations = 3}).fit(seen);
    auto const popular = rs::popularity().fit(data);
    auto const lists = rs::recommend(als, data.users().all(), seen, {.k = 5});
    rs::save(path, als, popular, lists, data.users(), data.items());
    auto const [als2, popular2, lists2, users2, items2] =
        rs::load<rs::als_model, rs::popularity_model, rs::lists, rs::user_encoder<std::string>, rs::item_encoder<std::uint32_t>>(path);
    CHECK(same(als.user_factors(), als2.user_factors()));
    CHECK(same(als.item_factors(), als2.item_factors()));
    CHECK(same(popular.scores(), popular2.scores()));
    CHECK(users2.fingerprint() == data.users().fingerprint());
    CHECK(items2.at(data.items().id(rs::item_index{3})) == rs::item_index{3});
    REQUIRE(lists.size() == lists2.size());
    for (std::size_t i = 0; i < lists.size(); ++i) {
        auto const a = lists[i].list, b = lists2[i].list;
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end(),
                         [](rs::scored x, rs::scored y) { return x.item == y.item && x.score == y.score; }));
    }
    std::remove(path.c_str());
}

TEST_CASE("c55 a model file that is cut off anywhere, or has any byte altered, is a format_error and never a crash") {
    auto const data = plays();
    rs::save(path, rs::als({.factors = 2, .iterations = 1}).fit(rs::user_items(data)), data.users(), data.items());
    auto const whole = bytes_of(path);
    rs::load_options options;
    SUBCASE("read") {}
    SUBCASE("mapped") { options.map = true; }
    auto const load = [&] {
        return rs::load<rs::als_model, rs::user_encoder<std::string>, rs::item_encoder<std::uint32_t>>(path, options);
    };
    CHECK_NOTHROW(load());
    std::size_t n_errors = 0, n_tries = 0;
    auto const must_fail = [&](std::string const& bytes) {
        write_bytes(bytes);
        ++n_tries;
        try {
            load();
        } catch (rs::format_error const&) { ++n_errors; }
    };
    for (std::size_t length = 0; length < whole.size(); ++length) must_fail(whole.substr(0, length));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ 0x10);
        must_fail(altered);
    }
    CHECK(n_tries == 2 * whole.size());
    CHECK(n_errors == n_tries);
    std::remove(path.c_str());
}

TEST_CASE("a mapped model answers as one that was read, outlives what else is there of the file, and stays when the file is replaced") {
    auto const data = plays();
    auto const seen = rs::user_items(data);
    auto const other = rs::als({.factors = 8, .iterations = 1, .seed = 5}).fit(seen);
    rs::save(path, rs::als({.factors = 8, .iterations = 3}).fit(seen), data.users());
    auto const read = rs::load<rs::als_model>(path);
    auto const lists = rs::recommend(read, data.users().all(), seen, {.k = 5});
    for (bool const verify : {true, false}) {
        auto mapped = std::get<0>(rs::load<rs::als_model, rs::user_encoder<std::string>>(path, {.map = true, .verify = verify}));
        CHECK(same(mapped.user_factors(), read.user_factors()));
        CHECK(same(mapped.item_factors(), read.item_factors()));
        CHECK(mapped.fold_in(rs::history({{rs::item_index{3}, 1}})).factors == read.fold_in(rs::history({{rs::item_index{3}, 1}})).factors);
#if !defined(_WIN32)
        auto const before = bytes_of(path);
        rs::save(path, other);
        CHECK(same(mapped.item_factors(), read.item_factors()));
        auto const replaced = rs::load<rs::als_model>(path, {.map = true});
        CHECK(same(replaced.item_factors(), other.item_factors()));
        std::remove(path.c_str()); // not written into: it is still mapped
        write_bytes(before);
#endif
        auto const again = rs::recommend(mapped, data.users().all(), seen, {.k = 5});
        REQUIRE(again.size() == lists.size());
        for (std::size_t i = 0; i < lists.size(); ++i)
            CHECK(std::equal(again[i].list.begin(), again[i].list.end(), lists[i].list.begin(), lists[i].list.end(),
                             [](rs::scored x, rs::scored y) { return x.item == y.item && x.score == y.score; }));
    }
    std::remove(path.c_str());
}

TEST_CASE("another type than was saved, another file and no file say so by name") {
    auto const data = plays();
    rs::save(path, data.users());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::load<rs::als_model>(path)), doctest::Contains("user_encoder"), rs::format_error);
    CHECK_THROWS_AS(static_cast<void>((rs::load<rs::user_encoder<std::string>, rs::item_encoder<std::uint32_t>>(path))), rs::format_error);
    CHECK_THROWS_AS(static_cast<void>(rs::load<rs::user_encoder<std::int64_t>>(path)), rs::format_error);
    write_bytes("user_id,track_id\n1,2\n");
    CHECK_THROWS_AS(static_cast<void>(rs::load<rs::als_model>(path)), rs::format_error);
    std::remove(path.c_str());
    CHECK_THROWS_AS(static_cast<void>(rs::load<rs::als_model>(path)), rs::format_error);
}

TEST_CASE("a failed save leaves the old file as it was") {
    auto const data = plays();
    rs::save(path, data.users());
    auto const before = bytes_of(path);
    CHECK_THROWS_AS(rs::save("no/such/folder/x.rsm", data.users()), rs::format_error);
    CHECK(bytes_of(path) == before);
    CHECK(rs::load<rs::user_encoder<std::string>>(path).size() == data.users().size());
    std::remove(path.c_str());
}

TEST_CASE("c50 a locale with decimal commas changes no byte that is saved and nothing that is read") {
    struct commas : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    auto const data = plays();
    auto const model = rs::als({.factors = 4, .alpha = 1.5, .iterations = 2}).fit(rs::user_items(data));
    rs::save(path, model, data.users());
    auto const before = bytes_of(path);
    auto const old = std::locale::global(std::locale(std::locale::classic(), new commas));
    std::setlocale(LC_ALL, "de_DE.UTF-8"); // where it is installed
    rs::save(path, model, data.users());
    auto const after = bytes_of(path);
    auto const again = rs::load<rs::als_model>(path);
    auto const message = rs::detail::concat("got ", 1234.5, " of ", 1000000);
    std::setlocale(LC_ALL, "C");
    std::locale::global(old);
    CHECK(after == before);
    CHECK(same(again.item_factors(), model.item_factors()));
    CHECK(message == "got 1234.5 of 1000000");
    std::remove(path.c_str());
}
