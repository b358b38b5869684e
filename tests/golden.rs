//! Texts as they were when somebody last looked at them: scripts, emoji, styles, fits, captions.
//!
//! Each case is drawn over two colours and compared with its picture in `tests/golden`. Pictures are compared as they are
//! seen: in a perceptual colour space, after a blur that forgives rounding at edges. After a change on purpose, run
//! `GOLDEN=update cargo test --test golden`, look at every picture that changed, and commit it.

mod support;

use std::fs;
use std::sync::LazyLock;

use image::{Rgb, RgbImage};
use remix_engine::formats::HookLook;
use remix_engine::request::StyleRequest;
use remix_engine::text::{Area, FontBook, TextBlock, TextSprite, lay_out, rasterise};
use serde_json::{Value, json};

static BOOK: LazyLock<FontBook> = LazyLock::new(|| FontBook::installed().expect("the font packages are installed"));

const WIDTH: u32 = 480;
const HEIGHT: u32 = 260;
const GROUND: [Rgb<u8>; 2] = [Rgb([74, 88, 110]), Rgb([214, 190, 150])];

/// What a case differs in from a white outlined text of at most 40 px in the middle.
#[derive(Default)]
struct Case {
    name: &'static str,
    text: String,
    style: Value,
    position: Option<&'static str>,
    language: Option<&'static str>,
    /// The word that is being said.
    active: Option<&'static str>,
    /// Thousandths of its size.
    scale: Option<u16>,
    area: Option<Area>,
}

fn case(name: &'static str, text: &str) -> Case {
    Case { name, text: text.to_owned(), style: json!({}), ..Case::default() }
}

fn styled(name: &'static str, text: &str, style: Value) -> Case {
    Case { style, ..case(name, text) }
}

fn said(name: &'static str, text: &str, active: &'static str, style: Value) -> Case {
    Case { active: Some(active), ..styled(name, text, style) }
}

fn scripts() -> Vec<Case> {
    let of = |name, language, text| Case { language: Some(language), ..case(name, text) };
    vec![
        case("latin", "Ångström façade, naïve Žižek, Łódź: ¿señor? “quotes” – dash… fi fl"),
        of("vietnamese", "vi", "Nguyễn Thị Ấm ướt, Ễ Ỗ Ữ: thử dấu chồng"),
        of("cyrillic", "ru", "Съешь ещё этих мягких французских булок, да выпей же чаю"),
        of("greek", "el", "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία, ᾧ"),
        of("arabic", "ar", "هذه العادة البسيطة غيّرت كل شيء في حياتي"),
        of("arabic-vowels", "ar", "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ"),
        of("persian", "fa", "می‌خواهم کتاب‌ها را ببینم، نمی‌دانم"),
        of("urdu", "ur", "یہ سادہ عادت میری زندگی بدل گئی"),
        of("hebrew", "he", "ההרגל הפשוט הזה שינה לי את החיים"),
        of("hebrew-points", "he", "בְּרֵאשִׁית בָּרָא אֱלֹהִים"),
        of("devanagari", "hi", "इस साधारण आदत ने मेरी ज़िंदगी बदल दी, क्ष त्र ज्ञ र्क"),
        of("bengali", "bn", "এই সাধারণ অভ্যাস আমার জীবন বদলে দিয়েছে ক্ষ জ্ঞ"),
        of("tamil", "ta", "இந்த எளிய பழக்கம் என் வாழ்க்கையை மாற்றியது"),
        of("telugu", "te", "ఈ సాధారణ అలవాటు నా జీవితాన్ని మార్చింది"),
        of("thai", "th", "นิสัยง่ายๆนี้เปลี่ยนทุกอย่างเกี่ยวกับความคิดของฉันไปตลอดกาล"),
        of("khmer", "km", "ទម្លាប់សាមញ្ញនេះបានផ្លាស់ប្តូរជីវិតរបស់ខ្ញុំ"),
        of("burmese", "my", "ဒီရိုးရှင်းတဲ့အလေ့အထက ငါ့ဘဝကို ပြောင်းလဲစေခဲ့တယ်"),
        of("japanese", "ja", "このシンプルな習慣が、私の「考え方」をすべて変えた。ちょっと待って！"),
        of("korean", "ko", "이 단순한 습관이 내 사고방식을 완전히 바꿨다"),
        of("chinese-simplified", "zh-Hans", "这个简单的习惯改变了我的一切：直、骨、门、边。"),
        of("chinese-traditional", "zh-Hant", "這個簡單的習慣改變了我的一切：直、骨、門、邊。"),
        of("han-japanese", "ja", "直骨門邊令"),
        of("han-simplified", "zh-Hans", "直骨門邊令"),
        case("georgian-armenian", "ქართული ენა\nՀայերեն լեզու"),
        case("mixed-directions", "The word שלום means peace (3 ימים), and مرحبا 2026 is hello"),
        of("arabic-with-latin", "ar", "جرّب تطبيق Remix 2.0 الآن (مجاناً) 🎉"),
    ]
}

fn emoji() -> Vec<Case> {
    vec![
        case("emoji-line", "this changed my mindset 🧠 for good ✨"),
        case("emoji-families", "👨‍👩‍👧‍👦 👩‍❤️‍💋‍👨 👩‍👩‍👦 🧑‍🤝‍🧑"),
        case("emoji-skin", "👋🏻👋🏼👋🏽👋🏾👋🏿 👩🏽‍🚀 🤝🏿 🧑🏻‍🤝‍🧑🏿"),
        case("emoji-flags", "🇩🇪🇯🇵🇧🇷🇺🇦 🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁷󠁬󠁳󠁿 🏳️‍🌈🏴‍☠️🏳️‍⚧️"),
        case("emoji-keycaps", "1️⃣2️⃣3️⃣ #️⃣ *️⃣ 0️⃣ 🔟 but 1 2 3 # *"),
        case("emoji-presentation", "❤ ❤️ ❤︎ ☀ ☀️ ☀︎ ✔ ✔️ ™ ™️"),
        case("emoji-zwj-hair", "👩‍🦰 🧑‍🦱 👨‍🦲 🧔‍♂️ 🏃‍♀️ 🤦🏽‍♂️ 👁️‍🗨️ 🐻‍❄️ ❤️‍🔥"),
        case("emoji-many", &"😀🥰🤯🫠🔥💯🙈🦄🍕🚀".repeat(8)),
        styled("emoji-large", "🧠", json!({ "fontSize": 170 })),
        styled("emoji-stroke", "🔥 wow 👻", json!({ "fontSize": 72, "stroke": { "width": 0.15, "color": "#e0245e" } })),
        styled("emoji-box", "new drop 🛍️\nlink in bio 👇", json!("white-box")),
        case("emoji-between-letters", "a🙂b🙂c no🚫space"),
    ]
}

fn styles() -> Vec<Case> {
    const TEXT: &str = "wait for it...\nthis changed everything";
    vec![
        styled("style-outline", TEXT, json!("outline")),
        styled("style-white-box", TEXT, json!("white-box")),
        styled("style-black-box", TEXT, json!("black-box")),
        styled("style-highlight", TEXT, json!("highlight")),
        styled("style-shadow", TEXT, json!("shadow")),
        styled("style-block-box", TEXT, json!({ "preset": "black-box", "box": { "shape": "block", "radius": 0.5 } })),
        styled("style-square-box", TEXT, json!({ "preset": "white-box", "box": { "radius": 0, "padding": 0.1 } })),
        styled("style-box-in-steps", "a\nlonger line\nthe longest line of all\nshort", json!("white-box")),
        styled("style-box-right", "one\nlonger line\nx", json!({ "preset": "black-box", "align": "right" })),
        styled("style-box-blank-line", "above\n\nbelow", json!("white-box")),
        styled("style-wide-stroke", "descenders: gjpqy ÄÖ", json!({ "stroke": { "width": 0.3, "color": "#7b2ff7" } })),
        styled("style-no-stroke", TEXT, json!({ "stroke": null, "fill": "#ffcc00", "weight": 900 })),
        styled(
            "style-hard-shadow",
            TEXT,
            json!({ "stroke": null, "shadow": { "x": 0.08, "y": 0.08, "blur": 0, "color": "#000000" } }),
        ),
        styled("style-opacity", TEXT, json!({ "opacity": 0.5 })),
        styled("style-see-through-fill", TEXT, json!({ "fill": "#ffffff80" })),
        styled("style-box-arabic", "هذه العادة البسيطة\nغيّرت كل شيء", json!("highlight")),
        styled("style-stroke-devanagari", "ज़िंदगी बदल दी", json!({ "stroke": { "width": 0.12 }, "fontSize": 60 })),
        Case {
            language: Some("ur"),
            ..styled("style-stroke-nastaliq", "یہ سادہ عادت", json!({ "stroke": { "width": 0.12 }, "fontSize": 60 }))
        },
    ]
}

fn fits() -> Vec<Case> {
    let at = |name, position| Case {
        position: Some(position),
        ..styled(name, "two lines\nof a hook", json!({ "fontSize": 30 }))
    };
    vec![
        case("fit-one-letter", "A"),
        case("fit-no-lone-word", "this simple habit changed everything about it"),
        case("fit-long-word", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"),
        case("fit-url", "go to https://example.com/a/very/long/path/that/never/ends?with=query&and=more"),
        case("fit-many", &"Every morning I make my bed, and write down three things. ".repeat(9)),
        case("fit-hard-breaks", "one\ntwo\n\nfour\nfive"),
        styled("fit-one-line", "all of this must stand on one line", json!({ "maxLines": 1 })),
        styled("fit-tight-lines", "lines that\nstand close", json!({ "lineHeight": 0.8, "fontSize": 60 })),
        styled("fit-wide-lines", "lines that\nstand apart", json!({ "lineHeight": 1.8 })),
        styled("fit-zalgo", "Z̸̧̛̗͍̏̿a̶͖̾l̵̻͐g̷̱̈o̸͚͝ t̸̥̄e̵̝͊x̵̹̽t̶̞̆", json!({ "fontSize": 48 })),
        at("place-top-left", "top-left"),
        at("place-top", "top"),
        at("place-right", "right"),
        at("place-bottom-right", "bottom-right"),
        Case {
            area: Some(Area { x: 200, y: 20, width: 60, height: 220 }),
            ..case("fit-narrow", "a narrow column of words")
        },
    ]
}

fn captions() -> Vec<Case> {
    const TEXT: &str = "so what I actually do every single morning";
    let color = json!({ "weight": 800, "active": { "fill": "#ffe234" } });
    let boxed = json!({ "weight": 800, "active": { "box": { "color": "#e41e3f", "padding": 0.16, "radius": 0.2 } } });
    let grown = json!({ "weight": 800, "active": { "fill": "#ffe234", "scale": 1.1 } });
    vec![
        said("caption-color", TEXT, "actually", color.clone()),
        said("caption-box", TEXT, "what", boxed.clone()),
        said("caption-scale", TEXT, "every", grown.clone()),
        said("caption-none", TEXT, "", grown.clone()),
        said("caption-last-word", TEXT, "morning", boxed.clone()),
        said("caption-arabic", "هذه العادة البسيطة غيّرت كل شيء", "البسيطة", boxed.clone()),
        said("caption-japanese", "この習慣が私を変えた", "習慣", color.clone()),
        said("caption-emoji", "so good 🔥 right now", "🔥", grown),
        said("caption-on-white", TEXT, "single", json!({ "preset": "white-box", "active": { "fill": "#e41e3f" } })),
        Case { scale: Some(790), ..said("caption-popping", TEXT, "what", color.clone()) },
        Case { scale: Some(1_030), ..said("caption-overshooting", TEXT, "what", color) },
    ]
}

impl Case {
    fn block(&self) -> TextBlock {
        let mut style = self.style.clone();
        if let Some(fields) = style.as_object_mut() {
            fields.entry("fontSize").or_insert(json!({ "min": 10, "max": 40 }));
        } else {
            style = json!({ "preset": style, "fontSize": { "min": 10, "max": 40 } });
        }
        let look = HookLook {
            style: Some(StyleRequest(style)),
            position: Some(self.position.unwrap_or("center").to_owned()),
            language: self.language.map(str::to_owned),
            ..HookLook::default()
        };
        look.check().unwrap_or_else(|error| unreachable!("{}: {error}", self.name));
        let mut block = look.block(&self.text);
        block.area = self.area.unwrap_or(Area { x: 16, y: 10, width: WIDTH - 32, height: HEIGHT - 20 });
        block.active = self.active.filter(|word| !word.is_empty()).map(|word| {
            let at = self.text.find(word).expect("the word is in the text");
            at..at + word.len()
        });
        block
    }

    fn draw(&self) -> RgbImage {
        let layout = lay_out(&BOOK, &self.block()).unwrap_or_else(|error| unreachable!("{}: {error}", self.name));
        let sprite = rasterise(&BOOK, &layout).expect("is drawn").expect("has ink");
        let sprite = self.scale.map_or(sprite.clone(), |scale| sprite.scaled(scale).expect("is scaled"));
        over_ground(&sprite)
    }
}

fn over_ground(sprite: &TextSprite) -> RgbImage {
    let mut picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, _| GROUND[usize::from(x >= WIDTH / 2)]);
    let part = sprite.on_canvas(WIDTH, HEIGHT).expect("is on the canvas");
    for (at, [r, g, b, a]) in (0u32..).zip(part.pixels.as_chunks::<4>().0) {
        let (x, y) = (part.x as u32 + at % part.width, part.y as u32 + at / part.width);
        let below = picture.get_pixel_mut(x, y);
        let mix = |below: u8, above: u8| (u32::from(below) * (255 - u32::from(*a)) / 255 + u32::from(above)).min(255);
        *below = Rgb([mix(below[0], *r), mix(below[1], *g), mix(below[2], *b)].map(|value| value as u8));
    }
    picture
}

fn compare(cases: Vec<Case>) {
    support::golden::assert_same(cases.into_iter().map(|case| (case.name, case.draw())));
}

#[test]
fn scripts_look_as_they_did() {
    compare(scripts());
}

#[test]
fn emoji_look_as_they_did() {
    compare(emoji());
}

#[test]
fn styles_look_as_they_did() {
    compare(styles());
}

#[test]
fn fits_look_as_they_did() {
    compare(fits());
}

#[test]
fn captions_look_as_they_did() {
    compare(captions());
}

#[test]
fn every_picture_has_a_case_and_no_name_is_used_twice() {
    let cases = [scripts(), emoji(), styles(), fits(), captions()].concat_names();
    let mut names = cases.clone();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    let mut files: Vec<String> = fs::read_dir(support::golden::file_of("").parent().expect("a folder"))
        .expect("the folder is there")
        .map(|entry| entry.expect("is read").path())
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    files.sort_unstable();
    assert_eq!(files, names);
    assert!(files.len() >= 60, "{}", files.len());
}

/// A change that people would see is found.
#[test]
fn a_changed_picture_is_told() {
    let of = |text: &str, style: Value| styled("", text, style).draw();
    let plain = of("wait for it...", json!({}));
    assert_eq!(support::golden::difference(&plain, &plain), (0.0, 0.0));
    for other in [
        of("wait for it..", json!({})),
        of("wait for it...", json!({ "fill": "#ffffe0" })),
        of("wait for it...", json!({ "stroke": { "width": 0.12 } })),
        of("wait for it...", json!({ "weight": 800 })),
    ] {
        let (mean, most) = support::golden::difference(&plain, &other);
        assert!(mean > 0.000_5 || most > 0.04, "{mean} {most}");
    }
}

/// The names of several lists of cases.
trait Names {
    fn concat_names(&self) -> Vec<&'static str>;
}

impl Names for [Vec<Case>; 5] {
    fn concat_names(&self) -> Vec<&'static str> {
        self.iter().flatten().map(|case| case.name).collect()
    }
}
