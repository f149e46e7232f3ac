// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rs = recsys;

namespace {

enum class kind { track, artist, genre };
struct thing {
    kind type;
    int id;
    std::string name;
};
struct track {
    int id = 0, main_artist = 0;
    std::vector<int> genres;
};

std::vector<thing> const things{
    {kind::track, 1, "a"}, {kind::genre, 1, "a"}, {kind::artist, 7, "x"}, {kind::genre, 2, "rock"}, {kind::genre, 1, "again"}};

}

TEST_CASE("a thing is found by its type and id, never by the id alone; the first row counts") {
    auto const c = rs::catalog_of(things, &thing::type, &thing::id);
    CHECK(c.size() == 4);
    CHECK(c.repeated() == 1);
    CHECK(c.find(kind::track, 1) == std::optional<std::size_t>(0));
    CHECK(c.find(kind::genre, 1) == std::optional<std::size_t>(1));
    CHECK_FALSE(c.find(kind::artist, 1).has_value());
    CHECK(c.contains(kind::artist, 7));
    CHECK(c.shared_ids() == 1);
    CHECK(c.at(kind::genre, 2) == 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(c.at(kind::track, 9)), "catalog: there is no (0, 9) among its 4 (type, id)", rs::data_error);
}

TEST_CASE("missing references are counted by id, reference and row; an empty list is none of them") {
    auto const c = rs::catalog_of(things, &thing::type, &thing::id);
    std::vector<track> const tracks{{1, 7, {1, 2}}, {2, 8, {}}, {3, 7, {5, 1, 5, 3}}, {4, 9, {3}}};
    auto const genres = c.missing(kind::genre, tracks, &track::genres);
    CHECK(genres.ids == std::vector<std::pair<int, std::uint64_t>>{{3, 2}, {5, 2}});
    CHECK(genres.references == 7);
    CHECK(genres.missing == 4);
    CHECK(genres.rows == 2);
    CHECK(genres.empty == 1);
    auto const artists = c.missing(kind::artist, tracks, &track::main_artist); // one id a row
    CHECK(artists.missing == 2);
    CHECK(artists.ids.size() == 2);
    CHECK(c.contains_all(kind::genre, std::vector{1, 2}));
    CHECK(c.contains_all(kind::genre, std::vector<int>{}));
    CHECK_FALSE(c.contains_all(kind::genre, std::vector{1, 3}));
}

TEST_CASE("types and ids may be text, rows may come from any range") {
    std::list<std::pair<std::string, std::string>> const rows{{"track", "1"}, {"genre", "1"}, {"genre", "jazz, cool"}};
    auto const c = rs::catalog_of(
        rows, [](auto const& r) { return r.first; }, [](auto const& r) { return r.second; });
    CHECK(c.contains("genre", "jazz, cool"));
    CHECK_FALSE(c.contains("track", "jazz, cool"));
    std::vector<std::string> const names{"1", "2"};
    auto const missing = c.missing("track", names, [](std::string const& id) { return id; }); // text is one id, not a range of letters
    CHECK(missing.references == 2);
    CHECK(missing.missing == 1);
}

TEST_CASE("an empty catalogue lacks everything") {
    rs::catalog<kind, int> const none;
    CHECK(none.size() == 0);
    CHECK_FALSE(none.contains(kind::track, 1));
    CHECK(none.missing(kind::genre, std::vector<track>{{1, 7, {1}}}, &track::genres).missing == 1);
    CHECK(rs::catalog_of(std::vector<thing>{}, &thing::type, &thing::id).size() == 0);
}
