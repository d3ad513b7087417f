#include "pawl/cli/style.h"

#include <gtest/gtest.h>

namespace pawl::cli {
namespace {

TEST(Style, SequencesTakeNoColumnsAndCharactersOne) {
  Style style{.colours = true, .unicode = true};
  std::string text = style.paint(Colour::red, "äöü");
  EXPECT_EQ(columns(text), 3u);
  EXPECT_EQ(padded(text, 5), text + "  ");
  EXPECT_EQ(clip("abc", 3, style), "abc");
  EXPECT_EQ(clip("abcd", 3, style), "ab…");
  EXPECT_EQ(clip(style.paint(Colour::red, "abcd"), 3, style), "\x1b[31mab…\x1b[0m");
  EXPECT_EQ(clip("abcd", 3, Style{}), "ab~");
  EXPECT_EQ(Style{}.paint(Colour::red, "x"), "x");
}

TEST(Style, TextCannotSteerATerminal) {
  EXPECT_EQ(tame("a\x1b[2Jb\nc"), "a [2Jb c");
}

TEST(Style, NumbersInWords) {
  EXPECT_EQ(in_words(Duration::milliseconds(870)), "870ms");
  EXPECT_EQ(in_words(Duration::milliseconds(1234)), "1.2s");
  EXPECT_EQ(in_words(Duration::seconds(185)), "3m 5s");
  EXPECT_EQ(in_words(Duration::hours(49)), "2d 1h");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(123), "123");
  EXPECT_EQ(rate_in_words(0.44), "0.4/s");
  EXPECT_EQ(rate_in_words(3400), "3,400/s");
  EXPECT_EQ(bytes_in_words(1536), "1.5 KiB");
}

TEST(Style, ABarShowsWhatExists) {
  Style style;
  EXPECT_EQ(bar(5, 0, 10, 10, style), "#####-----");
  EXPECT_EQ(bar(5, 5, 10, 10, style), "#####xxxxx");
  EXPECT_EQ(bar(999, 1, 1000, 10, style), "#########x");
  EXPECT_EQ(bar(0, 0, 0, 4, style), "----");
}

}  // namespace
}  // namespace pawl::cli
