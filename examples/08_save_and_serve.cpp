// SPDX-License-Identifier: MIT
// Fit in one program, serve in another: models and encoders in one file, and what answers when the model knows nobody.
#include <recsys.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

namespace rs = recsys;

struct play {
    std::string user;
    std::uint32_t track;
};

void fit_and_save(std::string const& path) {
    std::vector<play> log;
    rs::random_stream random(2, 0);
    for (int i = 0; i < 4000; ++i)
        log.push_back({"u" + std::to_string(random.below(200)), static_cast<std::uint32_t>(random.below(20) * random.below(20))});
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    auto const heard = rs::user_items(data);
    rs::save(path, rs::als({.factors = 16}).fit(heard), rs::popularity().fit(data), data.users(), data.items());
}

/// One process, any number of threads: everything in it is immutable.
class service {
public:
    explicit service(std::string const& path)
        : service(rs::load<rs::als_model, rs::popularity_model, rs::user_encoder<std::string>, rs::item_encoder<std::uint32_t>>(path)) {}
    /// For a user by name, with the tracks of the session at hand; the popular ones where nothing is known.
    std::vector<std::uint32_t> recommend(std::string const& name, std::vector<std::uint32_t> const& session) const {
        auto const now = rs::history_of(session, rs::columns().item([](std::uint32_t track) { return track; }), m_items);
        auto list = now.empty() ? std::vector<rs::scored>{} : rs::recommend(m_model, m_model.fold_in(now), {.k = 3});
        if (list.empty()) {
            auto const user = m_users.find(name).value_or(rs::user_index{0});
            list = m_users.contains(name) ? rs::recommend(m_model, user, rs::nothing_seen, {.k = 3})
                                          : rs::recommend(m_popular, user, rs::nothing_seen, {.k = 3});
        }
        std::vector<std::uint32_t> out;
        for (auto const& [item, score] : list) out.push_back(m_items.id(item));
        return out;
    }

private:
    using saved = std::tuple<rs::als_model, rs::popularity_model, rs::user_encoder<std::string>, rs::item_encoder<std::uint32_t>>;
    explicit service(saved const& from)
        : m_model(rs::prepare(std::get<0>(from))), m_popular(std::get<1>(from)), m_users(std::get<2>(from)), m_items(std::get<3>(from)) {}

    rs::prepared<rs::als_model> m_model; // items in the order of their lengths: one list looks at few of them
    rs::popularity_model m_popular;
    rs::user_encoder<std::string> m_users;
    rs::item_encoder<std::uint32_t> m_items;
};

int main() {
    fit_and_save("service.rsm");
    service const answers("service.rsm");
    auto const show = [](char const* who, std::vector<std::uint32_t> const& tracks) {
        std::printf("%s:", who);
        for (auto const track : tracks) std::printf(" %u", track);
        std::puts("");
    };
    show("a user of the training", answers.recommend("u7", {}));
    show("the same with a session", answers.recommend("u7", {36, 40}));
    show("nobody we know", answers.recommend("newcomer", {}));

    // A damaged file is an error that says what is wrong, never a crash.
    std::FILE* const file = std::fopen("service.rsm", "r+b");
    std::fseek(file, 4000, SEEK_SET);
    std::fputc('?', file);
    std::fclose(file);
    try {
        service const broken("service.rsm");
    } catch (rs::format_error const& error) { std::printf("%s\n", error.what()); }
}
