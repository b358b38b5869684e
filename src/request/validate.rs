//! The rules of a request that do not need its files.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::parse::{nearest, shorten};
use super::{Format, InspectionPolicy, Request};
use crate::encode::Preset;
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::text::{Anchor, MissingPolicy, TextStyle};

/// Characters of the id of a media row, clip or track.
const ITEM_ID_CHARS: usize = 128;

/// Whether `id` may be a request's: 1 to 64 letters, digits, `.`, `_` or `-`, not starting with a dot.
pub(crate) fn is_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&id.len()) && !id.starts_with('.') && id.chars().all(allowed)
}

impl Request {
    /// Everything that is wrong with the request itself; empty if it can be planned. Files are not looked at, except
    /// that a link in `src` may not lead out of the project's folder.
    pub fn findings(&self, limits: &Limits) -> Vec<Finding> {
        let mut found = Vec::new();
        self.check_id(&mut found);
        self.check_numbers(limits, &mut found);
        if let Some(chars) = self.hook.as_ref().map(|hook| hook.chars().count()).filter(|&n| n > limits.hook_chars) {
            let message = format!("the hook has {chars} characters; the limit is {}", limits.hook_chars);
            found.push(Finding::new(ErrorKind::Validation, "/hook", message).suggest("shorten it"));
        }
        let given = |id: &Option<String>| id.as_ref().is_some_and(|id| !id.trim().is_empty());
        if !given(&self.influencer_id) && !given(&self.social_account_id) {
            let message = "neither influencerId nor socialAccountId is given";
            found.push(
                Finding::new(ErrorKind::InfluencerRequired, "/influencerId", message).suggest("give one of the two"),
            );
        }
        let format = crate::formats::resolve(self);
        if format == Format::UgcRemix {
            found.extend(crate::formats::check_layout(self));
            if self.timeline.is_some() {
                let message = "a timeline stands in place of a format";
                found.push(
                    Finding::new(ErrorKind::Validation, "/timeline", message)
                        .suggest("leave `format` or `timeline` out"),
                );
            }
        }
        if let Some(name) = self.output.preset.as_deref().filter(|name| Preset::from_name(name).is_none()) {
            let message = format!("unknown preset `{}`", shorten(name));
            found.push(
                Finding::new(ErrorKind::Validation, "/output/preset", message).suggest(nearest(name, &Preset::NAMES)),
            );
        }
        let policy = self.output.inspection.as_deref();
        if let Some(name) = policy.filter(|name| InspectionPolicy::from_name(name).is_none()) {
            let message = format!("unknown inspection policy `{}`", shorten(name));
            found.push(
                Finding::new(ErrorKind::Validation, "/output/inspection", message)
                    .suggest(nearest(name, &InspectionPolicy::NAMES)),
            );
        }
        self.check_captions(&mut found);
        found.extend(self.text_findings());
        let media = self.media.iter().map(|row| (row.id.as_str(), row.src.as_str()));
        self.check_pool("media", media, limits, &mut found);
        let reactions = self.reaction_templates.iter().map(|item| (item.id.as_str(), item.src.as_str()));
        self.check_pool("reactionTemplates", reactions, limits, &mut found);
        let music = self.music.iter().map(|item| (item.id.as_str(), item.src.as_str()));
        self.check_pool("music", music, limits, &mut found);
        let source = self.source.iter().flat_map(|source| &source.slides);
        let source: Vec<_> = source.map(|item| (item.id.as_str(), item.src.as_str())).collect();
        self.check_pool("source/slides", source.into_iter(), limits, &mut found);
        self.check_pins(&mut found);
        if format != Format::VideoRemix {
            found.extend(crate::formats::video_remix::meant_for_it(self, format));
        }
        found.extend(crate::formats::slideshow_builder::check_words(self));
        found.extend(crate::formats::check_sound(self));
        found.extend(match format {
            Format::Timeline => match &self.timeline {
                Some(timeline) => crate::formats::timeline::unmet(self, timeline, limits),
                None => vec![
                    Finding::new(ErrorKind::Validation, "/timeline", "there is no timeline").suggest("give its shots"),
                ],
            },
            Format::SlideshowBuilder => {
                [crate::formats::slideshow_builder::unmet(self), crate::formats::unmet_by_slides(self)].concat()
            }
            Format::SlideshowRemix => {
                [crate::formats::slideshow_remix::unmet(self, limits), crate::formats::unmet_by_slides(self)].concat()
            }
            Format::VideoRemix => crate::formats::video_remix::unmet(self, limits),
            _ => crate::formats::ugc_remix::unmet(self),
        });
        found
    }

    /// How texts are set.
    pub(crate) fn text_findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(style) = &self.hook_style {
            found.extend(style.faults("/hookStyle", TextStyle::default()));
        }
        let mut choice = |field: &str, given: &Option<String>, known: &[&str]| {
            if let Some(given) = given.as_deref().filter(|given| !known.contains(given)) {
                let message = format!("unknown {field} `{}`", shorten(given));
                found.push(
                    Finding::new(ErrorKind::Validation, format!("/{field}"), message).suggest(nearest(given, known)),
                );
            }
        };
        choice("hookPosition", &self.hook_position, &Anchor::NAMES);
        choice("safeArea", &self.safe_area, &crate::formats::safe_area_names());
        if let Some(animation) = &self.hook_animation {
            found.extend(super::style::animation_faults(animation, "/hookAnimation"));
        }
        let brief = self.brief.as_ref().and_then(|brief| brief.language.as_ref());
        for (tag, pointer) in [(self.language.as_ref(), "/language"), (brief, "/brief/language")] {
            if let Some(Err(error)) = tag.map(|tag| crate::text::check_language(tag)) {
                let mut finding = Finding::new(ErrorKind::Validation, pointer, error.message());
                finding.suggestion = error.suggestion().map(str::to_owned);
                found.push(finding);
            }
        }
        if self.missing_characters.is_some() && self.missing_policy().is_none() {
            let given = self.missing_characters.as_deref().unwrap_or_default();
            let message = format!("`{}` is neither `error` nor `drop` nor one character", shorten(given));
            found.push(Finding::new(ErrorKind::Validation, "/missingCharacters", message));
        }
        found
    }

    /// The language of the texts.
    pub(crate) fn text_language(&self) -> Option<String> {
        let brief = self.brief.as_ref().and_then(|brief| brief.language.as_ref());
        self.language.as_ref().or(brief).cloned()
    }

    /// What is done about characters that no font has; `None` if what is asked for is unknown.
    pub(crate) fn missing_policy(&self) -> Option<MissingPolicy> {
        self.missing_characters.as_deref().map_or(Some(MissingPolicy::default()), MissingPolicy::from_name)
    }

    fn check_id(&self, found: &mut Vec<Finding>) {
        let message = if self.id.is_empty() {
            "the request has no id".to_owned()
        } else if !is_id(&self.id) {
            format!("the id `{}` is not 1 to 64 letters, digits, `.`, `_` or `-`", shorten(&self.id))
        } else {
            return;
        };
        found.push(Finding::new(ErrorKind::Validation, "/id", message).suggest("give an id such as `cnt_123`"));
    }

    fn check_numbers(&self, limits: &Limits, found: &mut Vec<Finding>) {
        if let Some(count) = self.variant_count.filter(|count| !(1..=u64::from(limits.variants)).contains(count)) {
            let message = format!("variantCount is {count}; it must be 1 to {}", limits.variants);
            found.push(Finding::new(ErrorKind::Validation, "/variantCount", message));
        }
        let longest = limits.output_duration.as_secs_f64();
        if let Some(seconds) = self.hook_duration.filter(|s| !(*s > 0.0 && *s <= longest)) {
            let message = format!("hookDuration is {seconds}; it must be above 0 and at most {longest} seconds");
            found.push(Finding::new(ErrorKind::Validation, "/hookDuration", message));
        }
        if let Some(seconds) = self.output.thumbnail_at.filter(|s| !(*s >= 0.0 && *s <= longest)) {
            let message = format!("thumbnailAt is {seconds}; it must be 0 to {longest} seconds");
            found.push(Finding::new(ErrorKind::Validation, "/output/thumbnailAt", message));
        }
    }

    fn check_pool<'a>(
        &self,
        name: &str,
        rows: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
        limits: &Limits,
        found: &mut Vec<Finding>,
    ) {
        if rows.len() > limits.pool_items {
            let message = format!("{name} has {} items; the limit is {}", rows.len(), limits.pool_items);
            found.push(Finding::new(ErrorKind::LimitExceeded, format!("/{name}"), message));
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, (id, src)) in rows.enumerate() {
            let at = format!("/{name}/{index}");
            if id.is_empty() {
                found.push(Finding::new(ErrorKind::Validation, format!("{at}/id"), "it has no id"));
            } else if id.chars().count() > ITEM_ID_CHARS {
                let message = format!("the id `{}` has more than {ITEM_ID_CHARS} characters", shorten(id));
                found.push(Finding::new(ErrorKind::Validation, format!("{at}/id"), message));
            } else if !seen.insert(id) {
                let message = format!("the id `{}` is used twice", shorten(id));
                found.push(Finding::new(ErrorKind::Validation, format!("{at}/id"), message));
            }
            if let Err((message, suggestion)) = self.check_src(src) {
                found.push(Finding::new(ErrorKind::Validation, format!("{at}/src"), message).suggest(suggestion));
            }
        }
    }

    fn check_pins(&self, found: &mut Vec<Finding>) {
        let media: Vec<&str> = self.media.iter().map(|row| row.id.as_str()).collect();
        let reactions: Vec<&str> = self.reaction_templates.iter().map(|item| item.id.as_str()).collect();
        let music: Vec<&str> = self.music.iter().map(|item| item.id.as_str()).collect();
        for (pin, pointer, known, pool) in [
            (&self.media_id, "/mediaId", media, "media"),
            (&self.reaction_template_id, "/reactionTemplateId", reactions, "reactionTemplates"),
            (&self.music_track_id, "/musicTrackId", music, "music"),
        ] {
            if let Some(id) = pin.as_deref().filter(|id| !known.contains(id)) {
                let message = format!("`{}` is not in {pool}", shorten(id));
                found.push(Finding::new(ErrorKind::NotFound, pointer, message).suggest(nearest(id, &known)));
            }
        }
    }

    pub(super) fn check_src(&self, src: &str) -> Result<(), (String, &'static str)> {
        const STAY: &str = "put the file into the project's folder and give its path relative to it";
        if src.is_empty() {
            return Err(("it has no src".to_owned(), STAY));
        }
        if src.contains('\0') {
            return Err(("its src has a NUL character".to_owned(), STAY));
        }
        if src.contains("://") {
            let message = format!("its src `{}` is a URL; only local files are opened", shorten(src));
            return Err((message, "download the file first"));
        }
        if self.allow_outside {
            return Ok(());
        }
        let outside = || (format!("its src `{}` leaves the project's folder", shorten(src)), STAY);
        if !Path::new(src).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(outside());
        }
        // A link may lead out too. What does not exist is found when it is opened.
        let base = if self.base.as_os_str().is_empty() { Path::new(".") } else { &self.base };
        match (base.canonicalize(), base.join(src).canonicalize()) {
            (Ok(base), Ok(file)) if !file.starts_with(&base) => Err(outside()),
            _ => Ok(()),
        }
    }

    /// The file that `src` names.
    ///
    /// # Errors
    /// `VALIDATION` if it leaves the project's folder. Who can change links in that folder while a job runs can still
    /// lead it elsewhere: give each job a folder of its own.
    pub(crate) fn resolve(&self, src: &str) -> Result<PathBuf> {
        self.check_src(src)
            .map_err(|(message, suggestion)| Error::new(ErrorKind::Validation, message).suggest(suggestion))?;
        Ok(self.base.join(src))
    }
}
