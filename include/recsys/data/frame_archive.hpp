// SPDX-License-Identifier: MIT
// A frame in a file.
#ifndef RECSYS_DATA_FRAME_ARCHIVE_HPP
#define RECSYS_DATA_FRAME_ARCHIVE_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Columns by their number: "c0" is the first one's numbers or codes, "c0.row_ends" and "c0.keys" where it has them.
template <> struct archived<frame> {
    static std::string name() { return "frame"; }
    static void save(frame const& table, object_writer& out) {
        out.value("rows", std::uint64_t{table.n_rows()});
        std::vector<std::string> names;
        std::vector<std::uint8_t> kinds;
        for (auto const& c : table.columns()) {
            auto const key = concat('c', names.size());
            names.push_back(c.name);
            kinds.push_back(static_cast<std::uint8_t>(c.kind)), kinds.push_back(static_cast<std::uint8_t>(c.keys()));
            if (c.kind == column_kind::number) {
                out.array(key, c.numbers);
                continue;
            }
            out.array(key, c.codes);
            if (c.kind == column_kind::categories) out.array(key + ".row_ends", c.ends);
            std::vector<std::string> keys;
            for (std::size_t i = 0; i < c.dictionary->size(); ++i) keys.push_back(c.dictionary->text(static_cast<std::int32_t>(i)));
            out.texts(key + ".keys", keys);
        }
        out.texts("names", names), out.array("kinds", kinds);
        auto const& r = table.rows();
        out.array("users", r.users), out.array("items", r.items), out.array("targets", r.targets);
        out.array("weights", r.weights), out.array("baselines", r.baselines), out.array("group_ends", r.group_ends);
        std::vector<std::int64_t> moments;
        for (auto const& moment : {r.as_of, r.targets_as_of}) {
            moments.push_back(moment.has_value());
            moments.push_back(moment ? moment->time_since_epoch().count() : 0);
        }
        out.array("moments", moments);
    }
    static frame load(object_reader const& in) {
        auto const n = static_cast<std::size_t>(in.value<std::uint64_t>("rows"));
        auto names = in.texts("names");
        auto const kinds = in.array<std::uint8_t>("kinds", 2 * names.size());
        std::vector<frame_column> columns(names.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            columns[i].name = std::move(names[i]);
            if (kinds[2 * i] > 2 || kinds[2 * i + 1] > 2) in.fail("kinds", concat("names no kind at ", i));
            columns[i].kind = static_cast<column_kind>(kinds[2 * i]);
            load_column(in, concat('c', i), static_cast<key_kind>(kinds[2 * i + 1]), columns[i]);
        }
        frame_rows r;
        r.users = in.array<user_index>("users"), r.items = in.array<item_index>("items"), r.targets = in.array<float>("targets");
        r.weights = in.array<float>("weights"), r.baselines = in.array<float>("baselines");
        r.group_ends = in.array<std::uint64_t>("group_ends");
        auto const moments = in.array<std::int64_t>("moments", 4);
        auto const moment = [&](std::size_t i) {
            return moments[i] == 0 ? std::nullopt : std::optional<time_point>(time_point(std::chrono::microseconds(moments[i + 1])));
        };
        r.as_of = moment(0), r.targets_as_of = moment(2);
        RECSYS_DETAIL_TRY { return frame(n, std::move(columns), std::move(r)); }
        RECSYS_DETAIL_CATCH_ALL { in.fail("rows", "are not those of a frame"); }
    }

private:
    static void load_column(object_reader const& in, std::string const& key, key_kind keys, frame_column& to) {
        if (to.kind == column_kind::number) {
            to.numbers = in.array<float>(key);
            return;
        }
        to.codes = in.array<std::int32_t>(key);
        if (to.kind == column_kind::categories) to.ends = in.array<std::uint64_t>(key + ".row_ends");
        category_dictionary dictionary(keys);
        auto const texts = in.texts(key + ".keys");
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (dictionary.add(texts[i]) != static_cast<std::int32_t>(i)) in.fail(key + ".keys", concat("has a key twice, at ", i));
        to.dictionary = std::make_shared<category_dictionary const>(std::move(dictionary));
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
