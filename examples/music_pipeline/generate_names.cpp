// SPDX-License-Identifier: MIT
#include "generate_names.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "generate_shapes.hpp"

namespace music {

namespace {

constexpr std::size_t n_words = 16;
using words = std::string_view[n_words];

constexpr words scripts[] = {
    {"Love", "Night", "River", "Golden", "Fire", "Home", "Blue", "Dance", "Summer", "Alone", "Rain", "Again", "Heart", "City", "Star",
     "Intro"},
    {"Ночь", "Любовь", "Снег", "Дорога", "Я", "Город", "Мама", "Вечер", "Тишина", "Море", "Ты", "Огонь", "Звезда", "Дом", "Осень", "Танцы"},
    {"Amor", "Corazón", "Noche", "Sueño", "Mañana", "Cielo", "Fuego", "Vida", "Señorita", "Luna", "Camino", "Adiós", "Baila", "Sol", "Mar",
     "Niña"},
    {"Été", "Forêt", "Cœur", "Fenêtre", "Minuit", "Étoile", "Hiver", "Garçon", "Rêve", "Où", "Déjà", "Pluie", "Île", "Noël", "Âme", "À"},
    {"Mädchen", "Straße", "Träume", "Frühling", "Glück", "König", "Größe", "Nacht", "Für", "Über", "Müde", "Herz", "Schön", "Flügel",
     "Wände", "Ö"},
    {"Αγάπη", "Νύχτα", "Θάλασσα", "Ουρανός", "Φως", "Καρδιά", "Όνειρο", "Δρόμος", "Ήλιος", "Φεγγάρι", "Ω", "Ψυχή", "Χρόνος", "Βροχή",
     "Νερό", "Μάτια"},
    {"სიყვარული", "ღამე", "ზღვა", "გული", "ცა", "გზა", "მზე", "სახლი", "წვიმა", "თოვლი", "ქარი", "მთა", "სიმღერა", "დრო", "ვარდი",
     "ოცნება"},
    {"Սեր", "Գիշեր", "Ծով", "Սիրտ", "Երկինք", "Ճանապարհ", "Արև", "Տուն", "Անձրև", "Ձյուն", "Քամի", "Լեռ", "Երգ", "Ժամանակ", "Վարդ", "Երազ"},
    {"אהבה", "לילה", "ים", "לב", "שמיים", "דרך", "שמש", "בית", "גשם", "שלג", "רוח", "הר", "שיר", "זמן", "ורד", "חלום"},
    {"حب", "ليل", "بحر", "قلب", "سماء", "طريق", "شمس", "بيت", "مطر", "ثلج", "ريح", "جبل", "أغنية", "زمن", "وردة", "حلم"},
    {"प्यार", "रात", "सागर", "दिल", "आसमान", "राह", "सूरज", "घर", "बारिश", "बर्फ़", "हवा", "पहाड़", "गीत", "समय", "गुलाब", "सपना"},
    {"ভালোবাসা", "রাত", "সাগর", "হৃদয়", "আকাশ", "পথ", "সূর্য", "বাড়ি", "বৃষ্টি", "তুষার", "বাতাস", "পাহাড়", "গান", "সময়", "গোলাপ", "স্বপ্ন"},
    {"รัก", "คืน", "ทะเล", "หัวใจ", "ฟ้า", "ทาง", "ดวงอาทิตย์", "บ้าน", "ฝน", "หิมะ", "ลม", "ภูเขา", "เพลง", "เวลา", "กุหลาบ", "ฝัน"},
    {"愛", "夜", "海", "心", "天空", "路", "太阳", "家", "雨", "雪", "风", "山", "歌", "时间", "玫瑰", "梦"},
    {"さくら", "よる", "うみ", "こころ", "そら", "みち", "ひかり", "いえ", "あめ", "ゆき", "かぜ", "やま", "うた", "とき", "バラ", "ユメ"},
    {"사랑", "밤", "바다", "마음", "하늘", "길", "태양", "집", "비", "눈", "바람", "산", "노래", "시간", "장미", "꿈"},
    {"🎵", "🔥", "💔", "🌙", "🎸", "🕺", "🌊", "⭐", "🎧", "🌹", "🦋", "🌈", "🥁", "💃", "🍂", "👨‍👩‍👧"},
    {"Aşk", "Gece", "Deniz", "Gönül", "Gökyüzü", "Yol", "Güneş", "Ev", "Yağmur", "Kar", "Rüzgâr", "Dağ", "Şarkı", "İstanbul", "Gül",
     "Rüya"},
    {"Tình", "Đêm", "Biển", "Trái tim", "Bầu trời", "Đường", "Mặt trời", "Nhà", "Mưa", "Tuyết", "Gió", "Núi", "Bài hát", "Thời gian", "Hoa",
     "Giấc mơ"},
    {"Miłość", "Noc", "Morze", "Serce", "Niebo", "Droga", "Słońce", "Dom", "Deszcz", "Śnieg", "Wiatr", "Góra", "Pieśń", "Czas", "Róża",
     "Święta"},
};

constexpr std::string_view genre_words[] = {
    "pop",   "rap",     "allrock",    "ruspop",     "rusrap",           "electronics", "dance",       "rusrock", "rock",
    "metal", "folk",    "indie",      "soundtrack", "alternative",      "house",       "techno",      "jazz",    "classical",
    "punk",  "soul",    "reggae",     "latin",      "country",          "blues",       "disco",       "ambient", "trance",
    "bard",  "lullaby", "fairytales", "estrada",    "shanson",          "hardcore",    "drum & bass", "k-pop",   "j-pop",
    "ska",   "gospel",  "new age",    "dubstep",    "video game, etc.", "romances"};
constexpr std::string_view genre_marks[] = {"", "post-", "neo-", "local "};

/// Every number has one row of digits 1 .. n_words: no two numbers give the same words.
void append_words(std::string& name, words const& from, std::uint64_t number) {
    if (number >= n_words) append_words(name, from, number / n_words - 1), name += ' ';
    name += from[number % n_words];
}

std::vector<std::string> names_of_tracks(std::size_t n, std::uint64_t seed) {
    auto random = random_for(seed, stream::names);
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    random.shuffle(order);
    std::vector<std::string> names(n);
    std::size_t const in_groups = static_cast<std::size_t>(rounded(shared_names * static_cast<double>(n)));
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < n; ++number) {
        std::size_t size = 1;
        if (i + 1 < in_groups) {
            for (size = 2; random.uniform() < 0.5;) ++size;
            size = std::min(size, in_groups - i);
            if (in_groups - i - size == 1) ++size;
        }
        for (std::string const name = name_of(number); size > 0; --size) names[order[i++]] = name;
    }
    return names;
}

}

std::string name_of(std::uint64_t number) {
    std::string name;
    append_words(name, scripts[number % std::size(scripts)], number / std::size(scripts));
    // No word has any of these characters: names stay different.
    if (number % 29 == 7) name += ", Pt. 2";
    if (number % 37 == 11) name = "\"" + name + "\"";
    if (number % 101 == 13) name += "\n(Live)";
    if (number % 211 == 17) name += "\r\nRemix";
    if (number % 307 == 19) name = "\t" + name;
    return name;
}

music_names make_names(music_catalog const& catalog, std::uint64_t seed, watch& on) {
    music_names names;
    names.tracks = names_of_tracks(catalog.tracks.size(), seed);
    on.check();
    names.albums.resize(catalog.album_ids.size());
    // Half of the albums bear the name of one of their tracks.
    for (std::size_t t = 0; t < catalog.tracks.size(); ++t)
        for (std::uint32_t const album : catalog.tracks[t].albums)
            if (album % 2 == 0) names.albums[album] = names.tracks[t];
    for (std::size_t a = 0; a < names.albums.size(); ++a)
        if (names.albums[a].empty()) names.albums[a] = name_of(a / 2 * 3);
    on.check();
    for (std::size_t a = 0; a < catalog.artist_ids.size(); ++a)
        names.artists.push_back((a % 3 == 0 ? "DJ " : a % 3 == 1 ? "The " : "") + name_of(a));
    for (std::size_t g = 0; g < catalog.n_known_genres; ++g)
        names.genres.push_back(std::string(genre_marks[g / std::size(genre_words)]) + std::string(genre_words[g % std::size(genre_words)]));
    return names;
}

}
