//! Tests of the whole room: text in, layout and pixels out. They use the fonts that `.ci/setup` installs.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::error::Result;

static BOOK: LazyLock<FontBook> = LazyLock::new(|| FontBook::installed().expect("the font packages are installed"));

const BOX: Area = Area { x: 180, y: 250, width: 720, height: 1210 };
const HOOK: &str = "wait for it...\nthis simple habit changed everything about my mindset 🧠";

fn block(text: &str) -> TextBlock {
    TextBlock::new(text, BOX)
}

fn set(block: &TextBlock) -> Result<TextLayout> {
    lay_out(&BOOK, block)
}

fn lines(layout: &TextLayout) -> Vec<&str> {
    layout.lines().iter().map(|line| line.text.as_str()).collect()
}

fn prose(length: usize) -> String {
    let sentence = "Every morning I wake up, make my bed, and write down three things that I want to get done. ";
    sentence.chars().cycle().take(length).collect()
}

/// How many colour glyphs, and how many others, show `text`.
fn glyph_kinds(text: &str) -> (usize, usize) {
    let layout = set(&block(text)).expect(text);
    let glyphs: Vec<_> = layout.lines().iter().flat_map(|line| &line.glyphs).collect();
    let is_colour = |glyph: &&&PlacedGlyph| BOOK.family_of(glyph.face) == Some("Noto Color Emoji");
    let colour = glyphs.iter().filter(is_colour).count();
    (colour, glyphs.len() - colour)
}

/// Whether the outermost px of all four sides are transparent, and whether any px is not.
fn margins_and_ink(sprite: &TextSprite) -> (bool, bool) {
    let (width, height) = (sprite.width as usize, sprite.height as usize);
    let alpha = |x: usize, y: usize| sprite.pixels[(y * width + x) * 4 + 3];
    let clear = (0..width).all(|x| alpha(x, 0) == 0 && alpha(x, height - 1) == 0)
        && (0..height).all(|y| alpha(0, y) == 0 && alpha(width - 1, y) == 0);
    (clear, sprite.pixels.chunks_exact(4).any(|px| px[3] > 0))
}

/// Whether all ink lies inside `area`.
fn is_inside(sprite: &TextSprite, area: Area) -> bool {
    sprite.pixels.chunks_exact(4).enumerate().filter(|(_, px)| px[3] > 0).all(|(i, _)| {
        let (x, y) = (i as u32 % sprite.width, i as u32 / sprite.width);
        let (x, y) = (sprite.x + x as i32, sprite.y + y as i32);
        (area.x..area.x + area.width as i32).contains(&x) && (area.y..area.y + area.height as i32).contains(&y)
    })
}

#[test]
fn the_fixture_hook_keeps_its_break_and_leaves_no_word_alone() {
    let layout = set(&block(HOOK)).expect("set");
    assert_eq!(
        lines(&layout),
        ["wait for it...", "this simple habit", "changed everything", "about my mindset 🧠"],
        "at {} px",
        layout.font_size()
    );
    for line in layout.lines() {
        assert_eq!(&HOOK[line.range.clone()], line.text);
        assert!((line.x + line.width / 2.0 - 540.0).abs() < 1.5, "centred: {line:?}");
    }
}

#[test]
fn line_breaks_and_blank_lines_are_kept() {
    let layout = set(&block("a\r\n\r\nb\u{2028}c\n")).expect("set");
    assert_eq!(lines(&layout), ["a", "", "b", "c", ""]);
    let baselines: Vec<f32> = layout.lines().iter().map(|line| line.baseline).collect();
    assert!(baselines.windows(2).all(|pair| (pair[1] - pair[0] - 86.4).abs() < 1.0), "{baselines:?}");
}

#[test]
fn a_word_longer_than_the_line_is_broken_at_clusters() {
    let text = "e\u{301}".repeat(200);
    let layout = set(&block(&text)).expect("set");
    assert!(layout.lines().len() > 2);
    for line in layout.lines() {
        assert!(line.text.starts_with('e') && line.text.ends_with('\u{301}'), "{:?}", line.text);
    }
    assert_eq!(lines(&layout).concat(), text);
}

#[test]
fn a_long_word_shrinks_the_text_rather_than_breaking() {
    let layout = set(&block("incomprehensibilities matter")).expect("set");
    assert_eq!(lines(&layout), ["incomprehensibilities", "matter"]);
    assert!((43.0..72.0).contains(&layout.font_size()), "{}", layout.font_size());
}

#[test]
fn every_emoji_is_one_colour_glyph() {
    for emoji in [
        "🧠",
        "👨\u{200D}👩\u{200D}👧\u{200D}👦",
        "👩🏻\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏿",
        "🇩🇪",
        "🇺🇸",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "1\u{FE0F}\u{20E3}",
        "#\u{20E3}",
        "👍🏽",
        "🏽",
        "❤\u{FE0F}",
        "❤",
        "☺",
        "☀",
        "⬜",
        "©\u{FE0F}",
        "🐦\u{200D}🔥",
        "🏳\u{FE0F}\u{200D}🌈",
        "🏳\u{200D}🌈",
    ] {
        assert_eq!(glyph_kinds(emoji), (1, 0), "{emoji}");
    }
    assert_eq!(glyph_kinds("a🧠b🇩🇪🇫🇷c"), (3, 3));
}

#[test]
fn marks_and_text_presentation_are_letters() {
    for text in ["©", "™", "→", "1", "#", "1\u{FE0F}", "☀\u{FE0E}", "❤\u{FE0E}"] {
        assert_eq!(glyph_kinds(text), (0, 1), "{text}");
    }
    // No text font has it: better said than set in colour against the request.
    assert_eq!(set(&block("🧠\u{FE0E}")).expect_err("refused").code(), "FONT_MISSING");
}

#[test]
fn what_would_be_a_box_is_named() {
    for (text, named) in [
        ("new face \u{1FAE9}", "U+1FAE9"),
        ("𓀀𓁀", "𓀀 (U+13000), 𓁀 (U+13040)"),
        ("🇽🇽 and 🇨🇶", "U+1F1FD U+1F1FD"),
        ("a dancer 🧑\u{200D}🩰", "U+1F9D1 U+200D U+1FA70"),
        ("a brown brain 🧠🏽", "U+1F9E0 U+1F3FD"),
        ("\u{E000}\u{10FFFD}", "U+10FFFD"),
    ] {
        let error = set(&block(text)).expect_err(text);
        assert_eq!(error.code(), "FONT_MISSING");
        assert!(error.message().contains(named), "{}", error.message());
    }
    let missing = find_missing(&BOOK, &block("a \u{1FAE9} b 🇨🇶")).expect("asked");
    assert_eq!(missing.iter().map(|m| m.range.start).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(find_missing(&BOOK, &block(HOOK)).expect("asked"), []);
}

#[test]
fn marks_in_right_to_left_words_stand_on_their_side() {
    // The hyphen and the emoji come from other faces than the letters.
    for (text, order) in [
        ("ב-30 יום", ["ם", "ו", "י", "3", "0", "-", "ב"]),
        ("שלום🧠!\u{200F}a", ["a", "!", "🧠", "ם", "ו", "ל", "ש"]),
        ("a של-ום", ["a", "ם", "ו", "-", "ל", "ש", ""]),
    ] {
        let layout = set(&block(text)).expect("set");
        let shown = layout.lines()[0].glyphs.iter().map(|glyph| &text[glyph.range.clone()]);
        assert_eq!(shown.collect::<Vec<_>>(), order.into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>());
        let places: Vec<f32> = layout.lines()[0].glyphs.iter().map(|glyph| glyph.x).collect();
        assert!(places.is_sorted(), "{places:?}");
    }
}

#[test]
fn two_thousand_characters_fit() {
    let size = |text: &str| set(&block(text)).map(|layout| layout.font_size()).map_err(|e| e.message().to_owned());
    assert!(size(&prose(2000)).expect("prose") >= 24.0);
    assert!(size(&"🧠".repeat(2000)).expect("emoji") >= 16.0);
    assert!(size(&"W".repeat(2000)).expect("wide letters") >= 16.0);
    let error = set(&block(&prose(2001))).expect_err("too long");
    assert_eq!((error.code(), error.message()), ("VALIDATION", "the text has 2001 characters; at most 2000 are set"));
}

/// The last letter sticks out of its advance: the line that would just fit breaks earlier.
#[test]
fn ink_beyond_the_advances_breaks_a_line_earlier() {
    for size in 780..830 {
        let size = size as f32 / 10.0;
        let style = TextStyle { stroke: None, font_size: FontSize { min: size, max: size }, ..TextStyle::default() };
        let area = Area { x: 0, y: 0, width: 950, height: 979 };
        let block = TextBlock {
            style, ..TextBlock::new("خصم ٥٠٪ على تطبيق Remix 2.0 حتى 31 ديسمبر", area)
        };
        assert!(set(&block).is_ok(), "{size} px");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let error = set(&block(&"\n".repeat(500))).expect_err("too many lines");
    assert_eq!(error.code(), "VALIDATION");
    assert!(error.message().contains("does not fit 720x1210 px"), "{}", error.message());
    let mut one_line = block(&prose(300));
    one_line.style.max_lines = Some(1);
    assert!(set(&one_line).expect_err("one line").message().contains("in 1 lines"));
}

#[test]
fn sizes_follow_the_area() {
    let mut last = 0.0;
    for width in (200..=900).step_by(50) {
        let mut block = block(&prose(300));
        block.area.width = width;
        let size = set(&block).expect("set").font_size();
        assert!(size >= last, "{size} px at a width of {width}, {last} before");
        last = size;
    }
}

#[test]
fn letters_have_the_size_that_was_asked_for() {
    // Inter: capitals are 1490/2048 em high, and px per em is not px of line height.
    let mut block = block("HHH");
    block.style.stroke = None;
    block.style.font_size = FontSize { min: 100.0, max: 100.0 };
    let layout = set(&block).expect("set");
    let sprite = rasterise(&BOOK, &layout).expect("drawn").expect("ink");
    let rows = sprite.pixels.chunks_exact(sprite.width as usize * 4);
    let inked = rows.filter(|row| row.chunks_exact(4).any(|px| px[3] > 127)).count();
    assert!((inked as f32 - 72.75).abs() <= 1.0, "{inked} rows");
    // Advance of H in Inter Bold 4.0: 1526/2048 em.
    assert!((layout.lines()[0].width - 3.0 * 74.5).abs() < 4.0, "{}", layout.lines()[0].width);
}

#[test]
fn strokes_do_not_cover_neighbours() {
    let mut stroked = block("AVAWAVTo");
    let mut plain = stroked.clone();
    plain.style.stroke = None;
    stroked.style.stroke = Some(Stroke { width: 0.15, colour: Rgba::BLACK });
    let sprite = |block: &TextBlock| rasterise(&BOOK, &set(block).expect("set")).expect("drawn").expect("ink");
    let white = |sprite: &TextSprite| sprite.pixels.chunks_exact(4).filter(|px| px[..] == [255; 4]).count();
    assert_eq!(white(&sprite(&stroked)), white(&sprite(&plain)));
}

#[test]
fn anchors_and_alignment_place_the_block() {
    let mut corner = block("left\nof it all");
    corner.style.align = Align::Left;
    corner.anchor = Anchor::BottomLeft;
    let layout = set(&corner).expect("set");
    assert!((layout.lines()[0].x - layout.lines()[1].x).abs() < 0.01);
    assert_eq!((layout.extent().left, layout.extent().bottom), (180.0, 1460.0));
    let ink = layout.ink().expect("ink");
    assert!(ink.left >= 180.0 && ink.left < 190.0, "{ink:?}");
}

#[test]
fn nothing_to_show_is_no_sprite() {
    for text in ["", " ", "\n\n", "\u{200D}", "\u{202E}\u{200F}", "\0\u{7}\u{9F}", "\t\u{A0}\u{3000}"] {
        let layout = set(&block(text)).expect("set");
        assert_eq!(rasterise(&BOOK, &layout).expect("drawn"), None, "{text:?}");
    }
}

#[test]
fn the_same_block_gives_the_same_bytes() {
    let text = "Ünïcödé שלום مرحبا नमस्ते 🧠🇩🇪 habit";
    let draw = || rasterise(&BOOK, &set(&block(text)).expect("set")).expect("drawn");
    let first = draw();
    let others: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(others.iter().all(|other| *other == first));
    let fresh = FontBook::installed().expect("fonts");
    let layout = lay_out(&fresh, &block(text)).expect("set");
    assert_eq!(rasterise(&fresh, &layout).expect("drawn"), first);
}

#[test]
fn hostile_text_is_set_or_refused() {
    let marks = format!("a{}", "\u{301}".repeat(10_000));
    let joiners = "\u{200D}".repeat(2_000);
    let emoji_joiners = "🧠\u{200D}".repeat(1_000);
    let overrides = "\u{202E}a\u{202D}b\u{2067}c\u{2066}".repeat(250);
    let unpaired = "\u{2069}\u{202C}".repeat(500);
    let indicators = "🇩".repeat(501);
    let tags = format!("🏴{}", "\u{E0067}".repeat(40));
    let nothing = "\u{FFFF}\u{FFFE}\u{FDD0}\u{E0001}\u{FFF9}".to_owned();
    let zalgo = format!("Z{} ", "\u{30D}\u{316}".repeat(30)).repeat(30);
    let arabic = "ل\u{64B}\u{651}ا".repeat(500);
    let tabs = "\t".repeat(1_999);
    let spaces = format!("a{}b", " ".repeat(1_998));
    let ligatures = "क्".repeat(31) + "ष";
    for text in [
        marks,
        joiners,
        emoji_joiners,
        overrides,
        unpaired,
        indicators,
        tags,
        nothing,
        zalgo,
        arabic,
        tabs,
        spaces,
        ligatures,
    ] {
        match set(&block(&text)) {
            Ok(layout) => {
                let sprite = rasterise(&BOOK, &layout).expect("drawn");
                assert!(sprite.is_none_or(|sprite| margins_and_ink(&sprite).0 && is_inside(&sprite, BOX)));
            }
            Err(error) => assert!(matches!(error.code(), "VALIDATION" | "FONT_MISSING"), "{error:?}"),
        }
    }
}

/// Characters of many kinds, so that runs, directions and marks mix.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 .,!?()'-]{1,12}",
        1 => "[\u{5D0}-\u{5EA}]{1,6}",
        1 => "[\u{627}-\u{63A}\u{641}-\u{652}]{1,8}",
        1 => "[\u{905}-\u{939}\u{93E}-\u{94D}]{1,8}",
        1 => "[\u{E01}-\u{E3A}\u{E40}-\u{E4E}]{1,8}",
        1 => "[\u{300}-\u{36F}]{1,4}",
        1 => prop::sample::select(vec!["🧠", "🇩🇪", "👍🏽", "❤\u{FE0F}", "👩\u{200D}🚀", "1\u{FE0F}\u{20E3}", "🇩"])
            .prop_map(str::to_owned),
        1 => "[\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}\n\t ]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_ink_touches_the_edge_or_leaves_the_area(
        text in any_text(),
        max in 16.0f32..160.0,
        stroke in prop::option::of(0.01f32..0.4),
        (width, height) in (60u32..800, 60u32..800),
        anchor in prop::sample::select(vec![Anchor::TopLeft, Anchor::Center, Anchor::BottomRight]),
        align in prop::sample::select(vec![Align::Left, Align::Center, Align::Right]),
    ) {
        let mut block = block(&text);
        block.style.font_size = FontSize { min: 12.0, max };
        block.style.stroke = stroke.map(|width| Stroke { width, colour: Rgba::BLACK });
        block.style.align = align;
        block.anchor = anchor;
        block.area = Area { x: -31, y: 17, width, height };
        match set(&block) {
            Ok(layout) => {
                let extent = layout.extent();
                prop_assert!(extent.left >= -31.0 && extent.top >= 17.0, "{:?}", extent);
                prop_assert!(extent.right <= -31.0 + width as f32 && extent.bottom <= 17.0 + height as f32, "{:?}", extent);
                if let Some(sprite) = rasterise(&BOOK, &layout).expect("drawn") {
                    prop_assert!([sprite.x, sprite.y].iter().all(|place| place % 2 == 0));
                    prop_assert!([sprite.width, sprite.height].iter().all(|size| size % 2 == 0));
                    let (clear, _) = margins_and_ink(&sprite);
                    prop_assert!(clear, "ink at the edge");
                    prop_assert!(is_inside(&sprite, block.area), "ink outside the area");
                    prop_assert!(sprite.pixels.chunks_exact(4).all(|px| px[..3].iter().all(|&c| c <= px[3])));
                }
            }
            Err(error) => prop_assert!(matches!(error.code(), "VALIDATION" | "FONT_MISSING"), "{error:?}"),
        }
    }

    #[test]
    fn lines_show_the_source_in_order(text in "[a-zA-Z ,.\n]{0,300}") {
        let layout = set(&block(&text)).expect("set");
        let mut end = 0;
        for line in layout.lines().iter().filter(|line| !line.text.is_empty()) {
            prop_assert!(line.range.start >= end);
            prop_assert_eq!(&text[line.range.clone()], &line.text);
            prop_assert!(text[end..line.range.start].trim().is_empty());
            end = line.range.end;
        }
        prop_assert!(text[end..].trim().is_empty());
    }
}

/// Boxes and shadows are part of a sprite: they stay inside of the area, and nothing is cut at the sprite's edge.
#[test]
fn every_preset_stays_inside_of_its_area_and_is_not_cut() {
    let book = FontBook::installed().expect("the font packages are installed");
    let texts = ["gjpqy", "wait for it...\nthis changed everything 🧠", "Ünïcödé ẢÅ\n\nàfter a blank line", "🎉"];
    for name in TextStyle::PRESETS {
        let style = TextStyle::preset(name).expect("a preset");
        for (text, anchor) in
            texts.iter().flat_map(|text| [Anchor::Top, Anchor::Center, Anchor::BottomRight].map(|a| (text, a)))
        {
            let area = Area { x: 100, y: 200, width: 500, height: 420 };
            let style = TextStyle { align: anchor.align(), ..style.clone() };
            let block = TextBlock { style, anchor, ..TextBlock::new(*text, area) };
            let layout = lay_out(&book, &block).expect("fits");
            let sprite = rasterise(&book, &layout).expect("is drawn").expect("has ink");
            let (width, height) = (sprite.width as usize, sprite.height as usize);
            let alpha = |x: usize, y: usize| sprite.pixels[(y * width + x) * 4 + 3];
            let edge = (0..width)
                .flat_map(|x| [(x, 0), (x, height - 1)])
                .chain((0..height).flat_map(|y| [(0, y), (width - 1, y)]));
            assert!(edge.into_iter().all(|(x, y)| alpha(x, y) == 0), "{name}, {text:?}: cut at the edge");
            let seen = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|&(x, y)| alpha(x, y) > 8);
            for (x, y) in seen {
                let (x, y) = (sprite.x + x as i32, sprite.y + y as i32);
                assert!((100..600).contains(&x) && (200..620).contains(&y), "{name}, {text:?}: ink at ({x}, {y})");
            }
        }
    }
}

#[test]
fn presets_look_as_their_names_say() {
    let book = FontBook::installed().expect("the font packages are installed");
    let colours = |name: &str| {
        let block = TextBlock {
            style: TextStyle::preset(name).expect("a preset"),
            ..TextBlock::new("hello there", Area { x: 0, y: 0, width: 720, height: 400 })
        };
        let sprite = rasterise(&book, &lay_out(&book, &block).expect("fits")).expect("is drawn").expect("has ink");
        let count = |wanted: [u8; 4]| {
            sprite
                .pixels
                .as_chunks::<4>()
                .0
                .iter()
                .filter(|px| px.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 6))
                .count()
        };
        (count([255; 4]), count([12, 12, 14, 255]), count([255, 226, 52, 255]))
    };
    let (white, dark, _) = colours("outline");
    assert!(white > 2_000 && dark > 1_000);
    let (white, dark, _) = colours("white-box");
    assert!(white > 20_000 && (2_000..white / 2).contains(&dark), "{white} {dark}");
    let (white, _, yellow) = colours("highlight");
    assert!(yellow > 20_000 && white < 100, "{yellow}");
    assert!(TextStyle::preset("neon").is_none());
}

#[test]
fn a_shadow_with_hardly_any_blur_is_not_cut() {
    for blur in [0.0, 0.003_6, 0.02, 0.06, 0.07, 0.3] {
        let shadow = Some(Shadow { x: 0.0, y: 0.115, blur, ..Shadow::default() });
        let style = TextStyle { shadow, font_size: FontSize { min: 8.0, max: 8.0 }, ..TextStyle::default() };
        let block = TextBlock { style, ..TextBlock::new("gjpq ہدارلگرہڑ", BOX) };
        let sprite = rasterise(&BOOK, &set(&block).expect("fits")).expect("drawn").expect("has ink");
        assert!(margins_and_ink(&sprite).0, "blur {blur}");
    }
}

/// Styles with everything that reaches beyond letters.
fn any_style() -> impl Strategy<Value = TextStyle> {
    let backdrop = (0.0f32..1.0, 0.0f32..1.0, any::<bool>()).prop_map(|(padding, radius, block)| Backdrop {
        padding,
        radius,
        shape: if block { BackdropShape::Block } else { BackdropShape::Line },
        ..Backdrop::default()
    });
    let shadow =
        (-0.5f32..0.5, -0.5f32..0.5, 0.0f32..0.3).prop_map(|(x, y, blur)| Shadow { x, y, blur, ..Shadow::default() });
    let active = (1.0f32..1.5, prop::option::of(backdrop.clone())).prop_map(|(scale, backdrop)| ActiveStyle {
        fill: Some(Rgba::BLACK),
        backdrop,
        scale,
    });
    (prop::option::of(backdrop), prop::option::of(shadow), prop::option::of(active), 8.0f32..60.0, 0.6f32..2.0)
        .prop_map(|(backdrop, shadow, active, max, line_height)| TextStyle {
            backdrop,
            shadow,
            active,
            line_height,
            font_size: FontSize { min: 8.0, max },
            ..TextStyle::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is around letters, and whichever word is active, also in Nastaliq, whose letters stand far above and below
    /// each other.
    #[test]
    fn nothing_around_letters_is_cut(
        style in any_style(),
        text in prop_oneof![any_text(), "[یہسادعتمرزنگبلگٹڑے ]{1,60}", "[a-zģÂy ]{1,40}"],
        active in 0usize..12,
        width in 150u32..700,
        height in 150u32..900,
    ) {
        let language = text.contains('ی').then(|| "ur".to_owned());
        let mut block = TextBlock { style, language, ..TextBlock::new(text.as_str(), Area { x: 11, y: -8, width, height }) };
        let plain = set(&block);
        // One word, or all from it on.
        let word = text.split_whitespace().nth(active / 2).and_then(|word| Some((text.find(word)?, word.len())));
        block.active = word.map(|(at, length)| at..if active % 2 == 0 { at + length } else { text.len() });
        match (set(&block), plain) {
            (Ok(layout), Ok(plain)) => {
                prop_assert_eq!(layout.font_size(), plain.font_size(), "an active word changes no size");
                prop_assert_eq!(lines(&layout), lines(&plain));
                prop_assert_eq!(layout.extent(), plain.extent());
                if let Some(sprite) = rasterise(&BOOK, &layout).expect("drawn") {
                    let (clear, _) = margins_and_ink(&sprite);
                    prop_assert!(clear, "ink at the edge");
                    prop_assert!(is_inside(&sprite, block.area), "ink outside the area");
                }
            }
            (Err(error), Err(_)) => prop_assert!(matches!(error.code(), "VALIDATION" | "FONT_MISSING"), "{error:?}"),
            (one, other) => prop_assert!(false, "an active word decides whether it fits: {:?} {:?}", one.is_ok(), other.is_ok()),
        }
    }
}
