//! The address of a database, in either form that PostgreSQL's own programs take.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use url::Url;

/// A database's address: a URL (`postgres://user@host/name`) or libpq's list of `key=value`.
///
/// Printing it never shows a password. What it leaves open is taken from the `PG…` variables of
/// the environment, as libpq does.
#[derive(Clone)]
pub struct Dsn(PgConnectOptions);

/// An address that names no database.
#[derive(Debug, Error)]
#[error(
    "this is no database address ({problem}); write it as postgres://USER:PASSWORD@HOST:PORT/NAME \
     or as host=HOST port=PORT user=USER password=PASSWORD dbname=NAME"
)]
pub struct ParseDsnError {
    problem: String,
}

impl ParseDsnError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}

impl Dsn {
    /// How to connect.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl FromStr for Dsn {
    type Err = ParseDsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_url = ["postgres://", "postgresql://"].iter().any(|start| text.starts_with(start));
        let url = if is_url { text.to_owned() } else { url_of_pairs(&pairs(text)?) };
        let options: Result<PgConnectOptions, _> = url.parse();
        options.map(Self).map_err(|error| match error {
            // the others quote the address, and with it the password
            sqlx::Error::Configuration(problem) => ParseDsnError::new(problem.to_string()),
            _ => ParseDsnError::new("it cannot be parsed"),
        })
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.0;
        let user = options.get_username();
        write!(f, "{user}@")?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}", options.get_host())?,
        }
        write!(f, ":{}/{}", options.get_port(), options.get_database().unwrap_or(user))
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Every key of libpq has a parameter of the same name in a URL.
fn url_of_pairs(pairs: &[(String, String)]) -> String {
    let mut url = Url::parse("postgres:///").expect("it is a constant");
    url.query_pairs_mut().extend_pairs(pairs);
    url.into()
}

/// Reads `key = value` pairs; a value in single quotes may hold blanks, and a backslash takes the
/// next character as it is.
fn pairs(text: &str) -> Result<Vec<(String, String)>, ParseDsnError> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or_else(|| ParseDsnError::new("a key has no value"))?;
        let key = key.trim_end();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(ParseDsnError::new("it is neither a URL nor a list of key=value"));
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    if pairs.is_empty() {
        return Err(ParseDsnError::new("it is empty"));
    }
    Ok(pairs)
}

/// Reads one value and returns it with what follows.
fn value(text: &str) -> Result<(String, &str), ParseDsnError> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((value, &body[at..])),
            c => value.push(c),
        }
    }
    if quoted {
        return Err(ParseDsnError::new("a quote is not closed"));
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Dsn>().unwrap().to_string()
    }

    #[test]
    fn both_forms_mean_the_same() {
        let expected = "me@db.example:5433/wub";
        assert_eq!(shown("postgres://me:secret@db.example:5433/wub"), expected);
        assert_eq!(shown("postgresql://me:secret@db.example:5433/wub"), expected);
        let listed = "host=db.example port = 5433  user='me' password='s e\\'cret' dbname=wub";
        assert_eq!(shown(listed), expected);
        assert_eq!(
            shown("postgres:///wub?host=/run/a%20b&port=5433&user=me"),
            shown("dbname=wub host='/run/a b' port=5433 user=me")
        );
    }

    #[test]
    fn values_are_read_as_libpq_reads_them() {
        let read = pairs(r"a=1 b = 'x y' c='it\'s' d=\ e f='' g=").unwrap();
        let expected = [("a", "1"), ("b", "x y"), ("c", "it's"), ("d", " e"), ("f", ""), ("g", "")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for text in
            ["", "secret", "pass word=secret", "password='secret", "=secret", "mysql://a:secret@b"]
        {
            let error = text.parse::<Dsn>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let error = "postgres://a:secret@b:port/c".parse::<Dsn>().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_password_is_never_shown() {
        let dsn: Dsn = "postgres://me:secret@db/wub".parse().unwrap();
        assert!(!format!("{dsn} {dsn:?}").contains("secret"));
    }
}
