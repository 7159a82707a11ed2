//! What a request for a picture says.

use common::format::folder::FolderName;

use super::Query;
use crate::error::ApiError;

/// What every PNG begins with (PNG specification §5.2).
pub(crate) const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

const DEFAULT_SIZE: (u32, u32) = (1024, 64);
/// The most pixels in either direction.
const MAX_PIXELS: u32 = 4096;

/// Reads `size=WIDTHxHEIGHT`.
///
/// # Errors
///
/// When it is no size, or too large.
pub(crate) fn size(query: &Query) -> Result<(u32, u32), ApiError> {
    let Some(text) = query.one("size")? else {
        return Ok(DEFAULT_SIZE);
    };
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((pixels(width)?, pixels(height)?)));
    let is_size = |(width, height): &(u32, u32)| *width > 0 && *height > 0;
    sides.filter(is_size).ok_or_else(|| {
        let problem = format!(
            "it must be WIDTHxHEIGHT in pixels, like 1024x64, and at most {MAX_PIXELS}x{MAX_PIXELS}"
        );
        ApiError::parameter("size", problem)
    })
}

/// Checks `timestamp`, and `crop` and `location`, which are `LEFT,TOP,RIGHT,BOTTOM`; and, unless the
/// template is in the body, its name.
///
/// # Errors
///
/// When one is missing or wrong.
pub(crate) fn check_thumbnail(query: &Query, template_in_body: bool) -> Result<(), ApiError> {
    query.required_time("timestamp")?;
    match (query.one("template")?, template_in_body) {
        (None, true) => {}
        (Some(_), true) => {
            let problem = "give either a template's name or, by POST, the template itself";
            return Err(ApiError::parameter("template", problem));
        }
        (None, false) => return Err(ApiError::parameter("template", "it is missing")),
        (Some(name), false) => {
            let name = name.parse::<FolderName>();
            name.map_err(|problem| ApiError::parameter("template", problem.to_string()))?;
        }
    }
    check_rectangle(query, "crop")?;
    check_rectangle(query, "location")
}

fn check_rectangle(query: &Query, parameter: &'static str) -> Result<(), ApiError> {
    let Some(text) = query.one(parameter)? else {
        return Ok(());
    };
    let sides: Option<Vec<u32>> = text.split(',').map(pixels).collect();
    match sides.as_deref() {
        Some([left, top, right, bottom]) if left < right && top < bottom => Ok(()),
        _ => {
            let problem = format!(
                "it must be LEFT,TOP,RIGHT,BOTTOM in pixels, like 0,0,1280,720, left before right, top \
                 before bottom, and none over {MAX_PIXELS}"
            );
            Err(ApiError::parameter(parameter, problem))
        }
    }
}

/// Up to [`MAX_PIXELS`], in plain digits.
fn pixels(text: &str) -> Option<u32> {
    let is_plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|pixels| is_plain && *pixels <= MAX_PIXELS)
}
