// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <string>
#include <vector>

namespace rs = recsys;

namespace {

/// Two rows over two users by hand: precision 0 and 1, then 0.5 and 0.5; a total of 0.25 and 1.
rs::evaluation by_hand(std::string const& name = "b|est, \"one\"") {
    rs::detail::evaluation_state s;
    s.rows = {"a", name}, s.metrics = {"precision@5", "coverage"}, s.is_total = {false, true};
    s.users = {static_cast<rs::user_index>(3), static_cast<rs::user_index>(8)};
    s.values = {{{0, 1}, {}}, {{0.5, 0.5}, {}}}, s.totals = {{0.5, 0.25}, {0.5, 1}};
    s.judged.users = 2, s.reports.resize(2), s.baseline = "a";
    s.bootstrap.resamples = 4;
    s.resampled = {0.5, 0.5, 0, 0.5, 1, 0.5, 0.5, 0.5};
    return rs::evaluation(std::move(s));
}

}

TEST_CASE("a table gives means, intervals and differences by name") {
    auto const table = by_hand("b");
    CHECK(table.at("a", "precision@5").mean == 0.5);
    CHECK(table.at("a", "precision@5").low == doctest::Approx(0.0375)); // of 0, 0.5, 0.5, 1
    CHECK(table.difference("coverage", "b", "a").mean == 0.75);
    CHECK(table.difference("precision@5", "b", "a").low == doctest::Approx(-0.4625));
    CHECK(table.values("a", "precision@5").size() == 2);
    CHECK_THROWS_AS(static_cast<void>(table.at("c", "coverage")), rs::data_error);
}

TEST_CASE("the text has a line a row and the differences from the baseline below") {
    auto const text = by_hand("b").text();
    CHECK(text == "2 users  precision@5  coverage\n"
                  "a             0.5000    0.2500\n"
                  "b             0.5000    1.0000\n"
                  "\n"
                  "Difference from a, 95% intervals of 4 paired bootstrap resamples of the users\n"
                  "                                      b\n"
                  "precision@5  +0.0000 [-0.4625, +0.4625]\n"
                  "coverage                        +0.7500\n");
}

TEST_CASE("names with commas, quotes and bars stay what they are in CSV and Markdown") {
    auto const table = by_hand();
    CHECK(table.csv().find("\n\"b|est, \"\"one\"\"\",precision@5,0.5,") != std::string::npos);
    CHECK(table.csv().find("\na,coverage,0.25,,,,,\n") != std::string::npos);
    CHECK(table.markdown().find("| b\\|est, \"one\" | 0.5000 | 1.0000 |") != std::string::npos);
    CHECK(table.markdown().find("| --- | ---: | ---: |") != std::string::npos);
}

TEST_CASE("columns line up by characters, line breaks in names stay out of the tables, and odd confidences are not rounded") {
    rs::detail::evaluation_state s;
    s.rows = {"\xc3\xa9t\xc3\xa9", "a\nb"}, s.metrics = {"m"}, s.is_total = {false};
    s.values = {{{1}}, {{1}}}, s.totals = {{1}, {1}}, s.reports.resize(2), s.baseline = s.rows[0];
    s.reports[1].leaks = true;
    CHECK(rs::evaluation(s).text() == "0 users          m\n"
                                      "\xc3\xa9t\xc3\xa9         1.0000\n"
                                      "a b (leak)  1.0000\n"
                                      "\n"
                                      "Difference from \xc3\xa9t\xc3\xa9\n"
                                      "   a b (leak)\n"
                                      "m     +0.0000\n");
    CHECK(rs::evaluation(s).markdown().find("| a b (leak) | 1.0000 |\n") != std::string::npos);
    s.resampled = {1, 1}, s.bootstrap.resamples = 1, s.bootstrap.confidence = 0.995;
    CHECK(rs::evaluation(s).text().find(", 99.5% intervals of 1 paired") != std::string::npos);
    s.bootstrap.confidence = 0.9;
    CHECK(rs::evaluation(s).text().find(", 90% intervals of 1 paired") != std::string::npos);
}

TEST_CASE("what a temporary table gives outlives it") {
    auto const rows = by_hand("b").rows(), metrics = by_hand("b").metrics();
    auto const users = by_hand("b").users();
    auto const judged = by_hand("b").judged();
    auto const lists = by_hand("b").lists_of("b");
    CHECK(rows == std::vector<std::string>{"a", "b"});
    CHECK(metrics == std::vector<std::string>{"precision@5", "coverage"});
    CHECK(users.size() == 2);
    CHECK(judged.users == 2);
    CHECK(lists.slots == 0);
    auto count = 0;
    for (auto const& row : by_hand("b").rows()) count += row.size() == 1;
    CHECK(count == 2);
}

TEST_CASE("an empty table is a table") {
    rs::evaluation const none;
    CHECK(none.rows().empty());
    CHECK_FALSE(none.csv().empty());
    CHECK_NOTHROW(static_cast<void>(none.text()));
}
