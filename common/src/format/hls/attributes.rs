//! Attribute lists (RFC 8216 §4.2), read leniently.

use super::{Bound, PlaylistError, Resolution};

/// The attributes of a tag, in order. A name without a value, or a quote that is never closed, costs
/// only what it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(Box<str>, Box<str>)>);

impl Attributes {
    /// Reads `NAME=value,NAME="quoted, value",…`.
    pub(super) fn parse(text: &str, limit: usize) -> Result<Self, PlaylistError> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((name, after)) = rest.split_once('=') {
            if found.len() == limit {
                return Err(PlaylistError::TooLarge { bound: Bound::Attributes, limit });
            }
            // whatever stands before a stray comma belongs to no attribute
            let name = name.rsplit(',').next().unwrap_or(name).trim();
            let (value, next) = value(after.trim_start());
            found.push((name.into(), value.into()));
            rest = next;
        }
        Ok(Self(found))
    }

    /// The value of the first attribute of that name, without its quotes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every name with its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }

    /// A finite number that is not negative.
    pub(super) fn decimal(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(decimal)
    }

    pub(super) fn yes(&self, name: &str) -> bool {
        self.get(name) == Some("YES")
    }

    pub(super) fn resolution(&self, name: &str) -> Option<Resolution> {
        let (width, height) = self.get(name)?.split_once(['x', 'X'])?;
        Some(Resolution { width: width.trim().parse().ok()?, height: height.trim().parse().ok()? })
    }
}

/// A finite number of seconds or the like that is not negative.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && !number.is_sign_negative()).then_some(number)
}

/// The value that `text` begins with, and what follows the comma after it.
fn value(text: &str) -> (&str, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(',').unwrap_or((text, ""));
        return (value.trim_end(), rest);
    };
    match quoted.split_once('"') {
        Some((value, rest)) => (value, rest.split_once(',').map_or("", |(_, rest)| rest)),
        None => (quoted, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let attributes = Attributes::parse(text, 8).unwrap();
        attributes.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn quotes_protect_commas_and_equal_signs() {
        let text = r#"BANDWIDTH=1280000,CODECS="avc1.4d,mp4a.40.2",URI="a?b=c,d=e",NAME=x"#;
        let expected = [
            pair("BANDWIDTH", "1280000"),
            pair("CODECS", "avc1.4d,mp4a.40.2"),
            pair("URI", "a?b=c,d=e"),
            pair("NAME", "x"),
        ];
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn bad_attributes_cost_only_themselves() {
        assert_eq!(pairs("A=1,junk,B=2"), [pair("A", "1"), pair("B", "2")]);
        assert_eq!(pairs("A=,B=2,"), [pair("A", ""), pair("B", "2")]);
        assert_eq!(
            pairs(" A = 1 , B = \"2\" x , C=3"),
            [pair("A", "1"), pair("B", "2"), pair("C", "3")]
        );
        assert_eq!(pairs(r#"A=1,B="open, C=3"#), [pair("A", "1"), pair("B", "open, C=3")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn the_number_of_attributes_is_bounded() {
        let text = "A=1,".repeat(9);
        let error = Attributes::parse(&text, 8).unwrap_err();
        assert_eq!(error, PlaylistError::TooLarge { bound: Bound::Attributes, limit: 8 });
    }

    #[test]
    fn numbers_that_are_none_are_absent() {
        let text = "A=-1,B=inf,C=x,D=0.5,E=1920x1080,F=1920x,G=99999999999999999999";
        let attributes = Attributes::parse(text, 8).unwrap();
        assert_eq!(attributes.integer("A"), None);
        assert_eq!(attributes.decimal("A"), None);
        assert_eq!(attributes.decimal("B"), None);
        assert_eq!(attributes.decimal("C"), None);
        assert_eq!(attributes.decimal("D"), Some(0.5));
        assert_eq!(attributes.resolution("E"), Some(Resolution { width: 1920, height: 1080 }));
        assert_eq!(attributes.resolution("F"), None);
        assert_eq!(attributes.integer("G"), None);
    }
}
